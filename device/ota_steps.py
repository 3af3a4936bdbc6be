"""mpota, the steps of a plan, forward and back (spec/journal.md).

Every step can be taken again after it was taken: what lies there is told by its hash, never by "the
file exists". So whatever a power cut leaves, going through the plan once more ends the same way.
"""

import os
from ota_files import Damaged, file_hash, kind
from ota_moves import copies, copy
from ota_plan import move, steps
from ota_updater import HOME, ROOT, log


def fits(op, path, n="", h="", *_):
    """Whether what this step needs lies there, in its old place or its new one."""
    if op in ("save", "copy", "agent"):
        return file_hash(ROOT + path) == h or file_hash(HOME + "old/" + n) == h
    if op == "put":
        return file_hash(HOME + "new/" + n) == h or file_hash(ROOT + path) == h
    if op == "late":
        return h in (file_hash(HOME + "new/" + n), file_hash(HOME + "new/boot.py"), file_hash(ROOT + path))
    if op == "rmdir" and kind(ROOT + path) == 0x4000:
        # The app may have put something there since.
        ours = [s[1] for s in steps() if s[0] in ("save", "drop", "rmdir") and s[1].startswith(path + "/")]
        return all([path + "/" + e[0] in ours for e in os.ilistdir(ROOT + path)])
    return True


def safe_copy(src, dst, want):
    """Copy a file in such a way that under its name there is never a part of it."""
    if copies():
        return move(src, dst, want)
    part = HOME + "old/part"
    copy(src, part)
    if file_hash(part) != want:
        raise OSError(5)
    os.rename(part, dst)


def _backup(op, path, old, h):
    if file_hash(old) == h:
        return False
    if file_hash(path) != h:
        raise Damaged("changed before the swap: " + path)
    if op == "save":
        os.rename(path, old)
    elif op == "agent":
        safe_copy(path, old, h)
    else:
        copy(path, old)
        if file_hash(old) != h:
            raise OSError(5)
    return True


def _put(new, path, h):
    if file_hash(path) == h:
        return False
    if file_hash(new) != h:
        raise Damaged("damaged after staging: " + path)
    move(new, path, h)
    return True


def _owners(path, had):
    """Whether a file that is kept (`had` is 2) has come here since the plan was made. An empty one may
    be what a power cut on FAT has left of ours."""
    there = kind(path) if had == 2 else 0
    return there == 0x4000 or (there and os.stat(path)[6] > 0)


def do(op, path, n="", h="", had=1):
    """Take one step, unless it was taken. True where something changed."""
    name, path = path, ROOT + path
    if op in ("save", "copy", "agent"):
        return _backup(op, path, HOME + "old/" + n, h)
    if op == "put":
        return not _owners(path, had) and _put(HOME + "new/" + n, path, h)
    if op == "late":  # the old boot.py guards the trial, see ota_trial
        return file_hash(path) != h and _put(HOME + "new/" + n, HOME + "new/boot.py", h)
    if op == "drop" and kind(path) == 0x8000:
        os.remove(path)
    elif op == "mkdir" and kind(path) != 0x4000:
        os.mkdir(path)
    elif op == "rmdir" and kind(path) == 0x4000:  # rmdir() of LittleFS removes files too
        os.rmdir(path)
    elif op not in ("drop", "mkdir", "rmdir"):
        raise Damaged("unknown step for %s: %s" % (name, op))
    else:
        return False
    return True


def undo(op, path, n="", h="", had=1):
    """Take one step back. 0: it was not needed, 1: done, 2: that cannot be done any more."""
    path = ROOT + path
    if op in ("save", "copy", "agent"):
        if file_hash(path) == h:
            return 0
        old = HOME + "old/" + n
        if file_hash(old) != h:
            return 2
        # The updater's copies stay: this one may be running from there.
        (safe_copy if op == "agent" else move)(old, path, h)
    elif op == "put" and had != 1 and kind(path) == 0x8000:
        if _owners(path, had) and file_hash(path) not in (h, "?"):
            log("I", "kept, it was changed during the trial: " + path)
            return 0
        os.remove(path)
    elif op == "mkdir" and kind(path) == 0x4000:
        try:
            os.rmdir(path)
        except OSError as e:  # the app put something in it: that stays
            log("I", "kept %s: %s" % (path, e))
            return 0
    elif op == "rmdir" and not kind(path):
        os.mkdir(path)
    else:
        return 0
    return 1
