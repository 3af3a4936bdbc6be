"""mpota: unpacks what comes in compressed."""

import gc
from io import BytesIO
from mpota import Refused
from ota_files import Damaged
from ota_updater import buffer

try:
    from deflate import DeflateIO, ZLIB
except ImportError:
    DeflateIO = None


def inflate(to, f, left, end):
    """In steps: write a zlib stream of `left` bytes to `f`, which gives the file of `to`, a Fetch, up to byte `end`.

    DeflateIO asks its source for each byte by itself. From a BytesIO it has them without a call
    into Python each, so there are always enough of them there: 96 bytes take 180 at most, and
    the tables before them 300."""
    out, feed = buffer()[:96], buffer()[96:736]
    bio, stream = to.bio, None
    if not bio:
        bio = to.bio = BytesIO()
    size = used = 0
    while to.got < end:
        if stream:
            used = bio.tell()
        if left and size - used < 480:
            size -= used
            bio.readinto(feed[:size])
            while left and size < len(feed):
                n = to.read(feed[size : size + min(left, len(feed) - size)]) or 0
                size += n
                left -= n
                yield 0 if n else 2
            bio.seek(0)
            bio.write(feed[:size])
            bio.seek(0)
        try:
            if not stream:
                # That of the file before has kept its place until now: small things would lie there, and this one
                # finds no other place that large.
                to.stream = None
                to.stream = stream = _deflate(bio, feed)
            n = stream.readinto(out[: min(len(out), end - to.got)])
        except (OSError, EOFError, ValueError):
            n = 0
        if not n:
            raise Damaged("it does not unpack")
        to.write(f, out[:n])
        if to.got & 511 < n:
            yield 0
    while left:
        left -= to.read(feed[: min(left, len(feed))]) or 0
        yield 2


def _deflate(bio, head):
    # A window of over 4 KB or a preset dictionary: not in our format, and not in our memory.
    if head[0] & 15 != 8 or head[0] >> 4 > 4 or head[1] & 32:
        raise Damaged("compressed in a way that is not allowed")
    if not DeflateIO:
        raise Refused("this firmware cannot unpack: build the release with --no-compress")
    gc.collect()  # it takes 1.3 KB and the window, each in one piece
    return DeflateIO(bio, ZLIB)
