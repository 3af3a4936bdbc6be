"""A MicroPython board on the host: a real interpreter over a real file system on a flash in memory.

    VBOARD=OPTIONS micropython -c "import sys; sys.path.insert(0, 'vboard'); import vboard; vboard.main()"

OPTIONS is a JSON object (MicroPython takes no argument of over 255 bytes): {"image": host file, "fs": see flash.make, "size": bytes, "do": what}, and
what `do` needs. Every boot is a process of its own, forked from an interpreter that has not run any
of the board's code: nothing is left over from the boot before but the flash.

do "format": a new file system with the files below the host's folder `from`
do "run":    start it (`start`: by what, see ports.STARTS; "power" if not said); boot as the firmware
             does, again after each reset, until the board sits at the
             REPL, has slept `sleeps` times, lost its power, or has booted `boots` times (with
             `at_rest`: or has slept once after a boot that wrote nothing)
do "wire":   the same, and at the REPL run what comes by the standard input: see wire.py
do "tree":   print size, hash and path of every file
do "put", "get", "remove": the file `path`, from or to the host's file `host`
"""

import binascii
import ffi
import hashlib
import json
import os
import sys
import time
import vfs
from array import array

import flash as flashes
import standins
import wire
from wire import SOFT_RAW
from ports import STARTS, WAKE, WATCHDOG
from ports import RESET as BY_RESET, SOFT as BY_SOFT
from standins import RESET, SOFT, REPL, CUT, SLEEP, DEAD, BITTEN

_libc = ffi.open(None)
_fork = _libc.func("i", "fork", "")
_waitpid = _libc.func("i", "waitpid", "ipi")
_kill = _libc.func("i", "kill", "ii")
_exit = _libc.func("v", "_exit", "i")
_getpid = _libc.func("i", "getpid", "")

NAMES = {RESET: "reset", SOFT: "soft reset", REPL: "at the REPL", CUT: "power lost", SLEEP: "deep sleep"}
NAMES.update({DEAD: "flash does not mount", BITTEN: "watchdog", SOFT_RAW: "soft reset", 17: "unplugged", 1: "crashed"})
# What starts the next boot, by how the one before it has ended.
NEXT = {RESET: BY_RESET, SOFT: BY_SOFT, SOFT_RAW: BY_SOFT, SLEEP: WAKE, BITTEN: WATCHDOG}


def pour(f, g):
    data = f.read(1024)
    while data:
        g.write(data)
        data = f.read(1024)


