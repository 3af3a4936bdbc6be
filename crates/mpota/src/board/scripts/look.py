# What is on the board, a line each. Only the firmware's own modules are imported: a file of the app may have
# their names.
import sys

_path = sys.path[:]
sys.path[:] = [".frozen"]
try:
    import gc
    import os

    try:
        from hashlib import sha256
    except ImportError:
        sha256 = None
finally:
    sys.path[:] = _path


def say(*what):
    print("mpota", *what)


# The app that was interrupted may have gone to another folder.
root = getattr(sys.modules.get("ota_updater"), "ROOT", None) or os.getcwd()
if not root.endswith("/"):
    root += "/"
_buf = bytearray(512)


def digest(name):
    if not sha256:
        return "-"
    h = sha256()
    with open(root + name, "rb") as f:
        n = f.readinto(_buf)
        while n:
            h.update(memoryview(_buf)[:n])
            n = f.readinto(_buf)
    return "".join(["%02x" % b for b in h.digest()])


def hashes(*names):
    for n in names:
        try:
            say("hash", digest(n), n)
        except OSError:
            pass


def form(path):
    v = os.statvfs(path)
    return v[0], v[2], v[9]


def walk(at):
    for e in os.ilistdir(root + at if at else root):
        name = at + e[0]
        if e[1] & 0x4000:
            if not at and form(root + name) != home:
                continue  # a card, or the ROM
            say("folder", name)
            walk(name + "/")
        else:
            say("file", e[3] if len(e) > 3 else os.stat(root + name)[6], name)


def guard():
    # Whether boot.py starts the updater. Line by line: it may be long.
    try:
        with open(root + "boot.py") as f:
            for line in f:
                if line.strip().startswith("ota_updater.boot("):
                    return 1
    except (OSError, UnicodeError):
        pass
    return 0


i = sys.implementation
say("root", root)
say("version", ".".join([str(n) for n in i[1][:3]]))
say("platform", sys.platform)
say("mpy", getattr(i, "_mpy", 0))
say("build", getattr(i, "_build", ""))
say("machine", getattr(i, "_machine", ""))
say("sha256", int(sha256 is not None))
gc.collect()
say("memory", gc.mem_free())
v = os.statvfs(root)
say("flash", v[1], v[3], v[2])
home = form(root)
say("guard", guard())
walk("")
for i in (0, 1):
    try:
        with open(root + ".ota/state.%d" % i, "rb") as f:
            say("record", i, f.read(641).decode().strip())
    except (OSError, UnicodeError):
        pass
