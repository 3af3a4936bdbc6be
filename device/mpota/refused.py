"""mpota: what an answer means that is not simply the whole of what was asked for."""

from mpota import HttpError
from mpota.body import close, drop, readinto
from ota_updater import OtaError, buffer, use


def no_asset(net, name):
    """In steps: say what an answer without the asset means."""
    host, status, c = net.at[1], net.status, net.config
    yield from limited(net, host)
    if status == 404:
        close(net)
        where = "channel " + c.channel if c.channel and not net.tag else "release %s" % (net.tag or "(latest)")
        hint = "" if net.auth or name != "manifest.json" else "; a private repository needs a token"
        raise OtaError("not found: %s in %s of %s%s" % (name, where, c.name, hint))
    if status == 401:
        _unauthorized(net, host)
    close(net)
    net.urls.pop(name, None)  # it may have gone out of date
    e = HttpError("%s answers %d for %s" % (host, status, name))
    e.status = status
    raise e


def no_release(net, which):
    """In steps: say what an answer without a release means."""
    host, status, name = net.at and net.at[1] or "the API", net.status, net.config.name
    yield from limited(net, host)
    yield from drop(net)
    if status == 404:
        which = which or "(latest)"
        raise OtaError("no release %s in %s, or the token may not read it (Contents: read)" % (which, name))
    if status == 401:
        _unauthorized(net, host)
    if status == 403:
        raise OtaError("the token may not read %s (Contents: read)" % name)
    e = HttpError("%s answers %d for the release" % (host, status))
    e.status = status
    raise e


def _unauthorized(net, host):
    if net.auth:
        raise OtaError("the token is not accepted by " + host)
    raise OtaError("%s answers 401: are headers or query of CONFIG missing or wrong?" % host)


def limited(net, host):
    """In steps: raise HttpError where a 403 is about a limit, which GitHub may say in its text alone."""
    if net.status != 403:
        return
    b = buffer()[:400]
    n = 0
    while n < len(b):
        got = readinto(net, b[n:])
        if got == 0:
            break
        n += got or 0
        yield 2
    if b" rate limit" in bytes(b[:n]).lower():
        close(net)
        raise use("mpota.pause").busy(net, host)
