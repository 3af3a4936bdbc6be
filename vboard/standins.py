"""What a board has and MicroPython's Unix port has not: machine, network, ntptime."""

import ffi
import micropython
import os
import sys
import time
from array import array

from flash import CALLS, ERRORS, SWALLOWED, WDT_ON, WDT_AT, SLEEPS, STARTED, BEFORE, TOOK, HELD

RESET, SOFT, REPL, CUT, SLEEP, DEAD, BITTEN = 10, 11, 12, 13, 14, 15, 16

# Built-in modules that a file on sys.path does not come before (MP_REGISTER_MODULE), and those that are frozen
# Python: they come where ".frozen" stands in sys.path.
FIXED = ("network", "tls", "deflate")
FROZEN = ("ntptime",)

_libc = ffi.open(None)
_exit = _libc.func("v", "_exit", "i")
_open = _libc.func("i", "open", "sii")
_read = _libc.func("i", "read", "ipi")
_close = _libc.func("i", "close", "i")
_setitimer = _libc.func("i", "setitimer", "iPP")
_signal = _libc.func("p", "signal", "iC")
_US = 1000000


class Timer:
    """machine.Timer on one interval timer of the host; callbacks run between bytecodes."""

    ONE_SHOT, PERIODIC = 0, 1
    divide = 1  # how much faster than real its time goes
    running = []

    def __init__(self, id=-1, **kw):
        self.at = None
        if kw:
            self.init(**kw)

    def init(self, mode=1, period=-1, callback=None, freq=None):
        self.deinit()
        self.mode, self.period, self.callback = mode, period, callback
        self.at = time.ticks_add(time.ticks_ms(), max(1, period // Timer.divide))
        Timer.running.append(self)
        Timer.wind()

    def deinit(self):
        if self.at is not None:
            self.at = None
            Timer.running.remove(self)
            Timer.wind()

    @staticmethod
    def wind():
        left = 0
        if Timer.running:
            now = time.ticks_ms()
            left = max(1, min(time.ticks_diff(t.at, now) for t in Timer.running))
        _setitimer(0, array("l", [0, 0, left // 1000, left % 1000 * 1000]), None)

    @staticmethod
    def fire(_):
        now = time.ticks_ms()
        for t in list(Timer.running):
            if t.at is not None and time.ticks_diff(t.at, now) <= 0:
                call = t.callback
                if t.mode == Timer.ONE_SHOT:
                    t.deinit()
                else:
                    t.at = time.ticks_add(now, max(1, t.period // Timer.divide))
                call(t)
        Timer.wind()


def _alarm(_):
    try:
        micropython.schedule(Timer.fire, None)
    except RuntimeError:  # the queue is full
        pass


class Module:
    def __init__(self, name, **names):
        self.__name__ = name
        for k in names:
            setattr(self, k, names[k])


def names_of(module):
    """{name: value} of what a module offers, for a copy of it with some exchanged."""
    return {k: getattr(module, k) for k in dir(module) if k[0] != "_"}


def offer(modules):
    """Offer these modules as firmware offers its own: a file on sys.path comes before most of them, and none
    of them is ever in sys.modules."""
    import builtins

    really = builtins.__import__

    def stand_in(name):
        """The module that an import of this name gives; None where the interpreter finds it."""
        if name not in modules:
            plain = name[1:]  # umachine is the built-in machine, whatever lies on the flash
            known = name[:1] == "u" and plain in modules and plain not in FIXED and plain not in FROZEN
            return modules[plain] if known else None
        if name in sys.modules:
            return None
        if name not in FIXED:
            for p in sys.path:
                if p == ".frozen":
                    if name in FROZEN:
                        break
                elif _there(p, name):
                    return None
            else:
                if name in FROZEN:
                    return None
        return modules[name]

    # The package that a relative import starts from is the one whose globals are in force. Native code that
    # names no global leaves those of its caller.
    @micropython.native
    def ordered(name, a=None, b=None, names=None, level=0):
        found = None if level else stand_in(name)
        if found is None:
            return really(name, a, b, names, level)
        return found

    builtins.__import__ = ordered


def _there(folder, name):
    """Whether an import of `name` would find a file or package in a folder."""
    at = folder + "/" + name if folder else name
    for path in (at, at + ".py", at + ".mpy"):
        try:
            if os.stat(path)[0] & 0x4000 or path != at:
                return True
        except OSError:
            pass
    return False


def timed_sha256(flash, us):
    """hashlib.sha256 that takes `us` for each KB, by the clock of the flash."""
    import hashlib

    class Sha256:
        def __init__(self, data=b""):
            self.real = hashlib.sha256()
            self.update(data)

        def update(self, data):
            flash.n[TOOK] += us * len(data) >> 10
            self.real.update(data)

        def digest(self):
            return self.real.digest()

    return Sha256


def count_calls(flash, out):
    """From now on calls that take memory are counted, and the `fail_call`-th raises MemoryError."""
    import builtins

    def counted(call):
        def wrapper(*args, **kw):
            n = flash.n[CALLS] + 1
            flash.n[CALLS] = n
            if n == flash.fail_call:
                flash.n[ERRORS] += 1
                print("board: fault")
                raise MemoryError("memory allocation failed")
            return call(*args, **kw)

        return wrapper

    builtins.open = counted(open)
    for name in ("os", "json", "hashlib", "socket", "deflate", "binascii"):
        names = names_of(__import__(name))
        for k in names:
            if callable(names[k]) and k != "PollType":
                names[k] = counted(names[k])
        out[name] = Module(name, **names)


def watch_calls(flash, out):
    """From now on calls of the file system are counted that went well although the flash had failed in them."""
    import builtins
    import io

    def watched(call):
        def wrapper(*args, **kw):
            before = flash.n[ERRORS]
            result = call(*args, **kw)
            if flash.n[ERRORS] != before:
                flash.n[SWALLOWED] += 1
                print("board: the file system has swallowed it")
            return result

        return wrapper

    class File(io.IOBase):
        def __init__(self, f):
            self.f = f
            for name in ("read", "readinto", "readline", "write", "seek", "flush", "close"):
                setattr(self, name, watched(getattr(f, name)))
            self.next = watched(f.__next__)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.close()

        def __iter__(self):
            return self

        def __next__(self):
            return self.next()

    really_open = watched(open)
    builtins.open = lambda *args, **kw: File(really_open(*args, **kw))
    names = names_of(os)
    for k in ("stat", "statvfs", "ilistdir", "mkdir", "rmdir", "remove", "rename"):
        names[k] = watched(names[k])
    out["os"] = Module("os", **names)


def held_us(pid="self"):
    """Microseconds that a process was ready to run, and other programs of the host were run instead of it:
    modulo 2**30, and 0 where the host does not tell. To sleep is not to be ready, and what loops runs."""
    fd = _open("/proc/%s/schedstat" % pid, 0, 0)
    if fd < 0:
        return 0
    text = bytearray(80)
    n = _read(fd, text, 80)
    _close(fd)
    return int(bytes(text[:n]).split()[1]) // 1000 & 0x3FFFFFFF if n > 0 else 0


def bitten(flash, pid="self"):
    """Whether the watchdog was not fed in time by the board, which is this process. Time is modulo 2**30 ms, and
    that in which the host had no time for the board does not count: a busy host is no fault of it."""
    late = (time.ticks_ms() - flash.n[WDT_AT]) & 0x3FFFFFFF
    if not flash.n[WDT_ON] or not 0 < late < 0x20000000:
        return False
    held = (held_us(pid) - flash.n[HELD]) & 0x3FFFFFFF
    return late > (held // 1000 if held < 0x20000000 else 0)  # a soft reset has begun anew


def watchdog(flash, timeout_of):
    """machine.WDT: it runs in real time, but for what is said in sleeps(). Nobody can stop it. That a board
    is stuck in C is no matter: vboard.Board.wait() ends the process."""

    class WDT:
        ms = 0  # there is one in the board, of whatever was asked for last

        def __init__(self, *args, **kw):
            WDT.ms = timeout_of(*args, **kw) // Timer.divide
            self.feed()

        def feed(self):
            if bitten(flash):
                _exit(BITTEN)
            flash.n[WDT_AT] = (time.ticks_ms() + WDT.ms) & 0x3FFFFFFF
            flash.n[HELD] = held_us()
            flash.n[WDT_ON] = 1

    return WDT


def sleeps(flash, divide):
    """sleep_ms() that takes a `divide`-th of its time, and is as long as it says to the watchdog. The
    watchdog's time is divided as that of the timers is, for they may feed it."""

    def sleep_ms(ms):
        if not flash.n[WDT_ON]:
            return time.sleep_ms(ms // divide)
        owed = 0  # microseconds of the watchdog's time
        while ms > 0:
            part = min(ms, 2 * divide)
            owed += part * 1000 // Timer.divide
            flash.n[WDT_AT] = (flash.n[WDT_AT] + part // divide - owed // 1000) & 0x3FFFFFFF
            owed %= 1000
            began, held = time.ticks_ms(), held_us()
            time.sleep_ms(part // divide)
            # How much longer the host has let it sleep is not the board's time either.
            more = time.ticks_diff(time.ticks_ms(), began) - part // divide
            flash.n[WDT_AT] = (flash.n[WDT_AT] + max(0, more)) & 0x3FFFFFFF
            flash.n[HELD] = (flash.n[HELD] + held_us() - held) & 0x3FFFFFFF
            if bitten(flash):
                _exit(BITTEN)
            ms -= part

    return sleep_ms


def modules(flash, opts, probe):
    """{name: module} for this board. Each process needs its own, for the signal."""
    import ports

    out = {}
    port = opts.get("port", "esp32")
    names, cause = ports.machine(port, flash.n[STARTED], flash.n[BEFORE])
    Timer.divide = opts.get("timer_divide", 1)
    callback = ffi.callback("v", _alarm, "i", lock=True)
    _signal(14, callback)

    def deepsleep(ms=0):
        flash.n[SLEEPS] += 1
        _exit(SLEEP)

    def soft_reset():
        raise SystemExit

    def settime():
        if not opts.get("wifi", True):
            raise OSError(110)

    class WLAN:
        def __init__(self, interface=0):
            pass

        def active(self, on=None):
            return True

        def connect(self, ssid=None, key=None, **kw):
            pass

        def disconnect(self):
            pass

        def isconnected(self):
            return opts.get("wifi", True)

        def status(self, *a):
            return 3 if self.isconnected() else 1

        def ifconfig(self):
            return ("127.0.0.1", "255.0.0.0", "127.0.0.1", "127.0.0.1")

    machine = Module(
        "machine",
        callback=callback,  # kept from the garbage collector
        Timer=Timer,
        WDT=watchdog(flash, ports.watchdog(port)),
        reset=lambda: _exit(RESET),
        soft_reset=soft_reset,
        deepsleep=deepsleep,
        idle=lambda: time.sleep_ms(1),
        unique_id=lambda: opts.get("unique_id", "virtual!").encode(),
        reset_cause=lambda: cause,
        freq=lambda *a: 125000000,
        held_us=held_us,
        flash_us=lambda: flash.n[TOOK],
        **names
    )
    ports.forget()
    if opts.get("no_sha256"):
        import hashlib

        out["hashlib"] = Module("hashlib", sha1=hashlib.sha1)
    if opts.get("hash_us"):
        out["hashlib"] = Module("hashlib", sha256=timed_sha256(flash, opts["hash_us"]))
    if opts.get("no_certificates"):  # TLS as of axTLS and of MicroPython before 1.22
        import tls

        class SSLContext:
            def __init__(self, protocol):
                self.real = tls.SSLContext(protocol)
                self.real.verify_mode = tls.CERT_NONE

            def wrap_socket(self, sock, **kw):
                return self.real.wrap_socket(sock, **kw)

        out["tls"] = Module("tls", SSLContext=SSLContext, PROTOCOL_TLS_CLIENT=tls.PROTOCOL_TLS_CLIENT)
    if opts.get("count_calls"):
        count_calls(flash, out)
    if opts.get("watch_calls"):
        watch_calls(flash, out)
    if not opts.get("wifi", True):  # no name is found, whether or not somebody has asked the WLAN
        if "socket" not in out:
            import socket

            out["socket"] = Module("socket", **names_of(socket))
        out["socket"].getaddrinfo = lambda *a: settime()
    if opts.get("hosts"):  # the addresses of some names, as a resolver on the network has them
        import socket

        out["socket"] = Module("socket", **names_of(socket))
        hosts, look = opts["hosts"], socket.getaddrinfo

        def answers(name, *a):
            for at in hosts.get(name, (name,)):
                if at is None:  # an address of IPv6, as ESP-IDF names one to sockets that take none
                    yield (10, 1, 0, "", None)
                else:
                    yield from look(at, *a)

        out["socket"].getaddrinfo = lambda *a: list(answers(*a))
    divide, clock = opts.get("sleep_divide", 1), opts.get("clock")
    if divide != 1 or Timer.divide != 1 or clock is not None:
        names = names_of(time)
        if divide != 1 or Timer.divide != 1:
            sleep_ms = names["sleep_ms"] = sleeps(flash, divide)
            names["sleep"] = lambda s: sleep_ms(int(s * 1000))
        if clock is not None:  # it was never set: seconds since 1970 at the start
            names["time"] = lambda: clock
            names["gmtime"] = names["localtime"] = lambda s=clock: time.gmtime(s)
        out["time"] = Module("time", **names)
    network = Module("network", WLAN=WLAN, STA_IF=0, AP_IF=1, base_url=opts.get("base_url"), probe=probe)
    out.update({"machine": machine, "network": network, "ntptime": Module("ntptime", settime=settime, host="")})
    return out
