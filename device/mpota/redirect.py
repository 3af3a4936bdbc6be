"""mpota: where a redirect leads, and a guess where the pack is, made while the server is still connected that knows
it. Gone again before the next request: see http.py."""

from mpota import HttpError
from mpota.body import drop
from mpota.http import request, split
from mpota.source import address, headers
from ota_updater import OtaError


def target(net, url):
    """The address that the redirect which has come in for `url` leads to. Never from https to http."""
    return join(url, _address(net.head.get(b"location"), net.at[1]))


def _address(line, host):
    """The address in the pieces of a header line, see http.py."""
    if not line or not line[0].strip():
        raise HttpError("redirect without an address from " + host)
    if line[-1][-1:] != b"\n":
        raise HttpError("redirect of over %d bytes from %s" % (len(line) * 64, host))
    line[-2:] = [b"".join(line[-2:]).rstrip()]  # its end may lie across two pieces
    for part in line:
        for c in part:  # it goes into the next request as it is
            if not 32 < c < 127:
                raise HttpError("redirect to nowhere from " + host)
    return [str(part, "utf-8") for part in [b"".join(line[:6])] + line[6:]]


def join(url, to):
    """The address `to` as seen from `url`."""
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


def guess(net, url):
    """In steps: before this host is left, learn where the pack is, on the same connection."""
    name = ("%s-%s.pack" % (net.config.repo, net.tag)).replace("+", "-")  # what `mpota build` calls it
    asked = address(net, name)
    if asked and split(asked)[0] == split(url)[0]:
        yield from request(net, asked, headers(net))
        if net.status in (301, 302, 303, 307, 308):
            net.urls[name] = target(net, asked)
        yield from drop(net)
