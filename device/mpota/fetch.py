"""mpota: the download. Fills new/ with the files that change, checked to the byte. What is there by
the time that the connection, the power or a watchdog ends it stays, and the next try goes on inside
of a file: at most a piece of 16 KB comes twice."""

import os
from micropython import const
from mpota import HttpError
from mpota.body import close, readinto
from mpota.update import OPENING, done, tell
from ota_files import Damaged, Hash, kind
from ota_updater import HOME, buffer, log, use

_PIECE = const(16384)  # bytes: a larger file that is compressed is in pieces, see pieces.py
_GAP = const(6144)  # bytes that cost less than a request: 2 KB of headers, and as much as comes in a round trip


class Fetch:
    """The download of the files of a manifest that have their bit set in `todo`, see Plan.missing: `total` bytes."""

    def __init__(self, net, manifest, todo, total):
        self.net, self._manifest, self._todo, self._total = net, manifest, todo, total
        self.pack = self._manifest.header.get("pack")
        self.bio = self.stream = None  # see inflate.py
        self.whole = self.parts = self.single = False  # see ranges.py
        self.asked = ()

    def run(self):
        """In steps: fill new/ with the files to come. Raises OtaError; what is there by then is kept."""
        self.at = None  # the next byte of the pack, or of the asset, on the open connection
        self.until = 0  # where what comes in there ends
        self._before = 0  # bytes of the files that have come
        # What is fetched lies in runs; those after the one that comes in. A second reading of the manifest runs
        # ahead of the first: that takes no memory, however many there are.
        self.spans, self.runs = [], self._find()
        for number, e in self._manifest.files(self._todo):
            if e or not number & 7:
                yield 0
            for attempt in range(self.net.config.retries if e else 0):
                try:
                    yield from self._one(number, e)
                    break
                except (HttpError, Damaged) as x:
                    use("mpota.ranges").doubt(self, x)
                    done("ranges")
                    close(self.net)
                    if attempt + 1 == self.net.config.retries:
                        raise
                    log("W", "%s" % x if isinstance(x, Damaged) else "%s: %s" % (e["path"], x))
                    self.net.urls.pop(self.pack and self.pack["asset"], None)
                    yield from use("mpota.pause").pause(attempt, x)
                    done("pause")
        self.stream = None  # what comes next needs the memory

    def _find(self):
        """The runs of the pack to fetch: (from, to). Between two files there may be what is not needed, if that costs
        less than a request of its own. None, for others to have their turn."""
        begin = end = None
        for number, x in self._manifest.files(self._todo):
            if not number & 7:
                yield None
            if not x or not x["length"]:
                continue
            if begin is None:
                begin = x["offset"]
            elif x["offset"] - end > _GAP:
                yield begin, end
                begin = x["offset"]
            end = x["offset"] + x["length"]
        if end:
            yield begin, end

    # --- one file ---

    def open(self, e, start, end=None):
        """In steps: have the bytes of a file from `start` on come in (of a pack perhaps to `end` only). What
        that needs is gone again before anything is unpacked."""
        at = self._from + start
        if self.at is None or end or not self.at <= at < self.until:
            self.at = self.stream = None
            done("inflate")
            yield 0
            came = False
            while not came:
                lines = yield from use("mpota.ranges").ask(self, e, at, end and self._from + end)
                name = use("mpota.ranges").name(self, e)[0]
                done("ranges")
                if lines is None:
                    break
                yield from use("mpota.source").open(self.net, name, lines)
                done(*OPENING)
                came = yield from use("mpota.ranges").opened(self, e, at)
                done("ranges")
        b = buffer()
        while self.at < at:  # what is not needed in between
            yield 0 if self.read(b[: min(len(b), at - self.at)], False) else 2

    def read(self, b, tells=True):
        """Some bytes of the body, at least one; None where none have come yet. `tells` CONFIG's progress."""
        left = self.until - self.at
        n = readinto(self.net, b[:left] if left < len(b) else b) if left else 0
        if n == 0:
            self.whole = True  # its ranges are not what they are said to be
            raise HttpError("shorter than promised")
        if n:
            self.at += n
            if tells:
                come = self._before + self.at - self._from
                tell(self.net.config.told, "progress", come, self._total, self.path)
        return n

    def _one(self, number, e):
        """In steps: write one file to new/, checked to the byte."""
        path = HOME + "new/%d" % number
        self.path, self._from = e["path"], e.get("offset", 0)
        size = e["size"]
        length = e.get("length", size)
        have = os.stat(path)[6] if kind(path) else 0
        self.h, self.got = Hash(), 0
        try:
            with open(path, "r+b" if 0 < have < size else "wb") as f:
                if size and not length:
                    raise Damaged("nothing of it is in the pack")
                if length == size:
                    yield from self.kept(f, have if have < size else 0)
                    if size:
                        yield from self.open(e, self.got)
                        yield from self.stored(f, size)
                elif size <= _PIECE:
                    yield from self.open(e, 0)
                    yield from use("mpota.inflate").inflate(self, f, length, size)
                else:
                    yield from use("mpota.pieces").fetch(self, f, e, have)
            if self.h.hex() != e[Hash.key]:
                raise Damaged("not what the manifest says")
        except Damaged as x:
            os.remove(path)  # or the next try would go on behind what is wrong
            raise Damaged("%s: %s" % (x, e["path"]))
        self._before += length
        log("I", "got %s, %d bytes" % (e["path"], size))

    def kept(self, f, have):
        """In steps: go on behind the first `have` bytes, which an earlier try has written."""
        b = buffer()
        while self.got < have:
            n = f.readinto(b[: min(len(b), have - self.got)])
            if not n:
                break
            self.h.update(b[:n])
            self.got += n
            yield 0
        f.seek(self.got)

    def write(self, f, data):
        f.write(data)
        self.h.update(data)
        before, self.got = self.got, self.got + len(data)
        if before // _PIECE != self.got // _PIECE:
            f.flush()  # LittleFS keeps nothing of an open file over a power cut

    def stored(self, f, end):
        b = buffer()
        while self.got < end:
            n = self.read(b[: min(len(b), end - self.got)])
            if n:
                self.write(f, b[:n])
            yield 0 if n else 2
