"""mpota: what a server of one's own is told beside the question: header lines and a query, which may be secrets, and
a report. They go to the host of base_url, and through no redirect to another one.

    net.home     where they go: (scheme, host, port)
    net.more_lines  header lines, with the next request there
    net.kept_lines  those with each request after it: a report is sent once a look
"""

from mpota.http import split
from mpota.rules import is_name
from ota_updater import OtaError, use


def start(net):
    c = net.config
    _check(c)
    if not c.base_url:
        raise OtaError("headers, query and report are for the server of base_url, and that is not set")
    net.home = split([net.base])[0]
    if c.headers or c.query:
        secret(c, net.home, "headers and query are")
    net.more_lines = net.kept_lines = ["%s: %s\r\n" % x for x in c.headers.items()] if c.headers else []
    if c.report:
        line = use("mpota.report").line(c)
        if line:
            net.more_lines = net.kept_lines + [line + "\r\n"]


def _check(c):
    """What goes into requests is in one line, and names nothing that the client says itself."""
    if c.headers and not isinstance(c.headers, dict):
        raise OtaError("CONFIG: headers is not a dict")
    for name, value in c.headers.items() if c.headers else ():
        if not is_name(name, 64, b"-") or name.lower() in ("host", "range", "connection", "accept-encoding"):
            raise OtaError("CONFIG: headers: not a name for it: %r" % (name,))
        if not isinstance(value, str) or not _is_plain(value, 32):
            raise OtaError("CONFIG: headers: %s is not a text of one line of ASCII" % name)
    if c.query and (not _is_plain(c.query, 33) or c.query[:1] == "?"):
        raise OtaError("CONFIG: query: a text like a=1&b=2 without spaces is needed")


def _is_plain(s, least):
    return 0 < len(s) <= 1000 and not [c for c in s.encode() if not least <= c < 127]


def secret(c, at, what):
    """Raise OtaError where a secret may not be sent to `at`."""
    if at[0] != "https":
        if not c.insecure_token_over_http:
            raise OtaError("%s not sent over http (insecure_token_over_http is not set)" % what)
    elif not use("mpota.tls").checks(c) and not c.insecure_token_without_certificate:
        raise OtaError("%s not sent: no certificates are checked (insecure_token_without_certificate is not set)" % what)
