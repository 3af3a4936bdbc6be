"""mpota: a small HTTP/1.1 client. One connection at a time, kept open while the host stays the same: send.py
opens it and asks, answer.py reads the headers, body.py the rest, each in memory while it is at work. What
has to be remembered is in a Bag, `net`: the connection outlives this code.

    net.config   timeout_s bounds a single wait, deadline_s everything
    net.sock     the open connection, and net.at where it leads: (scheme, host, port)
    net.auth     (a header line, where it may be sent) or None
    net.status   of the last answer; net.head what is wanted of its headers
    net.left     bytes of its body to come; in chunks or to the end of the connection: not 0
    net.since    since when nothing has come, in ms; None: not yet found so

An address is a list of texts: GitHub's signed ones have 850 characters, and a board has no room to have
them in one piece, and copy them. The first text has all that is ever looked at.
"""

from mpota import HttpError
from mpota.body import close, drop
from mpota.update import done
from ota_updater import OtaError, use


# --- addresses -----------------------------------------------------------


def split(url):
    """((scheme, host, port), where the path begins in the first text) of an absolute address."""
    first = url[0]
    for c in first.encode():  # bytes: see rules.py. It goes into the next request
        if c <= 32 or c == 127:
            raise OtaError("a space or a control character in an address")
    i = first.find("://")
    scheme = first[:i].lower()
    if scheme not in ("http", "https"):
        raise OtaError("not a http(s) address: " + first[:40])
    end = first.find("/", i + 3)
    if end < 0:
        end = len(first)
    host = first[i + 3 : end]
    if "@" in host:
        raise OtaError("not a host: a user or token stands before it")
    port = 443 if scheme == "https" else 80
    i = host.find("]") + 1 if host[:1] == "[" else host.find(":")  # an address of IPv6 has colons in it
    if host[:1] == "[" and (not i or host[i : i + 1] not in ("", ":") or "%" in host):  # a zone is of one computer
        raise OtaError("not a host: " + host[:40])
    if -1 < i < len(host):
        host, p = host[:i], host[i + 1 :]
        if not p.isdigit() or len(p) > 5:
            raise OtaError("not a port: " + p[:20])
        port = int(p)
    return (scheme, host, port), end


# --- requests ------------------------------------------------------------


def request(net, url, headers=()):
    """In steps: send a GET and read the answer's headers; the body is then had by body.readinto(). Raises
    HttpError; a connection that the server has closed in the meantime is opened again once."""
    at, i = split(url)
    if net.left:  # an unread body is in the way
        close(net)
    while True:
        fresh = yield from use("mpota.send").connect(net, at)
        try:
            yield from use("mpota.send").ask(net, url, i, headers)
            done("send", "tls")
            yield 0
            yield from use("mpota.answer").read(net, at[1])
            done("answer")
            use("mpota.framing").settle(net, at[1])
            done("framing")
            return
        except (OSError, ValueError) as e:  # ValueError: a certificate
            close(net)
            if fresh:
                if at[0] == "https":
                    e = use("mpota.tls").explain(at[1], e) or e
                    if isinstance(e, OtaError):
                        raise e
                raise HttpError("no answer from %s: %s" % (at[1], e))
        except HttpError:
            close(net)
            raise


def follow(net, url, headers=(), moved=None):
    """In steps: GET through redirects. `moved(from, to)` is told of each and may stop by returning True:
    then None is returned. Else the address of the answer that is now open."""
    for _ in range(5):
        yield from request(net, url, headers)
        if net.status not in (301, 302, 303, 307, 308):
            return url
        to = use("mpota.redirect").target(net, url)
        done("redirect")
        yield from drop(net)
        if moved and (yield from moved(url, to)):
            return None
        url = to
    raise HttpError("redirects without an end")
