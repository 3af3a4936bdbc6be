"""mpota: what an answer means that is not simply the whole of what was asked for."""

from mpota import HttpError
from mpota.body import close, readinto
from ota_updater import OtaError, buffer


def no_asset(net, name):
    """Say what an answer without the asset means."""
    host, status, c = net.at[1], net.status, net.config
    if status == 404:
        close(net)
        where = "channel " + c.channel if c.channel and not net.tag else "release %s" % (net.tag or "(latest)")
        hint = "" if net.auth or name != "manifest.json" else "; a private repository needs a token"
        raise OtaError("not found: %s in %s of %s%s" % (name, where, c.name, hint))
    if status == 401:
        raise OtaError("the token is not accepted by " + host)
    close(net)
    net.urls.pop(name, None)  # it may have gone out of date
    e = HttpError("%s answers %d for %s" % (host, status, name))
    e.status = status
    raise e


def no_release(net, which):
    """Say what an answer without a release means."""
    host, status, name = net.at and net.at[1] or "the API", net.status, net.config.name
    if status == 404:
        which = which or "(latest)"
        raise OtaError("no release %s in %s, or the token may not read it (Contents: read)" % (which, name))
    if status == 401:
        raise OtaError("the token is not accepted by " + host)
    if status == 403:
        raise OtaError("the token may not read %s (Contents: read)" % name)
    e = HttpError("%s answers %d for the release" % (host, status))
    e.status = status
    raise e


def part(net, start, end):
    """In steps: have the asset from byte `start` on, of an answer that may be a part of it."""
    if net.status == 200:
        yield from _skip(net, start)
    elif end is None or not net.head.get(b"content-range", b"").startswith(b"bytes %d-%d/" % (start, end - 1)):
        host = net.at[1]
        close(net)
        e = HttpError("wrong Content-Range from " + host)
        e.status = 206
        raise e


def _skip(net, n):
    """The server ignored Range: read over what comes before."""
    while n:
        got = readinto(net, buffer()[: min(n, 1024)])
        if got == 0:
            raise HttpError("%s: shorter than promised" % net.config.name)
        if got:
            n -= got
        yield 0 if got else 2
