"""One boot of a board, or one test file, on an interpreter that is no board: MicroPython's
WebAssembly build (run.mjs starts it) or its plain Unix port.

Options, a JSON object in the environment (FIRMWARE):
  do        "boot": boot as the firmware does, and say by the exit code how that ended; "test": run
            the file `file`; "version": print what this interpreter is
  folder    of the host: the board's files (Unix port)
  hide      names of modules, or of what is in them, that this firmware does not have
  tls       what the firmware has for TLS: None, "1.21", "1.22", "1.23" (WebAssembly only), "cbc" (Unix
            port only): cipher suites of CBC and no others

What a board has and the interpreter has not stands in standins.py, and is seen by everybody who
imports it: the app, and the updater, which empties sys.modules and takes entries off sys.path
while it imports its own modules. So an import statement is where it is put in.
"""

import builtins
import json
import os
import sys

import standins
from standins import REPL, SOFT

DIR = 0x4000


def exists(path):
    try:
        os.stat(path)
        return True
    except OSError:
        return False


def on_path(name):
    """Whether a file of this name is found before a module of the firmware: as on a board, where
    the modules that an app may extend are looked for on sys.path first."""
    name = name.replace(".", "/")
    for folder in sys.path:
        if folder != ".frozen":
            path = folder + "/" + name if folder else name
            if exists(path) or exists(path + ".py") or exists(path + ".mpy"):
                return True
    return False


def take_over(doubles):
    """From now on an import of one of these names gives the double, or ImportError where it is None."""
    real = builtins.__import__

    def hooked(name, scope=None, names=None, wanted=None, level=0):
        if name in doubles and not level and not on_path(name):
            if doubles[name] is None:
                raise ImportError("no module named '%s'" % name)
            return doubles[name]
        return real(name, scope, names, wanted, level)

    builtins.__import__ = hooked


def forget(root):
    """Leave nothing of this behind that code of the board could find."""
    for name in list(sys.modules):
        if name != "__main__":
            del sys.modules[name]
    sys.path[:] = ["", ".frozen", root + "/lib"]
    del sys.argv[:]


def run(path):
    scope = __import__("__main__").__dict__
    with open(path) as f:
        code = compile(f.read(), path, "exec")
    exec(code, scope)


def boot(end, root, report=sys.print_exception):
    scope = __import__("__main__").__dict__
    scope.clear()
    scope["__name__"] = "__main__"
    forget(root)
    # An exception out of boot.py skips main.py, as on esp32 and rp2.
    for name in ("boot.py", "main.py"):
        try:
            if exists(name):
                run(name)
        except SystemExit:
            end(SOFT)
        except BaseException as e:
            report(e)
            break
    end(REPL)


def test(file):
    """A test says how it went by sys.exit()."""
    sys.path[:] = ["", ".frozen", "/lib"]
    code = 1
    try:
        run(file)
        code = 0
    except SystemExit as e:
        code = e.args[0] if e.args and e.args[0] is not None else 0
    except BaseException as e:
        sys.print_exception(e)
    return code


def word():
    bits, n = 0, sys.maxsize
    while n:
        bits, n = bits + 1, n >> 1
    return bits + 1


def main():
    options, end, root = standins.host()
    if options["do"] == "version":
        mpy = getattr(sys.implementation, "_mpy", 0)
        print("firmware", word(), mpy, sys.version.split("; ", 1)[-1])
        end(0)
    take_over(standins.modules(options, end))
    if options["do"] == "boot":
        boot(end, root)
    end(test(options["file"]))
