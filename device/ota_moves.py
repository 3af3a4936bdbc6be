"""mpota, files on the board: copies of them, their removal, and room for them."""

import os
from ota_files import hashing, kind, run
from ota_updater import HOME, ROOT, buffer, log

_copies = None  # True where a move has to be a copy: FAT


def copies():
    """Whether moves are copies. FAT cannot replace by renaming: for a moment the name is gone, or two
    names share what they hold. It is told by its letter case."""
    global _copies
    if _copies is None:
        _copies = kind(ROOT + ".OTA") != 0
    return _copies


def copy(src, dst):
    run(copying(src, dst))


def copying(src, dst):
    """In steps: copy a file. LittleFS shows nothing of it until it is closed."""
    b = buffer()
    with open(src, "rb") as f, open(dst, "wb") as g:
        while True:
            n = f.readinto(b)
            if not n:
                break
            g.write(b[:n])
            yield 0


def clear(folder, but=()):
    run(clearing(folder, but))


def clearing(folder, but=()):
    """In steps: remove the files of one of our own folders; they have no folders in them. The guard goes
    first: where it lies in .ota/old, boot.py takes it, and then it needs the rest."""
    folder = HOME + folder
    if kind(folder) == 0x4000:
        for name in ("ota_updater.py", "ota_updater.mpy"):
            if kind(folder + "/" + name):
                os.remove(folder + "/" + name)
        for e in os.ilistdir(folder):
            if e[0] not in but:
                os.remove(folder + "/" + e[0])
                yield 0


def tell(version, confirmed):
    """Write version.json, for people and apps; the journal is the truth, and nothing depends on this."""
    text = '{"version": "%s", "confirmed": true}' if confirmed else '{"version": "%s", "confirmed": false}'
    text = text % version
    path = ROOT + "version.json"
    try:
        if not version:
            if kind(path):
                os.remove(path)
            return
        if kind(path):
            with open(path) as f:
                if f.read(200) == text:
                    return
        with open(path, "w") as f:
            f.write(text)
    except OSError as e:
        log("W", "version.json: %s" % e)
        if make_room(e):
            tell(version, confirmed)


def make_room(e):
    return run(making_room(e))


def making_room(e):
    """In steps: whether a write that failed with `e` may succeed now. The app on trial may have filled the
    flash: new/reserve.0 and .1 were kept for that. And LittleFS gives no block to anybody while a file lies
    there that it calls corrupt, as a write that was lost in a power cut may leave one."""
    found = False
    if not isinstance(e, OSError):
        return found
    if e.errno == 28:
        for name in ("new/reserve.0", "new/reserve.1"):
            if kind(HOME + name):
                os.remove(HOME + name)
                found = True
    if e.errno != 84:
        return found
    try:
        paths = ["version.json"]
        for folder in (".ota", ".ota/new", ".ota/old", ".ota/kept"):
            if kind(ROOT + folder):
                paths.extend([folder + "/" + x[0] for x in os.ilistdir(ROOT + folder)])
        for path in paths:
            if (yield from hashing(ROOT + path)) == "?":
                log("W", "corrupt, and so removed: " + path)
                os.remove(ROOT + path)
                found = True
    except OSError as x:
        log("E", "%r" % x)
    return found
