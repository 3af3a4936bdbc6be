"""mpota: addresses, redirects and pauses: what is around a single HTTP request."""

import time
from micropython import const
from ota_updater import OtaError, log

_REDIRECTS = const(5)


class HttpError(OtaError):
    """The connection or the server failed; trying again may help. `status` is 0 without an answer."""

    def __init__(self, text, status=0, wait=0):
        super().__init__(text)
        self.status = status
        self.wait = wait  # seconds that the server asked for


def split(url):
    """(scheme, host, port, path) of an absolute URL."""
    for c in url:  # it comes from a server, and goes into the next request
        if c <= " " or c == "\x7f":
            raise OtaError("a space or a control character in an address")
    i = url.find("://")
    scheme, rest = url[:i], url[i + 3 :]
    if scheme not in ("http", "https"):
        raise OtaError("not a http(s) address: " + url[:40])
    i = rest.find("/")
    host, path = (rest[:i], rest[i:]) if i >= 0 else (rest, "/")
    port = 443 if scheme == "https" else 80
    if ":" in host:
        host, p = host.rsplit(":", 1)
        if not p.isdigit() or len(p) > 5:
            raise OtaError("not a port: " + p[:20])
        port = int(p)
    return scheme, host, port, path


def join(url, location):
    """The address that a redirect from `url` leads to. Never from https to http."""
    scheme, host, port, path = split(url)
    if location.startswith("//"):
        location = scheme + ":" + location
    elif location.startswith("/"):
        location = "%s://%s:%d%s" % (scheme, host, port, location)
    elif "://" not in location[:8]:
        parts = []
        for part in (path[: path.rfind("/") + 1] + location).split("/"):
            if part == ".." and len(parts) > 1:
                parts.pop()
            elif part not in (".", ".."):
                parts.append(part)
        location = "%s://%s:%d%s" % (scheme, host, port, "/".join(parts))
    if scheme == "https" and not location.startswith("https://"):
        raise OtaError("redirect from https to http refused")
    return location


def follow(http, url, headers=(), host_only=None, moved=None):
    """GET through redirects. `moved(from, to)` is told of each and may stop by returning True:
    then None is returned. Else the address of the answer that is now open in `http`."""
    for _ in range(_REDIRECTS):
        http.request(url, headers, host_only)
        if http.status not in (301, 302, 303, 307, 308):
            return url
        if not http.location:
            raise HttpError("redirect without an address from " + http.host, http.status)
        to = join(url, http.location)
        http.drop()
        if moved and moved(url, to):
            return None
        url = to
    raise HttpError("redirects without an end")


def pause(attempt, wait):
    """Wait before another attempt (from 0): what the server asked for, else 1, 2, 4 ... s, with jitter."""
    from os import urandom

    ms = (min(wait, 60) or 1 << attempt) * 1000
    ms += ms * urandom(1)[0] // 512
    log("W", "again in %d ms" % ms)
    time.sleep_ms(ms)
