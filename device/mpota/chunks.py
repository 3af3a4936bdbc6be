"""mpota: a body that comes in chunks (RFC 9112, section 7.1). net.chunk says what is to come: so many bytes
of this chunk, or one of the lines between them."""

from micropython import const
from mpota.body import close, piece, some
from mpota import HttpError

_SIZE = const(0)
_END = const(-1)  # the empty line behind the bytes of a chunk
_TRAILER = const(-2)  # and less: so many of them were read


def readinto(net, buf):
    """As body.readinto()."""
    while net.left and net.chunk <= 0:
        line = _line(net)
        if line is None:
            return None
        if net.chunk == _SIZE:
            net.chunk = _size(net, line) or _TRAILER
        elif net.chunk == _END:
            if line:
                _broken(net)
            net.chunk = _SIZE
        elif not line:
            net.left = 0
            if not net.keep:
                close(net)
        else:
            net.chunk -= 1
            if net.chunk < _TRAILER - 99:
                _broken(net)
    if not net.left:
        return 0
    n = some(net, buf[: min(len(buf), net.chunk)])
    if n:
        net.chunk = net.chunk - n or _END
    return n


def _broken(net):
    host = net.at[1]
    close(net)
    raise HttpError("broken chunks from %s" % host)


def _line(net):
    try:
        line = piece(net)
    except OSError as e:
        host = net.at[1]
        close(net)
        raise HttpError("connection to %s lost: %s" % (host, e))
    if line is None:
        return None
    if line[-2:] != b"\r\n":
        _broken(net)
    return line[:-2]


def _size(net, line):
    size = line.split(b";", 1)[0].strip()
    if not 0 < len(size) <= 7:
        _broken(net)
    for c in size.lower():
        if c not in b"0123456789abcdef":
            _broken(net)
    return int(size, 16)
