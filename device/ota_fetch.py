"""mpota: the download. Fills new/ with the files that change, checked to the byte; what is whole
stays there, so that a broken download goes on where it stopped."""

from io import IOBase
from ota_url import HttpError, pause
from ota_plan import staged
from ota_updater import HOME, ROOT, Damaged, buffer, copy, kind, log, new_hash


class Fetch:
    """The download of what `plan` found to be different."""

    def __init__(self, plan):
        self.manifest, self.todo, self.hash_key = plan.manifest, plan.todo, plan.hash_key

    def run(self, source, tries):
        """Fill new/ with the files to come. Raises OtaError; what is whole by then is kept."""
        pack = self.manifest.header.get("pack")
        name = pack and pack["asset"]
        runs = self._runs() if pack else None
        number, run = 0, 0
        self.at = None  # the next byte of the pack on the open connection
        for e in self.manifest:
            if self.todo[number >> 3] & 1 << (number & 7) and not staged(number, e):
                while runs and e["length"] and runs[run] <= e["offset"]:
                    run += 1
                for attempt in range(tries):
                    try:
                        if not pack:
                            source.open(e["asset"])
                        elif e["length"] and self.at != e["offset"]:
                            source.open(name, e["offset"], runs[run])
                            self.at = e["offset"]
                        self._one(source.http, number, e)
                        break
                    except (HttpError, Damaged) as x:
                        self.at = None
                        source.close()
                        if attempt + 1 == tries:
                            raise
                        log("W", "%s: %s" % (e["path"], x))
                        source.urls.pop(name, None)
                        pause(attempt, x)
            number += 1

    def _runs(self):
        """Where each stretch of neighbours to fetch ends in the pack, in ascending order."""
        from array import array

        ends = array("L")
        number, last = 0, None
        for e in self.manifest:
            bit = 1 << (number & 7)
            if e["length"] and self.todo[number >> 3] & bit and not staged(number, e):
                if last == e["offset"]:
                    ends[-1] = e["offset"] + e["length"]
                else:
                    ends.append(e["offset"] + e["length"])
                last = ends[-1]
            number += 1
        return ends

    def _one(self, http, number, e):
        """Write one file to new/, out of the body at hand, checked to the byte."""
        size = e["size"]
        length = e.get("length", size)
        body = _Body(http, length)
        stream = body
        if length < size:
            from deflate import DeflateIO, ZLIB

            head = body.peek()
            # A window of over 4 KB or a preset dictionary: not in our format, and not in our memory.
            if head[0] & 15 != 8 or head[0] >> 4 > 4 or head[1] & 32:
                raise Damaged("compressed in a way that is not allowed: " + e["path"])
            stream = DeflateIO(body, ZLIB)
        sha, crc = new_hash()
        value, got = 0, 0
        b = buffer()
        with open(HOME + "new/%d" % number, "wb") as f:
            try:
                while got < size:
                    n = stream.readinto(b[: min(len(b), size - got)])
                    if not n:
                        break
                    f.write(b[:n])
                    if sha:
                        sha.update(b[:n])
                    else:
                        value = crc(b[:n], value)
                    got += n
            except (OSError, EOFError, ValueError) as x:
                if body.error:
                    raise body.error
                if stream is body or (isinstance(x, OSError) and x.errno in (5, 28)):
                    raise  # the flash
                raise Damaged("%s does not unpack: %r" % (e["path"], x))
        body.skip()
        if self.at is not None:
            self.at += length
        if sha:
            from binascii import hexlify

            value = str(hexlify(sha.digest()), "ascii")
        else:
            value = "%08x" % value
        if got != size or value != e[self.hash_key]:
            raise Damaged("not what the manifest says: " + e["path"])
        log("I", "got %s, %d bytes" % (e["path"], size))


class _Body(IOBase):
    """The next `left` bytes of a response, as a stream that DeflateIO reads."""

    def __init__(self, http, left):
        self.http, self.left = http, left
        self.head = b""
        self.error = None

    def peek(self):
        two = bytearray(2)
        n = 0
        while n < 2:
            got = self.readinto(memoryview(two)[n:])
            if not got:
                raise HttpError("%s: shorter than promised" % self.http.host)
            n += got
        self.head = bytes(two)
        return self.head

    def readinto(self, buf):
        if self.head:
            n = min(len(buf), len(self.head))
            buf[:n] = self.head[:n]
            self.head = self.head[n:]
            return n
        if not self.left:
            return 0
        try:
            n = self.http.readinto(memoryview(buf)[: min(len(buf), self.left)])
            if not n:
                raise HttpError("%s: shorter than promised" % self.http.host)
        except HttpError as e:  # DeflateIO would turn it into an OSError of its own
            self.error = e
            raise OSError(5)
        self.left -= n
        return n

    def ioctl(self, op, arg):
        return 0

    def skip(self):
        """Read over what DeflateIO did not need: the checksum behind the data."""
        b = memoryview(bytearray(8))
        while self.left:
            self.readinto(b[: min(8, self.left)])


def keep_rollback_hook(manifest):
    """The rollback hook runs when the new files are gone again: keep a copy of it beside them."""
    path = manifest.header.get("hooks", {}).get("rollback")
    if path:
        number = 0
        for e in manifest:
            if e["path"] == path:
                src = HOME + "new/%d" % number
                copy(src if kind(src) else ROOT + path, HOME + "new/rollback.py")
            number += 1
