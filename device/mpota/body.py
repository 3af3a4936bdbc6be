"""mpota: the body of an answer, and waiting for bytes. While a file comes in nothing else of the
client is in memory; `net` is explained in http.py.

What reads here never waits: None says that nothing has come yet, and what was read of a line is kept
in net.part. Whoever asked gives the others their turn, and asks again.
"""

import time
from mpota import HttpError
from ota_updater import buffer, use


def close(net):
    if net.sock:
        net.sock.close()
        net.sock = net.at = net.part = net.since = None


# --- waiting -------------------------------------------------------------


def in_time(net):
    """Ticks in ms, while the time for all of it is not over."""
    now = time.ticks_ms()
    if time.ticks_diff(now, net.begun) > net.config.deadline_s * 1000:
        close(net)
        raise HttpError("gave up after %d s" % net.config.deadline_s)
    return now


def wait(net):
    """Nothing has come: hold the bounds. Returns None, for others to have their turn."""
    now = in_time(net)
    if net.since is None:
        net.since = now
    if time.ticks_diff(now, net.since) > net.config.timeout_s * 1000:
        raise OSError(110)  # ETIMEDOUT


def piece(net):
    """A line, or the next 64 bytes of it; less where the connection ends. readline() takes all of its
    limit from the heap, whatever comes."""
    out = net.part or b""
    while len(out) < 64 and out[-1:] != b"\n":
        part = net.sock.readline(64 - len(out))
        if part is None:
            net.part = out
            return wait(net)
        net.since = None
        if not part:
            break
        out += part
    net.part = None
    return out


# --- the body ------------------------------------------------------------


def readinto(net, buf):
    """Read some of the body: how many bytes, 0 at its end, None where nothing has come yet. Raises
    HttpError where it is cut short."""
    if net.chunk is not None:
        return use("mpota.chunks").readinto(net, buf)
    if not net.left:
        return 0
    n = some(net, buf[: net.left] if 0 < net.left < len(buf) else buf)
    if n is None:
        return None
    if net.left > 0:
        net.left -= n
    elif not n:
        net.left = 0
    if not net.left and not net.keep:
        close(net)
    return n


def some(net, buf):
    """How many bytes of the connection were there, at least one, or None; 0 at the end of a body that has
    no other one."""
    host = net.at[1]
    try:
        n = net.sock.readinto(buf)
        if n is None:
            return wait(net)
        net.since = None
        if not n and net.left >= 0:
            raise OSError("it ended in the middle")
        _hold_speed(net, n)
        return n
    except OSError as e:
        close(net)
        raise HttpError("connection to %s lost: %s" % (host, e))


def _hold_speed(net, n):
    """`n` bytes have come: no server may take for ever by sending a little now and then."""
    net.got += n
    now = in_time(net)
    spent = time.ticks_diff(now, net.window)
    if spent > 10000:
        if net.got * 1000 < net.config.min_rate * spent:
            host = net.at[1]
            close(net)
            raise HttpError("%s sends less than %d bytes a second" % (host, net.config.min_rate))
        net.window, net.got = now, 0


def drop(net):
    """In steps: be done with the body. Read on to its end where that is near, else close."""
    most = 4096
    while net.left:
        if most <= 0 or net.left < 0:
            close(net)
            net.left = 0
            return
        n = readinto(net, buffer())
        if n:
            most -= n
        yield 0 if n else 2
