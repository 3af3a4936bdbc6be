"""mpota: a body that comes in chunks (RFC 9112, section 7.1)."""

from mpota.body import close, piece, some
from mpota import HttpError


def readinto(net, buf):
    """As http.readinto()."""
    if net.left and not net.chunk:
        _next(net)
    if not net.left:
        return 0
    n = some(net, buf[: min(len(buf), net.chunk)])
    net.chunk -= n
    if not net.chunk and _line(net) != b"":
        _broken(net)
    return n


def _broken(net):
    host = net.at[1]
    close(net)
    raise HttpError("broken chunks from %s" % host)


def _line(net):
    line = b""
    try:
        while line[-1:] != b"\n" and len(line) < 64:
            part = piece(net)
            if not part:
                break
            line += part
    except OSError as e:
        host = net.at[1]
        close(net)
        raise HttpError("connection to %s lost: %s" % (host, e))
    if line[-2:] != b"\r\n":
        _broken(net)
    return line[:-2]


def _next(net):
    size = _line(net).split(b";", 1)[0].strip()
    if not 0 < len(size) <= 7:
        _broken(net)
    for c in size.lower():
        if c not in b"0123456789abcdef":
            _broken(net)
    net.chunk = int(size, 16)
    if net.chunk:
        return
    for _ in range(100):  # trailers
        if not _line(net):
            net.left = 0
            if not net.keep:
                close(net)
            return
    _broken(net)
