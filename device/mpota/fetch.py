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


class Fetch:
    """The download of the files of a manifest that have their bit set in `todo`, see Plan.missing: `total` bytes."""

    def __init__(self, net, manifest, todo, total):
        self.net, self._manifest, self._todo, self._total = net, manifest, todo, total
        self.pack = self._manifest.header.get("pack")
        self.bio = None  # see inflate.py

    def run(self):
        """In steps: fill new/ with the files to come. Raises OtaError; what is there by then is kept."""
        self.at = None  # the next byte of the pack, or of the asset, on the open connection
        self._before = 0  # bytes of the files that have come
        self._ahead, self._ahead_number, self._end = iter(self._manifest), -1, 0
        number = 0
        for e in self._manifest:
            yield 0
            if self._needed(number):
                for attempt in range(self.net.config.retries):
                    try:
                        yield from self._one(number, e)
                        break
                    except (HttpError, Damaged) as x:
                        self.at = None
                        close(self.net)
                        if attempt + 1 == self.net.config.retries:
                            raise
                        log("W", "%s" % x if isinstance(x, Damaged) else "%s: %s" % (e["path"], x))
                        self.net.urls.pop(self.pack and self.pack["asset"], None)
                        yield from use("mpota.pause").pause(attempt, x)
                        done("pause")
            number += 1

    def _needed(self, number):
        return self._todo[number >> 3] & 1 << (number & 7)

    def _stretch(self, number, e):
        """Where the files to fetch that lie behind one another in the pack, from this one on, end. A
        second reading of the manifest runs ahead of the first: that takes no memory, however many."""
        if e["offset"] < self._end:
            return self._end
        for x in self._ahead:
            self._ahead_number += 1
            if self._ahead_number > number and x["length"] and not self._needed(self._ahead_number):
                break
            yield 0
            self._end = x["offset"] + x["length"]
        return self._end

    # --- one file ---

    def open(self, number, e, start, end=None):
        """In steps: have the bytes of a file from `start` on come in (of a pack perhaps to `end` only). What
        that needs is gone again before anything is unpacked."""
        at = self._from + start
        if not self.pack:
            name, end = e["asset"], e["size"] if start else None
        elif self.at != at or end:
            name = self.pack["asset"]
            end = self._from + end if end else (yield from self._stretch(number, e))
        else:
            return
        done("inflate")
        use("mpota.source")
        yield 0
        yield from use("mpota.source").open(self.net, name, at, end)
        done(*OPENING)
        self.at = at

    def read(self, b, tells=True):
        """Some bytes of the body, at least one; None where none have come yet. `tells` CONFIG's progress."""
        n = readinto(self.net, b)
        if n == 0:
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
                if length == size:
                    yield from self.kept(f, have if have < size else 0)
                    if size:
                        yield from self.open(number, e, self.got)
                        yield from self.stored(f, size)
                elif size <= _PIECE:
                    yield from self.open(number, e, 0)
                    yield from use("mpota.inflate").inflate(self, f, length, size)
                else:
                    yield from use("mpota.pieces").fetch(self, f, number, e, have)
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
