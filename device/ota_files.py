"""mpota, files on the board: what is there, and its hash.

What takes long is done in steps: a generator that gives others their turn where it yields. Its value
says how many ms to wait. run() does all of one at once.
"""

import os
import ota_updater
from ota_updater import ROOT, OtaError, buffer, crc32 as _crc32, log

try:
    from hashlib import sha256 as _sha256
except ImportError:
    _sha256 = None


class Damaged(OtaError):
    """A file is not what the plan or the manifest says."""


def kind(path):
    """0x8000: a file, 0x4000: a directory, 0: nothing there."""
    try:
        return os.stat(path)[0] & 0xF000  # VfsPosix has the permissions in the lower bits
    except OSError as e:
        if e.errno in (2, 20):  # ENOENT, ENOTDIR; anything else is a failing flash
            return 0
        raise


def refresh():
    """Read all over the flash: LittleFS keeps what a failed read left in its cache."""
    try:
        os.statvfs(ROOT)
    except OSError:
        pass


def crc32(data, crc=0):
    """The CRC32 of zlib over `data`, where `crc` is that of what came before."""
    if _crc32:
        return _crc32(data, crc) & 0xFFFFFFFF
    crc ^= 0xFFFFFFFF
    for b in data:
        crc ^= b
        for _ in range(8):
            crc = (crc >> 1) ^ (0xEDB88320 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


class Hash:
    """SHA-256, or CRC32 on firmware without SHA-256. `key` is its name in a manifest."""

    key = "sha256" if _sha256 else "crc32"

    def __init__(self):
        self.value = _sha256() if _sha256 else 0

    def update(self, data):
        if _sha256:
            self.value.update(data)
        else:
            self.value = crc32(data, self.value)

    def hex(self):
        """In lower-case hex digits; the hash cannot go on afterwards."""
        if _sha256:
            return "".join(["%02x" % b for b in self.value.digest()])
        return "%08x" % self.value


def fed():
    """Feed the watchdog as boot() was told to. An exchange must not end because that raises."""
    feed = getattr(ota_updater, "watchdog", None)
    if feed:
        try:
            feed()
        except Exception as e:
            ota_updater.watchdog = None
            log("E", "feed: %r" % e)


def run(work):
    """Take all steps of `work`, and return what it returns."""
    while True:
        fed()
        try:
            next(work)
        except StopIteration as e:
            return e.value


def file_hash(path):
    """As hashing(), at once."""
    return run(hashing(path))


def hashing(path):
    """In steps: the hash of a file in hex; None where there is no file, "?" where the file system itself
    says that it is corrupt."""
    h = Hash()
    b = buffer()
    try:
        with open(path, "rb") as f:
            while True:
                n = f.readinto(b)
                if not n:
                    return h.hex()
                h.update(b[:n])
                yield 0
    except OSError as e:
        if e.errno in (2, 20, 21):  # ENOENT, ENOTDIR, EISDIR
            return None
        # Nobody asks what lies there unless it was read: after a failed read LittleFS may say that nothing does.
        if e.errno != 84 or kind(path) != 0x8000:  # LFS_ERR_CORRUPT: of the file, and not of its folder
            raise
        return "?"


def line(f, most):
    """A line of a file, or its first bytes where it has more than `most`. readline() takes its limit
    from the heap in one piece, whatever comes."""
    out = b""
    while len(out) <= most and out[-1:] != b"\n":
        part = f.readline(min(128, most + 1 - len(out)))
        if not part:
            break
        out += part
    return out
