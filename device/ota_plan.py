"""mpota: what has to change. Compares a checked manifest with what lies on the flash, and writes
the plan of the swap (spec/journal.md)."""

import json
import os
from ota_manifest import Manifest, sort_key
from ota_updater import HOME, ROOT, OtaError, copies, file_hash, kind, log, record, refresh

_GUARD = "boot.py"
_AGENT = ("ota_updater.py", "ota_updater.mpy")


def _agent(path):
    return path.split("/")[-1] in _AGENT


def hash_key():
    """Which of a file's hashes this firmware can check."""
    try:
        from hashlib import sha256

        return "sha256" if sha256 else "crc32"
    except ImportError:
        return "crc32"


def staged(number, e):
    """Whether file `number` of the manifest lies in new/ already, whole."""
    path = HOME + "new/%d" % number
    return kind(path) == 0x8000 and os.stat(path)[6] == e["size"] and file_hash(path) == e[hash_key()]


class Plan:
    """After make(): `todo`, a bit for each file of the manifest that changes; `bytes` to download."""

    def __init__(self, manifest, keys=None):
        """`keys`: the file with the trusted keys, without which no release would be taken any more."""
        self.manifest = manifest
        self.stay = (_GUARD, "main.py", keys)
        self.hash_key = hash_key()
        import ota_updater

        mine = getattr(ota_updater, "__file__", "")
        self.home = mine[len(ROOT) : mine.rfind("/") + 1] if mine.startswith(ROOT) else mine[: mine.rfind("/") + 1]
        self.todo = bytearray(manifest.count // 8 + 1)
        self.had = bytearray(manifest.count // 8 + 1)
        self.changes = self.bytes = 0

    def _installed(self):
        """(key, path) of every file of the installed release, in order; nothing where it is unknown."""
        if self.known:
            for e in Manifest(HOME + "manifest.json"):
                yield sort_key(e["path"]), e["path"]

    def _know(self):
        """Whether the manifest of the installed release is whole, so that its files can be removed."""
        path = HOME + "manifest.json"
        version = record()["version"]
        for _ in range(3):
            try:
                for _ in Manifest(path) if version or kind(path) else ():
                    pass
                return bool(version or kind(path))
            except (OtaError, OSError) as e:
                why = e
                refresh()
        log("W", "the manifest of %s is damaged, nothing is removed: %s" % (version, why))
        return False

    def make(self):
        """Write new/plan. True where anything has to change. Raises OtaError where it cannot be done."""
        self.gone = []  # directories that have to make way for files
        self.drops = []  # what is removed last
        self.late = None
        self.blocks = 0
        stat = os.statvfs(ROOT)
        self.block = stat[1] or stat[0]
        has_agent = False
        self.known = self._know()
        old = self._installed()
        o = next(old, None)
        number = saved = 0
        removed = set()  # keys of removed files that stand where a directory has to be
        with open(HOME + "new/plan", "wb") as out:
            self.out = out
            for e in self.manifest:
                path, key = e["path"], sort_key(e["path"])
                has_agent = has_agent or _agent(path)
                while o and o[0] < key:
                    if key.startswith(o[0] + b"\0"):
                        removed.add(o[0])
                    self._remove(o[1], "r%d" % saved, has_agent)
                    saved += 1
                    o = next(old, None)
                if o and o[0] == key:
                    if o[1] != path and not copies():  # only the letter case differs; to FAT it is one file
                        self._remove(o[1], "r%d" % saved, has_agent)
                        saved += 1
                    o = next(old, None)
                self._compare(number, e, key, removed)
                number += 1
            while o:
                self._remove(o[1], "r%d" % saved, has_agent)
                saved += 1
                o = next(old, None)
            for folder in self.gone:
                self._line("rmdir", folder)
            self._puts()
            for path in self.drops:
                self._line("drop", path)
            if self.late:
                self._line(*self.late)
        return self.changes

    def _line(self, *op):
        self.out.write(json.dumps(list(op)) + "\n")
        self.changes += 1

    def _fixed(self, path):
        """Whether nothing may be moved out of this file's folder. A cut between the two halves of
        such a move makes LittleFS hide the next file of the folder until the first write: here that
        could be boot.py or the updater, and then nothing would ever write."""
        folder = path[: path.rfind("/") + 1]
        return folder in ("", "lib/", self.home)

    def _save(self, path, n, h, stays):
        """A file that is replaced or removed. `stays`: it must not be missing, not for one write."""
        if stays or copies() or self._fixed(path):
            self._line("copy", path, n, h)
            self.blocks += 1 + os.stat(ROOT + path)[6] // self.block
        else:
            self._line("save", path, n, h)

    def _remove(self, path, n, has_agent):
        h = file_hash(ROOT + path)
        if h is None:
            return
        if path in self.stay or (_agent(path) and not has_agent):
            log("W", "kept, though the release does not have it: " + path)
            return
        if h == "?":  # nothing that could be put back
            self._line("drop", path)
        elif _agent(path):
            self._save(path, path.split("/")[-1], h, True)
            self.drops.append(path)
        else:
            self._save(path, n, h, False)
            if copies() or self._fixed(path):
                self._line("drop", path)

    def _compare(self, number, e, key, removed):
        path = e["path"]
        i = path.find("/")
        while i > 0:  # a parent that is a file, and not one of the old release
            if kind(ROOT + path[:i]) == 0x8000 and sort_key(path[:i]) not in removed:
                raise OtaError("%s is a file on the board, and a directory in the release" % path[:i])
            i = path.find("/", i + 1)
        there = kind(ROOT + path)
        if there == 0x4000:
            self._make_way(path)
        h = file_hash(ROOT + path) if there == 0x8000 else None
        if h == e[self.hash_key]:
            return
        bit = 1 << (number & 7)
        self.todo[number >> 3] |= bit
        if not staged(number, e):
            self.bytes += e.get("length", e["size"])
            self.blocks += 1 + e["size"] // self.block
        if h is not None:
            self.had[number >> 3] |= bit
            if path != _GUARD and h != "?":
                base = path.split("/")[-1]
                n = base if _agent(path) else str(number)
                self._save(path, n, h, path == "main.py" or _agent(path))

    def _make_way(self, path):
        """A directory stands where a file has to be: fine if nothing but removed files is in it."""
        ours = [p for _, p in self._installed() if p.startswith(path + "/")]

        def walk(folder):
            for e in os.ilistdir(ROOT + folder):
                p = folder + "/" + e[0]
                if e[1] == 0x4000:
                    walk(p)
                elif p not in ours:
                    raise OtaError("%s is a directory on the board, with %s in it, and a file in the release" % (path, p))
            self.gone.append(folder)

        walk(path)

    def _puts(self):
        number, made = 0, ""
        for e in self.manifest:
            path = e["path"]
            if self.todo[number >> 3] & 1 << (number & 7):
                i = path.find("/")
                while i > 0:
                    folder = path[:i]
                    there = kind(ROOT + folder) == 0x4000 and folder not in self.gone
                    if not there and not (made + "/").startswith(folder + "/"):
                        self._line("mkdir", folder)
                        self.blocks += 2
                        made = folder
                    i = path.find("/", i + 1)
                had = 1 if self.had[number >> 3] & 1 << (number & 7) else 0
                op = ("put", path, str(number), e[self.hash_key], had)
                if path == _GUARD:
                    self.late = ("late",) + op[1:4]
                else:
                    self._line(*op)
            number += 1

    def check_space(self):
        """Raise OtaError unless there is room, before anything big is written."""
        stat = os.statvfs(ROOT)
        free = stat[3] * self.block
        need = (self.blocks + 7) * self.block
        if free < need:
            raise OtaError("%d KB of flash needed, %d KB free" % (need >> 10, free >> 10))
