"""Says what a board does to its flash, by the phases of an update: for `cargo xtask bench`.

A phase begins when a module is imported: the option `phases` has {module: name of the phase}. A phase named "=..."
is the last one of a boot that names others, see enter(). At each beginning and at each end of a boot a line of the
counters is printed; what one phase has cost is the difference of two lines. With the option `profile` a second line
says which files were opened in the phase before, how many bytes were read of each, and how often a text was parsed
as JSON.
"""

import micropython
from flash import BOOTS, ERASES, PROGRAMMED, READ, READS, UNIT


def tell(flash, name):
    n = flash.n
    counts = (n[BOOTS], n[ERASES], n[PROGRAMMED] * UNIT, n[READS], n[READ] * UNIT)
    print("board: phase %s boot=%d erases=%d programmed=%d reads=%d read=%d" % ((name,) + counts))


def watch(flash, opts, modules):
    """From now on imports are watched. `modules`: what the board's firmware offers, see standins.modules."""
    import builtins

    really = __import__  # as an attribute of builtins it would be the firmware's own
    table, state = opts["phases"], [""]
    flush = profile(flash, modules) if opts.get("profile") else None

    def enter(name):
        phase = table[name]
        # proof.py loads all the phases, and begins none of them.
        if phase == state[0] or (state[0][:1] == "=" and phase[:1] != "="):
            return
        if flush:
            flush(state[0])
        state[0] = phase
        tell(flash, phase.lstrip("="))

    # See standins.offer: it has to name no global.
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
    """Count from now on: files opened, bytes read and written by the calls of Python code, calls of `os`, texts
    parsed as JSON. Returns a function that prints what was counted since its last call, under a phase's name."""
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
    """A path as the profile has it: one name for all files that differ in a number, or that are the app's."""
    path = path.lstrip("/")
    if path[:5] != ".ota/":
        return path if path in ("version.json",) else "app/*"
    name = path[path.rfind("/") + 1 :]
    if name.lstrip("r").isdigit():
        name = "N"
    return path[: path.rfind("/") + 1] + name
