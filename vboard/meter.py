"""Prints the counters of a board's flash for each phase of an update: for `cargo xtask bench`.

A phase begins with the import of a module: the option `phases` is {module: name of the phase}. After a phase "=NAME"
only phases with "=" begin until the boot ends, see enter(). A line of counters is printed when a phase begins and when
a boot ends; the cost of a phase is the difference between two lines. The option `profile` adds, for each phase, which
files were opened, how many bytes were read and written, and how often functions of `os` and json.loads() were called.
"""

import micropython
from flash import BOOTS, ERASES, PROGRAMMED, READ, READS, UNIT


def tell(flash, name):
    n = flash.n
    counts = (n[BOOTS], n[ERASES], n[PROGRAMMED] * UNIT, n[READS], n[READ] * UNIT)
    print("board: phase %s boot=%d erases=%d programmed=%d reads=%d read=%d" % ((name,) + counts))


def watch(flash, opts, modules):
    """Watch imports from now on. `modules`: see standins.modules."""
    import builtins

    really = __import__  # as an attribute of builtins it would be the firmware's own
    table, state = opts["phases"], [""]
    flush = profile(flash, modules) if opts.get("profile") else None

    def enter(name):
        phase = table[name]
        # mpota.proof imports the modules of all phases, but runs none of them.
        if phase == state[0] or (state[0][:1] == "=" and phase[:1] != "="):
            return
        if flush:
            flush(state[0])
        state[0] = phase
        tell(flash, phase.lstrip("="))

    # It must not use a global: see standins.offer.
    @micropython.native
    def noted(name, a=None, b=None, names=None, level=0):
        if name in table:
            enter(name)
        return really(name, a, b, names, level)

    builtins.__import__ = noted
    if flush:
        machine = modules["machine"]
        for ending in ("reset", "deepsleep"):
            setattr(machine, ending, _after(flush, state, getattr(machine, ending)))


def _after(flush, state, ending):
    def call(*args):
        flush(state[0])
        ending(*args)

    return call


def profile(flash, modules):
    """Count opened files, bytes read and written, calls of `os` and of json.loads() from now on. Returns a function that
    prints the counts since its last call under the name of a phase."""
    import builtins
    import io
    import json
    import os
    from standins import Module, names_of

    counts = {}

    def add(key, n):
        counts[key] = counts.get(key, 0) + n

    class File(io.IOBase):
        def __init__(self, f, kind):
            self.f, self.kind = f, kind
            for name in ("seek", "flush", "tell"):
                setattr(self, name, getattr(f, name, None))

        def _got(self, data):
            add("read " + self.kind, len(data))
            return data

        def read(self, *n):
            return self._got(self.f.read(*n))

        def readline(self, *n):
            return self._got(self.f.readline(*n))

        def readinto(self, b):
            n = self.f.readinto(b)
            add("read " + self.kind, n or 0)
            return n

        def write(self, data):
            add("written " + self.kind, len(data))
            return self.f.write(data)

        def close(self):
            self.f.close()

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.f.close()

        def __iter__(self):
            return self

        def __next__(self):
            return self._got(next(self.f))

    really_open = open

    def opened(path, mode="r", *more):
        kind = ("w:" if "w" in mode or "+" in mode or "a" in mode else "r:") + sort(path)
        f = really_open(path, mode, *more)
        add("opened " + kind, 1)
        return File(f, kind)

    def counted(what, call):
        def wrapper(*args, **kw):
            add(what, 1)
            return call(*args, **kw)

        return wrapper

    builtins.open = opened
    for module, calls in ((os, ("stat", "statvfs", "ilistdir", "mkdir", "rmdir", "remove", "rename")), (json, ("loads",))):
        names = names_of(module)
        for k in calls:
            names[k] = counted("called %s.%s" % (module.__name__, k), names[k])
        modules[module.__name__] = Module(module.__name__, **names)

    def flush(phase):
        for key in sorted(counts):
            print("board: profile %s: %s %d" % (phase.lstrip("=") or "start", key, counts[key]))
        counts.clear()

    return flush


def sort(path):
    """The name of a path in the profile: one for all staged files and backups, one for all files of the app."""
    path = path.lstrip("/")
    if path[:5] != ".ota/":
        return path if path in ("version.json",) else "app/*"
    name = path[path.rfind("/") + 1 :]
    if name.lstrip("r").isdigit():
        name = "N"
    return path[: path.rfind("/") + 1] + name
