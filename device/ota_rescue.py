"""mpota, the way back without a plan (spec/journal.md): both copies of it are lost, and old/ has the files
of the version before under numbers.

The new manifest tells of a number which path it was; what it does not tell is found by the hash, in the
manifest of the installed release. Nothing here needs the package `mpota`: it may be half exchanged.
"""

import json
import os
from micropython import const
from ota_files import Damaged, Hash, fed, file_hash, kind
from ota_moves import copies
from ota_plan import move
from ota_steps import safe_copy
from ota_updater import HOME, ROOT, log, place

_OLD = HOME + "old/"
_AT_ONCE = const(16)  # hashes in memory: each group of them costs a pass over the manifest


def files(name):
    """(number, path, hash, whether it is kept) of each file that a manifest names. Raises Damaged where it
    is not whole."""
    try:
        if not kind(HOME + name):
            raise ValueError("it is gone")
        with open(HOME + name, "rb") as f:
            row = f.readline(1024)
            more = row[:9] == b'{"mpota":' and row[-1:] == b"\n"
            n = 0
            while more:
                row = f.readline(512)
                fed()
                more = row[-2:] == b",\n"
                e = json.loads(row[:-2] if more else row)
                yield n, e["path"], e[Hash.key], "keep" in e
                n += 1
            if not n or f.readline(2)[:1] != b"]":
                raise ValueError("it is cut short")
    except (ValueError, KeyError, TypeError) as e:
        raise Damaged("%s: %s" % (name, e))
    except OSError as e:
        if e.errno != 84:  # LFS_ERR_CORRUPT
            raise
        raise Damaged("%s is corrupt" % name)


def back(last):
    """Put the old version back as far as it is there: (whether it is whole, whether something changed).
    With `last` an error stops nothing."""
    log("E", "the plan is lost: looking for the old files by number and hash")
    r = _Rescue(last)
    numbered = r.by_number()
    r.by_hash(numbered)
    if "/.ota/old/" in place:  # the copies of the updater are whole: the guard comes last, and it runs
        r.by_name()
    return (r.changed and not last) or r.whole(numbered), r.changed


class _Rescue:
    def __init__(self, last):
        self.last = last
        self.changed = False

    def by_number(self):
        """Put back what the new manifest has a number for. Whether all of it was read. What is not
        shorter than its copy may be the old file still, and the copy torn: the installed release has to know its hash."""
        unsure, numbered = {}, True
        try:
            for n, path, new, _ in files("new/manifest.json"):
                src = _OLD + "%d" % n
                if not kind(src):
                    continue
                there, h = file_hash(ROOT + path), file_hash(src)
                if there is None or there == new or os.stat(ROOT + path)[6] < os.stat(src)[6]:
                    self.put_back(src, path, h)
                elif there != h:
                    unsure[h + path] = src
                    if len(unsure) == _AT_ONCE:
                        unsure = self.find(unsure)
        except Damaged as e:
            log("W", "%s" % e)
            numbered = False
        self.find(unsure)
        return numbered

    def by_hash(self, numbered):
        """Put back what has a hash that the installed release names for a path. Where all numbers were
        read, only what is missing: the rest may be as the owner has changed it. On FAT it may be torn, too."""
        group = {}
        missing = numbered and not copies()
        for src in self.kept(numbered):
            group[file_hash(src)] = src
            if len(group) == _AT_ONCE:
                group = self.find(group, missing)
        self.find(group, missing)

    def kept(self, numbered):
        """The paths of what is in old/; the folder is not open meanwhile, and its names not in memory."""
        most, removed, names = -1, -1, []
        for e in os.ilistdir(_OLD[:-1]):
            name = e[0]
            if name.isdigit():
                most = max(most, int(name))
            elif name.startswith("r") and name[1:].isdigit():
                removed = max(removed, int(name[1:]))
            elif name.startswith("ota_"):
                names.append(name)
        for name in names:
            yield _OLD + name
        for form, end in (("r%d", removed), ("%d", -1 if numbered else most)):
            for n in range(end + 1):
                if kind(_OLD + form % n):
                    yield _OLD + form % n

    def find(self, group, missing=False):
        """One pass over the installed manifest, for files by their hash, or by hash and path. Returns {}."""
        try:
            for _, path, h, _ in files("manifest.json") if group else ():
                src = group.get(h + path) or group.get(h)
                if not src:
                    continue
                there = file_hash(ROOT + path)
                # The updater's own have no number.
                if there != h and not (missing and there and not src.startswith(_OLD + "ota_")):
                    self.put_back(src, path, h)
                    if h in group:  # from there it is copied, for the same content elsewhere
                        group[h] = ROOT + path
        except Damaged as e:
            log("W", "%s" % e)
        return {}

    def by_name(self):
        """The updater's own files: those of one that no release has brought are in no manifest."""
        home = "lib/" if kind(ROOT + "lib/ota_updater.py") or kind(ROOT + "lib/ota_updater.mpy") else ""
        for name in [e[0] for e in os.ilistdir(_OLD[:-1]) if e[0].startswith("ota_")]:
            h = file_hash(_OLD + name)
            if h not in (file_hash(ROOT + "lib/" + name), file_hash(ROOT + name)):
                self.put_back(_OLD + name, home + name, h)

    def put_back(self, src, path, h):
        try:
            self.make_way(path)
            # The updater's copies stay, as in undo().
            away = src.startswith(_OLD) and not src.startswith(_OLD + "ota_")
            (move if away else safe_copy)(src, ROOT + path, h)
            self.changed = True
            log("I", "put back " + path)
        except OSError as e:
            if not self.last:
                raise
            log("E", "%s not put back: %s" % (path, e))

    def make_way(self, path):
        """What has taken the place of a file, or would be imported instead of it, is of the new version:
        as that was installed the file was there, and was in use."""
        i = path.find("/")
        while i > 0:
            folder = ROOT + path[:i]
            if kind(folder) == 0x8000:
                os.remove(folder)
            if not kind(folder):
                os.mkdir(folder)
            i = path.find("/", i + 1)
        if kind(ROOT + path) == 0x8000:
            return
        _remove(path)
        stem = path[: path.rfind(".")]
        if path[len(stem) :] not in (".py", ".mpy"):
            return
        # An import looks into / first, and takes a folder before a .py, and that before a .mpy.
        hiding = [] if stem in ("boot", "main") else [stem]
        if path[-4:] == ".mpy":
            hiding.append(stem + ".py")
        if path[:4] == "lib/":
            hiding += [stem[4:], stem[4:] + ".py", stem[4:] + ".mpy"]
        for other in hiding:
            if kind(ROOT + other) and not _installed(other):
                _remove(other)

    def whole(self, numbered):
        """Whether all of the installed release lies there."""
        if not kind(HOME + "manifest.json"):
            return numbered  # there was none: nothing but what has a number was exchanged
        whole = True
        try:
            for _, path, h, kept in files("manifest.json"):
                if not kept and file_hash(ROOT + path) != h:  # a kept one is as its owner has it
                    whole = False
                    log("E", "not as it was: " + path)
        except Damaged:
            whole = False
        return whole


def _installed(path):
    """Whether the installed release has this file, or files in this folder."""
    for _, p, _, _ in files("manifest.json"):
        if p == path or p.startswith(path + "/"):
            return True
    return False


def _remove(path):
    """Remove a file, or a folder with all in it."""
    what = kind(ROOT + path)
    if what == 0x4000:
        for e in os.ilistdir(ROOT + path):
            _remove(path + "/" + e[0])
        os.rmdir(ROOT + path)
    elif what:
        os.remove(ROOT + path)
