"""mpota: compares what lies on the flash with the manifest, by hash, and writes the plan of the swap
(spec/journal.md). One pass goes through the old and the new manifest side by side."""

import json
import os
from mpota.check import sort_key
from mpota.update import done
from ota_files import Hash, hashing, kind
from ota_updater import HOME, ROOT, OtaError, log, use


def _next(it):
    """The next of an iterator, or None: next() takes no default before MicroPython 1.25."""
    for x in it:
        return x


class Plan:
    """After make(): `todo`, a bit for each file of the manifest that changes; `missing`, for each that is not
    in new/ yet; `bytes` to download."""

    copies = None  # whether moves are copies, see ota_moves: set by who has made it

    def __init__(self, manifest, old, config):
        """`old`: the manifest of the installed release, None where that is not known."""
        self.manifest, self._old = manifest, old
        self._repair = config.record["repair"]
        # Without its file of keys a board would take no release any more.
        self._stay = "boot.py main.py".split() + [config.keys_file]
        self.todo, self.had, self.missing = bytearray(), bytearray(), bytearray()
        self.changes = self.bytes = self.blocks = self.small = self.aside = 0
        self.gone = []  # directories that have to make way for files
        self.late = self._hides = None
        stat = os.statvfs(ROOT)
        self.block = stat[1] or stat[0]

    def _installed(self):
        """(key, entry) of every file of the installed release, in order; nothing where it is unknown."""
        for e in self._old or ():
            yield sort_key(e["path"]), e

    def make(self):
        """In steps: write new/plan. True where anything has to change. Raises OtaError where it cannot be done."""
        self.updater = None
        self._rom = use("mpota.rom") if kind("/rom") else None
        old = self._installed()
        o = _next(old)
        number = self._saved = 0
        self._removed = b""  # key of a removed file that stands where a directory has to be
        with open(HOME + "new/plan", "wb") as out:
            self.out = out
            for e in self.manifest:
                key, was = sort_key(e["path"]), None
                while o and o[0] < key:
                    if key.startswith(o[0] + b"\0") and "keep" not in o[1]:
                        self._removed = o[0]
                    yield from self._remove(o[1])
                    o = _next(old)
                if self._hides and sort_key(self._hides) <= key:
                    yield from self._unhide(e["path"])
                if o and o[0] == key:
                    if o[1]["path"] == e["path"] or self.copies:
                        was = o[1]
                    else:  # only the letter case differs; to FAT it is one file
                        yield from self._remove(o[1])
                    o = _next(old)
                yield from self._compare(number, e, was)
                number += 1
            while o:
                yield from self._remove(o[1])
                o = _next(old)
            if self._hides:
                yield from self._unhide("")
            drops = (yield from self.updater.finish()) if self.updater else ()
            for folder in self.gone:
                self.line("rmdir", folder)
            self.manifest.check = None  # its hash says that what is read from now on is the same
            done("check", "rules")  # sort_key too
            yield from use("mpota.puts").write(self)
            for path in drops:
                self.line("drop", path)
            if self.late:
                self.line(*self.late)
        self.grow(os.stat(HOME + "new/plan")[6])  # its copy
        return self.changes

    def line(self, *op):
        """One step of the plan."""
        self.out.write(json.dumps(list(op)) + "\n")
        self.changes += 1

    def grow(self, size):
        """`size` bytes more will lie on the flash for a while."""
        if size > 128 or self.copies:
            self.blocks += 1 + size // self.block
        self.small += 32 + (size if size <= 128 else 0)  # LittleFS keeps its entry, and a small file, in the folder

    def save(self, path, h, n=None):
        """A file that is replaced or removed: keep it in old/. True where it is missing afterwards.

        Nothing is moved out of a folder that has boot.py or the updater in it. A cut between the two
        halves of such a move makes LittleFS hide the next file of the folder until the first write:
        here that could be boot.py, and then nothing would ever write."""
        if n is None:
            n = "r%d" % self._saved
            self._saved += 1
        size = os.stat(ROOT + path)[6]
        if self.copies or path[: path.rfind("/") + 1] in ("", "lib/"):
            self.line("copy", path, n, h)
            self.grow(size)
            return False
        self.line("save", path, n, h)
        self.small += 32 + (size if size <= 512 else 0)
        return True

    def _put_aside(self, path, h, was, what):
        """A file goes: where it is not what was installed, and no update was cut, its owner has changed it."""
        if self._old and h != "?" and not self._repair and (not was or was[Hash.key] != h):
            use("mpota.aside").note(self, path, what)

    def _unhide(self, path):
        """In steps: what an import would take before a file of the release must go; `path` comes next in that."""
        hides, self._hides = self._hides, None
        if hides != path:
            yield from self._remove({"path": hides, Hash.key: ""})

    def _remove(self, e):
        path = e["path"]
        if path == self._hides:
            self._hides = None
        yield 0
        h = yield from hashing(ROOT + path)
        if h is None or (self._ours(path) and self.updater.takes_over(path)) or "keep" in e:
            return
        if path in self._stay:
            log("W", "kept, though the release does not have it: " + path)
        else:
            self._put_aside(path, h, e, "removed")
            if h == "?" or not self.save(path, h):  # corrupt: nothing that could be put back
                self.line("drop", path)

    def _compare(self, number, e, was):
        path = e["path"]
        if not number & 7:
            self.todo.append(0)
            self.had.append(0)
            self.missing.append(0)
        yield 0
        ours = self._ours(path) and self.updater.look(path)
        if not ours and path[-4:] == ".mpy" and kind(ROOT + path[:-3] + "py") == 0x8000:
            self._hides = path[:-3] + "py"
        if self._rom:
            self._rom.look(path)
        self._parents(path)
        there = kind(ROOT + path)
        if there and "keep" in e and not ours:
            return there == 0x4000 and log("W", "kept, a folder in the place of a file: " + path)
        if there == 0x4000:
            yield from self._make_way(path)
        h = (yield from hashing(ROOT + path)) if there == 0x8000 else None
        if h == e[Hash.key]:
            return
        bit = 1 << (number & 7)
        self.todo[number >> 3] |= bit
        if not (yield from _staged(number, e)):
            self.missing[number >> 3] |= bit
            self.bytes += e.get("length", e["size"])
            self.grow(e["size"])
        guard = ours and self.updater.changes(path)
        if h is not None:
            self.had[number >> 3] |= bit
            if not ours:
                self._put_aside(path, h, was, "replaced")
            if path != "boot.py" and h != "?" and not guard:
                self.save(path, h, str(number))

    def _ours(self, path):
        """Whether the path may be one of the updater's own; parts.py knows, and is loaded for it."""
        name = path[4:] if path[:4] == "lib/" else path
        if name[:4] != "ota_" and name[:5] != "mpota":
            return False
        if not self.updater:
            self.updater = use("mpota.parts").Updater(self)
        return True

    def _parents(self, path):
        """No parent may be a file, but for one of the old release that is removed."""
        i = path.find("/")
        while i > 0:
            if kind(ROOT + path[:i]) == 0x8000 and sort_key(path[:i]) != self._removed:
                raise OtaError("%s is a file on the board, and a directory in the release" % path[:i])
            i = path.find("/", i + 1)

    def _make_way(self, path):
        """In steps: a directory stands where a file has to be. Fine if nothing but removed files is in it."""
        ours = []
        for _, e in self._installed():
            if e["path"].startswith(path + "/") and "keep" not in e:
                ours.append(e["path"])
            yield 0

        def walk(folder):
            for e in os.ilistdir(ROOT + folder):
                p = folder + "/" + e[0]
                if e[1] == 0x4000:
                    walk(p)
                elif p not in ours:
                    raise OtaError("%s is a directory on the board, with %s in it, and a file in the release" % (path, p))
            self.gone.append(folder)

        walk(path)


def _staged(i, e):
    """In steps: whether file `i` of the manifest lies in new/ already, whole."""
    path = HOME + "new/%d" % i
    if kind(path) != 0x8000 or os.stat(path)[6] != e["size"]:
        return False
    return (yield from hashing(path)) == e[Hash.key]