class Board:
    def __init__(self, opts):
        self.opts = opts
        self.raw = False
        self.size = opts.get("size", 1 << 20)
        self.memory = flashes.mapped(opts.get("image"), self.size)
        self.dev, self.mkfs, self.fs = flashes.make(self.memory, opts.get("fs", "lfs"), opts)
        self.host = vfs.VfsPosix("/")
        # Imported only when needed: it takes the board's heap.
        self.meter = __import__("meter") if opts.get("phases") else None

    def mount(self):
        """The board's flash as the root; the host's files are out of sight from then on."""
        fs = self.fs(self.dev)
        vfs.umount("/")
        vfs.mount(fs, "/")

    def child(self, work):
        """Run work() in a process of its own and return its exit code."""
        pid = _fork()
        if pid == 0:
            code = 1
            try:
                code = work() or 0
            except BaseException as e:
                sys.print_exception(e)
            _exit(code)
        return self.wait(pid)

    def wait(self, pid):
        st = array("i", [0])
        limit = time.ticks_add(time.ticks_ms(), self.opts.get("limit_ms", 60000))
        nap = 50
        while _waitpid(pid, st, 1) == 0:
            now = time.ticks_ms()
            code = 0
            if standins.bitten(self.dev, pid):
                code = BITTEN
            elif time.ticks_diff(now, limit) > 0:
                code = 17
            if code:
                _kill(pid, 9)
                _waitpid(pid, st, 0)
                return code
            time.sleep_us(nap)
            nap = min(nap + nap // 4, 2000)
        return st[0] >> 8 & 0xFF if not st[0] & 0x7F else 1

    def boot(self):
        """One boot, until the board resets, sleeps, or sits at the REPL. Never returns."""
        try:
            self.mount()
        except OSError as e:
            print("board: flash does not mount:", e)
            return DEAD
        sys.path[:] = [".frozen"]  # what the stand-ins are made from is not of the board's files
        modules = standins.modules(self.dev, self.opts, self.probe)
        standins.offer(modules)
        if self.meter:
            self.meter.watch(self.dev, self.opts, modules)
        wired = self.opts.get("do") == "wire"
        for name in ("vboard", "wire", "flash", "standins", "meter", "ports", "powercut", "cutter", "faults"):
            sys.modules.pop(name, None)
        sys.path[:] = ["", ".frozen", "/lib"]
        del sys.argv[:]
        scope = __import__("__main__").__dict__
        scope.clear()
        scope["__name__"] = "__main__"
        if wired:
            wire.tell("pid %d" % _getpid())  # from here on it may be interrupted
        # An exception out of boot.py skips main.py, as on esp32 and rp2.
        for name in ("boot.py", "main.py")[: 1 if self.raw else 2]:
            try:
                try:
                    os.stat(name)
                except OSError:
                    continue
                execfile(name, scope)
            except SystemExit:
                return SOFT
            except BaseException as e:
                sys.print_exception(e)
                break
        if wired:
            return wire.serve(scope)
        n, now = self.dev.n, time.ticks_ms()
        wait = self.opts.get("repl_ms", 3000)
        if n[flashes.WDT_ON]:  # it bites at the REPL too, unless a timer feeds it
            wait = max(wait, ((n[flashes.WDT_AT] - now) & 0x3FFFFFFF) + 1000)
        until = time.ticks_add(now, wait)
        while (standins.Timer.running or n[flashes.WDT_ON]) and time.ticks_diff(until, time.ticks_ms()) > 0:
            time.sleep_ms(5)  # timers run while the REPL waits
        return REPL

    def probe(self):
        """What an app of the tests calls when it starts."""

    def run(self):
        n, quiet = self.dev.n, self.opts.get("quiet")
        began = time.ticks_us()
        n[flashes.STARTED] = n[flashes.BEFORE] = STARTS.index(self.opts.get("start", "power"))
        while True:
            if n[flashes.STARTED] != BY_SOFT:
                n[flashes.WDT_ON] = 0  # nothing less than a reset stops it
                n[flashes.BEFORE] = n[flashes.STARTED]
            n[flashes.BOOTS] += 1
            writes = n[flashes.WRITES]
            code = self.child(self.boot)
            self.raw = code == SOFT_RAW  # the firmware runs no main.py then
            if self.meter:
                self.meter.tell(self.dev, "end")
            if not quiet:
                print("board:", NAMES.get(code, code))
            if code not in NEXT:
                break
            n[flashes.STARTED] = NEXT[code]
            if code == SLEEP and n[flashes.SLEEPS] >= self.opts.get("sleeps", 1):
                break
            if code == SLEEP and self.opts.get("at_rest") and writes == n[flashes.WRITES]:
                break  # a boot that wrote nothing: the next one is the same
            if n[flashes.BOOTS] >= self.opts.get("boots", 20):
                break
        n[flashes.WDT_ON] = 0
        self.us = time.ticks_diff(time.ticks_us(), began)
        return code

    def format(self, folder):
        self.mkfs(self.dev)

        def work():
            self.mount()
            self.copy_in(folder, "")

        if self.child(work):
            raise OSError("cannot fill the flash")

    def copy_in(self, host, path):
        for e in self.host.ilistdir(host):
            src, dst = host + "/" + e[0], path + "/" + e[0]
            if e[1] == 0x4000:
                os.mkdir(dst)
                self.copy_in(src, dst)
            else:
                self.copy_file(src, dst)

    def copy_file(self, src, dst):
        with self.host.open(src, "rb") as f, open(dst, "wb") as g:
            pour(f, g)

    def copy_out(self, src, dst):
        with open(src, "rb") as f, self.host.open(dst, "wb") as g:
            pour(f, g)

    def tree(self, path=""):
        for e in sorted(os.ilistdir(path or "/")):
            p = path + "/" + e[0]
            if e[1] == 0x4000:
                print("dir", p)
                self.tree(p)
            else:
                sha, size = hashlib.sha256(), 0
                with open(p, "rb") as f:
                    while True:
                        data = f.read(1024)
                        if not data:
                            break
                        sha.update(data)
                        size += len(data)
                print(size, str(binascii.hexlify(sha.digest()), "ascii"), p)

    def mounted(self, call, *args):
        def work():
            self.mount()
            call(*args)

        return self.child(work)


def main():
    opts = json.loads(os.getenv("VBOARD"))
    board = Board(opts)
    do = opts["do"]
    if do == "format":
        board.format(opts["from"])
        code = 0
    elif do in ("run", "wire"):
        code = board.run()
        n = board.dev.n
        end = "board: end %d boots=%d writes=%d reads=%d us=%d erases=%d programmed=%d read=%d"
        bytes_of = flashes.UNIT
        print(end % (code, n[5], n[0], n[1], board.us, n[14], n[15] * bytes_of, n[16] * bytes_of))
        code = 0
    elif do == "tree":
        code = board.mounted(board.tree)
    elif do == "put":
        code = board.mounted(board.copy_file, opts["host"], opts["path"])
    elif do == "get":
        code = board.mounted(board.copy_out, opts["path"], opts["host"])
    elif do == "remove":
        code = board.mounted(os.remove, opts["path"])
    else:
        raise ValueError("do what? " + do)
    sys.exit(code)
