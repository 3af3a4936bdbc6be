"""mpota: addresses and redirects: what is around a single HTTP request.

An address is a list of texts: GitHub's signed ones have 850 characters, and a board has no room to have
them in one piece, and copy them. The first text has all that is ever looked at.
"""

from mpota import HttpError
from ota_updater import OtaError, use


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
    if ":" in host:
        host, p = host.rsplit(":", 1)
        if not p.isdigit() or len(p) > 5:
            raise OtaError("not a port: " + p[:20])
        port = int(p)
    return (scheme, host, port), end


def join(url, to):
    """The address that a redirect from `url` leads to. Never from https to http."""
    at, i = split(url)
    first = to[0]
    if first[:2] == "//":
        first = at[0] + ":" + first
    elif first[:1] == "/":
        first = "%s://%s:%d%s" % (at + (first,))
    elif ":" not in first.split("/", 1)[0]:
        path = url[0][i:] or "/"
        parts = []
        for part in (path[: path.rfind("/") + 1] + first).split("/"):
            if part == ".." and len(parts) > 1:
                parts.pop()
            elif part not in (".", ".."):
                parts.append(part)
        first = "%s://%s:%d%s" % (at + ("/".join(parts),))
    to[0] = first
    if at[0] == "https" and split(to)[0][0] != "https":
        raise OtaError("redirect from https to http refused")
    return to


def follow(net, url, headers=(), moved=None):
    """GET through redirects. `moved(from, to)` is told of each and may stop by returning True:
    then None is returned. Else the address of the answer that is now open."""
    http = use("mpota.http")
    for _ in range(5):
        http.request(net, url, headers)
        if net.status not in (301, 302, 303, 307, 308):
            return url
        to = net.head.get(b"location")
        if not to or not to[0]:
            raise HttpError("redirect without an address from " + net.at[1])
        to = join(url, to)
        http.drop(net)
        if moved and moved(url, to):
            return None
        url = to
    raise HttpError("redirects without an end")
