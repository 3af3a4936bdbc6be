"""mpota: a larger file in the pack, whose pieces are compressed each by itself (spec/manifest.md): so
a download that was cut goes on behind the last piece that is whole."""

from ota_updater import use

_LARGE = 8388608  # bytes: a larger file has pieces of twice the size


def _length(index, i):
    return index[2 * i] << 8 | index[2 * i + 1]


def fetch(to, f, e, have):
    """In steps: write the file that `to`, a Fetch, has open as `f`; `have` bytes of it are there already."""
    size = e["size"]
    piece = 32768 if size > _LARGE else 16384
    index = bytearray((size + piece - 1) // piece * 2)
    done = have // piece if have < size else 0
    # Where a part is there already the index alone, and then what is missing.
    yield from to.open(e, 0, len(index) if done else None)
    view, n = memoryview(index), 0
    while n < len(index):
        n += to.read(view[n:], not done) or 0
        yield 2
    yield from to.kept(f, done * piece)
    if done:
        yield from to.open(e, len(index) + sum([_length(index, i) for i in range(done)]))
    for i in range(done, len(index) // 2):
        end = min(size, (i + 1) * piece)
        n = _length(index, i)
        if n == end - to.got:
            yield from to.stored(f, end)
        else:
            # open() has taken the module away
            yield from use("mpota.inflate").inflate(to, f, n, end)
