"""mpota: addresses, redirects and pauses: what is around a single HTTP request."""

import time
from micropython import const
from os import urandom
from ota_updater import OtaError, log

_REDIRECTS = const(5)


class HttpError(OtaError):
    """The connection or the server failed; trying again may help. `status` is 0 without an answer.
    `wait`: the seconds that the server asked for, and up to half as much more, so that not all
    boards of a fleet come back at once."""

    def __init__(self, text, status=0, wait=0):
        super().__init__(text)
        self.status = status
        self.wait = wait + wait * urandom(1)[0] // 512


class NotFound(OtaError):
    """There is no such release or asset, or it may not be seen."""


def split(url):
    """(scheme, host, port, path) of an absolute URL."""
    for c in url:  # it comes from a server, and goes into the next request
        if c <= " " or c == "\x7f":
            raise OtaError("a space or a control character in an address")
    i = url.find("://")
    scheme, rest = url[:i].lower(), url[i + 3 :]
    if scheme not in ("http", "https"):
        raise OtaError("not a http(s) address: " + url[:40])
    i = rest.find("/")
    host, path = (rest[:i], rest[i:]) if i >= 0 else (rest, "/")
    if "@" in host:
        raise OtaError("not a host: a user or token stands before it")
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
    elif ":" not in location.split("/", 1)[0]:
        parts = []
        for part in (path[: path.rfind("/") + 1] + location).split("/"):
            if part == ".." and len(parts) > 1:
                parts.pop()
            elif part not in (".", ".."):
                parts.append(part)
        location = "%s://%s:%d%s" % (scheme, host, port, "/".join(parts))
    if scheme == "https" and split(location)[0] != "https":
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


def pause(attempt, error):
    """Wait before another attempt (from 0): as long as the server asked for, else 1, 2, 4 ... s, with
    jitter. Where that is over a minute `error` is raised, for the app to sleep meanwhile."""
    if error.wait > 60:
        raise error
    ms = error.wait * 1000
    if not ms:
        ms = 1000 << attempt
        ms += ms * urandom(1)[0] // 512
    log("W", "again in %d ms" % ms)
    time.sleep_ms(ms)


def until(reset):
    """Seconds until a time that is given in seconds since 1970; 0 where it is past or the clock is not set."""
    now = int(time.time()) + (946684800 if time.gmtime(0)[0] == 2000 else 0)
    return max(0, reset - now) if now > 1700000000 else 0
