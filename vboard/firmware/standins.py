"""What a board has and the interpreter has not, or has otherwise: machine, network, and on
WebAssembly sockets, TLS, and the firmware's own modules where it has Python's in their place."""

import json
import os
import sys

RESET, SOFT, REPL, SLEEP = 10, 11, 12, 14
WEB = sys.platform == "webassembly"


class Module:
    """A module of the firmware, made of values; None is a name that this firmware lacks."""

    def __init__(self, name, **names):
        self.__name__ = name
        for k in names:
            setattr(self, k, names[k])


def host():
    """(options, end(code), root): end() does not return; `root` is the board's own folder, "" where
    that is the root of the file system."""
    if WEB:
        import _host

        return json.loads(_host.options()), _host.end, ""
    import ffi

    options = json.loads(os.getenv("FIRMWARE"))
    # The board's folder stays a folder, as /flash is on some ports: with a folder of the host for
    # its root VfsPosix renames every absolute path to itself.
    root = options.get("folder", "")
    if root:
        os.chdir(root)
    # SystemExit would not do: whoever guards an app may catch it.
    return options, ffi.open(None).func("v", "_exit", "i"), root


class Timer:
    """It is there and never due: an interpreter without interrupts has no better one. That a hang
    is ended by it is tried on the virtual board."""

    ONE_SHOT, PERIODIC = 0, 1

    def __init__(self, id=-1, **kw):
        pass

    def init(self, **kw):
        pass

    def deinit(self):
        pass


class WLAN:
    def __init__(self, interface=0):
        pass

    def active(self, on=None):
        return True

    def connect(self, *args, **kw):
        pass

    def isconnected(self):
        return True


def names_of(module):
    return {k: getattr(module, k) for k in dir(module) if k[:2] != "__"}


def firmware():
    """The modules that are C on a board, and in this build Python's with other exceptions or
    without a part. The C ones are there too, under the names that they had once."""
    found = {}
    for name in ("binascii", "io", "os", "struct", "time"):
        found[name] = __import__("u" + name)
    import random

    def urandom(n):
        return bytes([random.getrandbits(8) for _ in range(n)])

    names = names_of(found["os"])
    names["urandom"] = urandom
    found["os"] = Module("os", **names)
    return found


def cbc_only():
    """The interpreter's TLS, with no other cipher suites than Mbed TLS has where a port adds nothing."""
    import tls

    class SSLContext:
        def __init__(self, protocol):
            self.real = tls.SSLContext(protocol)
            self.real.set_ciphers([name for name in self.real.get_ciphers() if "-CBC-" in name])

        def load_verify_locations(self, der):
            self.real.load_verify_locations(der)

        def wrap_socket(self, sock, **kw):
            self.real.verify_mode = self.verify_mode
            return self.real.wrap_socket(sock, **kw)

    names = names_of(tls)
    names["SSLContext"] = SSLContext
    return Module("tls", **names)


def modules(options, end):
    """{name: module, or None for one that is not there} for a board with these options."""
    sleep = lambda ms=0: end(SLEEP)

    def soft_reset():
        raise SystemExit

    machine = Module(
        "machine",
        reset=lambda: end(RESET),
        soft_reset=soft_reset,
        deepsleep=sleep,
        unique_id=lambda: b"firmware",
        idle=lambda: None,
        reset_cause=lambda: 1,
        freq=lambda *a: 125000000,
    )
    hide = options.get("hide", ())
    if "Timer" not in hide:
        machine.Timer = Timer
    doubles = {"machine": machine, "network": Module("network", WLAN=WLAN, STA_IF=0)}
    if WEB:
        import sockets

        doubles.update(firmware())
        doubles.update(sockets.modules(options.get("tls")))
    elif options.get("tls") == "cbc":
        doubles["tls"] = cbc_only()
    for name in hide:
        if name != "Timer":
            doubles[name] = None
    return doubles
