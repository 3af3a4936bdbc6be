"""The flash of the virtual board: a block device in memory that lives on outside of the
interpreter, counts what is done to it, and can lose its power or fail at any one step.

The memory is mapped from a host file, so that it is not part of the heap the board has,
is seen by every process forked from this one, and is still there after the process was killed.
"""

import ffi
import micropython
import time
import uctypes

_libc = ffi.open(None)
_mmap = _libc.func("p", "mmap", "pLiiil")
_open = _libc.func("i", "open", "sii")
_ftruncate = _libc.func("i", "ftruncate", "iL")
_close = _libc.func("i", "close", "i")
_exit = _libc.func("v", "_exit", "i")
_usleep = _libc.func("i", "usleep", "I")

CUT = 13  # exit code of a board that lost its power
SYNC = 0xFFFFFFFF  # in a log, as an address: the file system waits until all is written

# Counters, shared by all processes: see Flash.__init__. STARTED, BEFORE: see ports.machine. PROGRAMMED and READ
# count units of UNIT bytes: a count of bytes may become too large for a small integer, and take the board's heap.
WRITES, READS, ERRORS, WDT_ON, WDT_AT, BOOTS, SLEEPS, PROBES, CALLS, SWALLOWED, STARTED, BEFORE, TOOK, HELD = range(14)
ERASES, PROGRAMMED, READ = range(14, 17)
UNIT = 128


def mapped(path, size):
    """`size` bytes of the host's file `path`, or of nothing, as a bytearray outside of the heap."""
    fd, flags = -1, 0x21  # MAP_SHARED | MAP_ANONYMOUS
    if path:
        fd = _open(path, 0x42, 0o644)  # O_RDWR | O_CREAT
        if fd < 0 or _ftruncate(fd, size):
            raise OSError("cannot make " + path)
        flags = 1
    at = _mmap(None, size, 3, flags, fd, 0)
    if fd >= 0:
        _close(fd)
    return uctypes.bytearray_at(at, size)


class Flash:
    """A block device with erase and program (LittleFS); see vfs.AbstractBlockDev.

    Counts every erase and every program as one write. With `cut` = n the power goes at the n-th
    write (from 1): of a program only the first `torn` bytes are written, an erase is not done
    (`torn` 0) or is half done. `fail_write`, `fail_read` = n: the n-th such call gives `errno`,
    just once (or from then on, with `keep_failing`). `fail_call`: see standins.count_calls.
    `erase_us`, `program_us`: how long an erase of a block, and a program of at most 256 bytes, takes;
    nothing else of the board runs meanwhile. `hash_us`: how long it takes to hash a KB. TOOK has
    the sum of all these, which is a clock that no other program of the host disturbs; with `flash_clock` it is
    the only one that they are told, and nobody waits.
    """

    def __init__(self, memory, block, opts):
        self.mv = memoryview(memory)
        self.block = block
        self.count = len(memory) // block
        raw = mapped(None, 4096)
        self.n = uctypes.struct(uctypes.addressof(raw), {"v": (uctypes.ARRAY | 0, uctypes.UINT32 | 32)}).v
        self.arm(opts)
        self.log = None

    def arm(self, opts):
        get = opts.get
        self.cut, self.torn = get("cut", 0), get("torn", 0)
        self.fail_write, self.fail_read = get("fail_write", 0), get("fail_read", 0)
        self.errno, self.keep = get("errno", 5), get("keep_failing", False)
        self.fail_call = get("fail_call", 0)
        self.erase_us, self.program_us = get("erase_us", 0), get("program_us", 0)
        self.waits = not get("flash_clock", False)

    def _write(self, at, data):
        """One step of writing, `data` None: erase. Returns a negative errno where it fails."""
        n = self.n[WRITES] + 1
        self.n[WRITES] = n
        if n == self.cut:
            if data is None:
                if self.torn:
                    self._fill(at, self.block // 2)
            else:
                t = min(self.torn, len(data))
                self.mv[at : at + t] = data[:t]
            _exit(CUT)
        if self.fail_write and (n == self.fail_write or (self.keep and n > self.fail_write)):
            return self._failed()
        if self.log:
            self.log(at, data)
        if data is None:
            self.n[ERASES] += 1
            self._fill(at, self.block)
            us = self.erase_us
        else:
            self.n[PROGRAMMED] += len(data) // UNIT
            self.mv[at : at + len(data)] = data
            us = self.program_us * ((len(data) + 255) // 256)
        self.n[TOOK] += us
        began = time.ticks_us()
        while us and self.waits and time.ticks_diff(time.ticks_us(), began) < us:
            _usleep(us)  # a signal of a timer ends it early
        return 0

    def _failed(self):
        self.n[ERRORS] += 1
        print("board: fault")
        return -self.errno

    def _fill(self, at, n):
        ff = b"\xff" * 256
        for i in range(at, at + n, 256):
            self.mv[i : i + 256] = ff

    @micropython.native  # called some thousand times a boot
    def readblocks(self, block, buf, off=0):
        n = self.n[READS] + 1
        self.n[READS] = n
        if self.fail_read and (n == self.fail_read or (self.keep and n > self.fail_read)):
            return self._failed()
        self.n[READ] += len(buf) >> 7
        at = block * self.block + off
        buf[:] = self.mv[at : at + len(buf)]
        return 0

    def writeblocks(self, block, buf, off=0):
        return self._write(block * self.block + off, memoryview(buf))

    def ioctl(self, op, arg):
        if op == 4:
            return self.count
        if op == 5:
            return self.block
        if op == 6:
            return self._write(arg * self.block, None)
        if op == 3 and self.log:
            self.log(SYNC, None)
        return 0


class Sectors(Flash):
    """Sectors that are written whole or not at all (an SD card at its best): FAT on 512 bytes."""

    def writeblocks(self, block, buf):
        buf = memoryview(buf)
        for i in range(0, len(buf), self.block):
            if self.n[WRITES] + 1 == self.cut:
                self.torn = 0
            r = self._write(block * self.block + i, buf[i : i + self.block])
            if r:
                return r
        return 0

    def ioctl(self, op, arg):
        return 0 if op == 6 else Flash.ioctl(self, op, arg)


class RawSectors(Flash):
    """FAT straight on flash: every write erases a whole 4 KB block and programs it again."""

    def writeblocks(self, block, buf):
        buf = memoryview(buf)
        for i in range(0, len(buf), self.block):
            at = block * self.block + i
            r = self._write(at, None) or self._write(at, buf[i : i + self.block])
            if r:
                return r
        return 0

    def ioctl(self, op, arg):
        return 0 if op == 6 else Flash.ioctl(self, op, arg)


def make(memory, kind, opts):
    """(the device, a function that makes a file system on it, one that gives it for mounting)."""
    import vfs

    if kind == "lfs":  # as rp2 has it, but for larger reads: they are what takes the time here
        dev = Flash(memory, 4096, opts)
        return dev, vfs.VfsLfs2.mkfs, lambda d: vfs.VfsLfs2(d, progsize=256, readsize=1024)
    if kind == "lfs-small":  # a quarter of a block at a time: many commits, several blocks for any file
        dev = Flash(memory, 512, opts)
        return dev, vfs.VfsLfs2.mkfs, lambda d: vfs.VfsLfs2(d, progsize=128, readsize=128)
    if kind == "fat":
        return Sectors(memory, 512, opts), vfs.VfsFat.mkfs, vfs.VfsFat
    if kind == "fat-raw":
        return RawSectors(memory, 4096, opts), vfs.VfsFat.mkfs, vfs.VfsFat
    raise ValueError("no file system " + kind)
