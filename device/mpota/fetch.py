"""mpota: the download. Fills new/ with the files that change, checked to the byte. What is there by
the time that the connection, the power or a watchdog ends it stays, and the next try goes on inside
of a file: at most a piece of 16 KB comes twice."""

import gc
import os
from io import BytesIO
from micropython import const
from mpota import HttpError, Refused
from mpota.http import close, readinto
from mpota.manifest import staged
from mpota.source import open as open_asset
from ota_files import Damaged, Hash, buffer, kind
from ota_updater import HOME, log, use

try:
    from deflate import DeflateIO, ZLIB
except ImportError:
    DeflateIO = None

_PIECE = const(16384)  # bytes: a larger file that is compressed is in pieces, see pieces.py


class Fetch:
    """The download of the files of a manifest that have their bit set in `todo`, see Plan."""

    def __init__(self, net, manifest, todo):
        self.net, self.manifest, self.todo = net, manifest, todo
        self.pack = self.manifest.header.get("pack")
        self.bio = BytesIO()

    def run(self):
        """Fill new/ with the files to come. Raises OtaError; what is there by then is kept."""
        self.at = None  # the next byte of the pack on the open connection
        self.ahead, self.ahead_number, self.end = iter(self.manifest), -1, 0
        number = 0
        for e in self.manifest:
            if self._needed(number, e):
                for attempt in range(self.net.config.retries):
                    try:
                        self._one(number, e)
                        break
                    except (HttpError, Damaged) as x:
                        self.at = None
                        close(self.net)
                        if attempt + 1 == self.net.config.retries:
                            raise
                        log("W", "%s" % x if isinstance(x, Damaged) else "%s: %s" % (e["path"], x))
                        self.net.urls.pop(self.pack and self.pack["asset"], None)
                        use("mpota.pause").pause(attempt, x)
            number += 1

    def _needed(self, number, e):
        return self.todo[number >> 3] & 1 << (number & 7) and not staged(number, e)

    def _stretch(self, number, e):
        """Where the files to fetch that lie behind one another in the pack, from this one on, end. A
        second reading of the manifest runs ahead of the first: that takes no memory, however many."""
        if e["offset"] < self.end:
            return self.end
        for x in self.ahead:
            self.ahead_number += 1
            if self.ahead_number > number and x["length"] and not self._needed(self.ahead_number, x):
                break
            self.end = x["offset"] + x["length"]
        return self.end

    # --- one file ---

    def open(self, number, e, start):
        """Have the bytes of a file from `start` on come in."""
        if not self.pack:
            open_asset(self.net, e["asset"], start, e["size"] if start else None)
            return
        at = e["offset"] + start
        if self.at != at:
            open_asset(self.net, self.pack["asset"], at, self._stretch(number, e))
            self.at = at

    def read(self, b):
        """Some bytes of the body, at least one."""
        n = readinto(self.net, b)
        if not n:
            raise HttpError("shorter than promised")
        if self.at is not None:
            self.at += n
        return n

    def _one(self, number, e):
        """Write one file to new/, checked to the byte."""
        path = HOME + "new/%d" % number
        size = e["size"]
        length = e.get("length", size)
        have = os.stat(path)[6] if kind(path) else 0
        self.h, self.got = Hash(), 0
        try:
            with open(path, "r+b" if 0 < have < size else "wb") as f:
                if length == size:
                    self.kept(f, have if have < size else 0)
                    if size:
                        self.open(number, e, self.got)
                        self.stored(f, size)
                elif size <= _PIECE:
                    self.open(number, e, 0)
                    self.inflate(f, length, size)
                else:
                    use("mpota.pieces").fetch(self, f, number, e, have)
            if self.h.hex() != e[Hash.key]:
                raise Damaged("not what the manifest says")
        except Damaged as x:
            os.remove(path)  # or the next try would go on behind what is wrong
            raise Damaged("%s: %s" % (x, e["path"]))
        log("I", "got %s, %d bytes" % (e["path"], size))

    def kept(self, f, have):
        """Go on behind the first `have` bytes, which an earlier try has written."""
        b = buffer()
        while self.got < have:
            n = f.readinto(b[: min(len(b), have - self.got)])
            if not n:
                break
            self.h.update(b[:n])
            self.got += n
        f.seek(self.got)

    def _write(self, f, data):
        f.write(data)
        self.h.update(data)
        before, self.got = self.got, self.got + len(data)
        if before // _PIECE != self.got // _PIECE:
            f.flush()  # LittleFS keeps nothing of an open file over a power cut

    def stored(self, f, end):
        b = buffer()
        while self.got < end:
            n = self.read(b[: min(len(b), end - self.got)])
            self._write(f, b[:n])

    def inflate(self, f, left, end):
        """Write a zlib stream of `left` bytes, which gives the file up to byte `end`.

        DeflateIO asks its source for each byte by itself. From a BytesIO it has them without a call
        into Python each, so there are always enough of them there: 96 bytes take 180 at most, and
        the tables before them 300."""
        out, feed = buffer()[:96], buffer()[96:736]
        bio, stream = self.bio, None
        size = used = 0
        while self.got < end:
            if stream:
                used = bio.tell()
            if left and size - used < 480:
                size -= used
                bio.readinto(feed[:size])
                while left and size < len(feed):
                    n = self.read(feed[size : size + min(left, len(feed) - size)])
                    size += n
                    left -= n
                bio.seek(0)
                bio.write(feed[:size])
                bio.seek(0)
            try:
                stream = stream or _deflate(bio, feed)
                n = stream.readinto(out[: min(len(out), end - self.got)])
            except (OSError, EOFError, ValueError):
                n = 0
            if not n:
                raise Damaged("it does not unpack")
            self._write(f, out[:n])
        while left:
            left -= self.read(feed[: min(left, len(feed))])


def _deflate(bio, head):
    # A window of over 4 KB or a preset dictionary: not in our format, and not in our memory.
    if head[0] & 15 != 8 or head[0] >> 4 > 4 or head[1] & 32:
        raise Damaged("compressed in a way that is not allowed")
    if not DeflateIO:
        raise Refused("this firmware cannot unpack: build the release with --no-compress")
    gc.collect()  # it takes 1.3 KB and the window, each in one piece
    return DeflateIO(bio, ZLIB)
