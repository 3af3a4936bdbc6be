"""mpota: leaving a server alone for a while."""

from os import urandom
from mpota import HttpError
from ota_updater import log, use


def _jitter(n):
    """Up to half as much more, so that not all boards of a fleet come back at once."""
    return n + n * urandom(1)[0] // 512


def busy(net, host):
    """The HttpError for an answer that asks to wait; its `wait` is in seconds."""
    wait = net.head.get(b"retry-after", b"")
    wait = int(wait) if wait.isdigit() and len(wait) < 9 else 0
    if not wait and net.head.get(b"x-ratelimit-remaining") == b"0":
        reset = net.head.get(b"x-ratelimit-reset", b"")
        wait = _until(int(reset)) if reset.isdigit() and len(reset) < 12 else 0
    wait = min(wait or 60, 86400)
    e = HttpError("%s asks to wait %d s (%d)" % (host, wait, net.status))
    e.status = net.status
    e.wait = _jitter(wait)
    return e


def _until(reset):
    """Seconds until a time that is given in seconds since 1970; 0 where it is past or the clock is not set."""
    now = use("mpota.clock").now()
    return max(0, reset - now) if now else 0


def pause(attempt, error):
    """In steps: wait before another attempt (from 0): as long as the server asked for, else 1, 2, 4 ... s, with
    jitter. Where that is over a minute `error` is raised, for the app to sleep meanwhile."""
    if error.wait > 60:
        raise error
    ms = error.wait * 1000 or _jitter(1000 << attempt)
    log("W", "again in %d ms" % ms)
    while ms > 0:
        yield min(ms, 100)  # a watchdog is fed between two of them
        ms -= 100
