"""mpota: the updater as a part of a release. It is one thing, with one home, known by the names of its
modules and not by their paths: .py for .mpy and root for lib/ are replacements, with a backup of all.

The guard and what it needs (ota_*) are copied to .ota/old before anything is exchanged, the guard last:
from then on boot.py starts that one, until the new one has proved itself (ota_trial).
"""

import os
from mpota import Refused
from ota_files import hashing, kind
from ota_updater import ROOT, log, place

# The guard and what it needs; a test compares them with the files. The package `mpota` has all else.
NAMES = (
    "ota_aio ota_app ota_cause ota_due ota_fail ota_files ota_firmware ota_journal ota_keep ota_main ota_moves ota_over"
    " ota_plan ota_rescue ota_steps ota_swap ota_trial ota_updater"
).split()
_ROOTS = ("", "lib/")


def _module(name):
    """The name that an import has for a file or folder, or None."""
    i = name.rfind(".")
    return name if i < 0 else name[:i] if name[i:] in (".py", ".mpy") else None


def _split(path):
    """(folder, name of the module, rest) where the path is at a root of the imports, else Nones."""
    folder = "lib/" if path[:4] == "lib/" else ""
    parts = path[len(folder) :].split("/", 1)
    if folder == "" and parts[0] == "lib":
        return None, None, None
    return folder, _module(parts[0]), len(parts) > 1


def _name(path):
    """The module that a file of ours is, whatever its folder and its form: mpota/http."""
    folder, module, _ = _split(path)
    return module if module in NAMES else _module(path[len(folder) :]) or path


def _ours(module):
    return module == "mpota" or module in NAMES


class Updater:
    """What a Plan asks of each path, and what it has to add at the end."""

    def __init__(self, plan):
        self.plan = plan
        home = place[len(ROOT) : place.rfind("/") + 1]
        # None: in the firmware, frozen or in ROMFS.
        self.home = home if home in _ROOTS and kind(place) else None
        self._paths = []  # of the updater's files in the release
        self._old = []  # of those that only the installed release has
        self._changed = False

    def look(self, path):
        """Whether this file of the release is one of the updater's; Refused where it would be in its way."""
        folder, module, inside = _split(path)
        if not _ours(module):
            return False
        self._paths.append(path)
        if kind(ROOT + folder + module) == 0x4000 and not inside:
            raise Refused("%s is a folder, and in the way of the updater" % (folder + module))
        return True

    def changes(self, path):
        """Told of each file that will be another one. Whether it is of the guard or what it needs: those
        have a backup of their own."""
        _, module, inside = _split(path)
        if module not in NAMES or inside:
            return False
        self._changed = True
        return True

    def takes_over(self, path):
        """Whether it is finish() that decides on this file, which the release does not have."""
        if not _ours(_split(path)[1]):
            return False
        self._old.append(path)
        return True

    def finish(self):
        """In steps: check that the release has the updater whole or not at all; plan its backup. Returns what is
        to be removed at the end."""
        if not self._paths:
            for path in self._old:
                log("W", "kept, though the release does not have it: " + path)
            return ()
        names = self._check_whole()
        drops = []
        more = self._old + self._other_forms()
        more += [p for p in self._left_behind() if p not in more]
        # The guard comes last, as its presence makes boot.py take what lies in old/.
        home = [self.home + e for e in sorted([e[0] for e in os.ilistdir((ROOT + self.home).rstrip("/") or "/")])]
        home = [p for p in home if _module(p[len(self.home) :]) in NAMES and kind(ROOT + p) == 0x8000]
        lost = {_name(p) for p in more + home} - set(names)
        if lost:  # perhaps not by mistake; the trial has to load all that an update needs
            log("W", "the updater of the release does without " + ", ".join(sorted(lost)))
        if self._changed or [p for p in more + home if _split(p)[1] in NAMES and p not in self._paths]:
            for path in home:
                yield from self._backup(path, drops)
        for path in more:
            if path not in drops and kind(ROOT + path) == 0x8000:
                h = yield from hashing(ROOT + path)
                if not self.plan.save(path, h):
                    drops.append(path)
        return drops

    def _check_whole(self):
        """Refuse a part of an updater, and two of them. The names of its modules."""
        if self.home is None:
            raise Refused("the updater is a part of the firmware here: a release cannot bring another")
        first, seen = self._paths[0], {}
        for path in self._paths:
            other = seen.get(_name(path))
            if other:
                raise Refused("%s and %s are one module of the updater: a release holds it once" % (other, path))
            seen[_name(path)] = path
        for path in self._paths:
            if _split(path)[0] != _split(first)[0]:
                raise Refused("%s and %s are of the updater, which has to be in one folder" % (first, path))
        for name in ("ota_updater", "ota_swap", "mpota/__init__"):
            if name not in seen:
                raise Refused("%s is of the updater, and the release has no %s: it holds all of it or none" % (first, name))
        return seen

    def _backup(self, path, drops):
        h = yield from hashing(ROOT + path)
        self.plan.line("agent", path, path.split("/")[-1], h)
        self.plan.grow(os.stat(ROOT + path)[6])
        if path not in self._paths:
            drops.append(path)

    def _left_behind(self):
        """What the package at home has and the release does not put there. It goes, as the package is one
        thing: a module that the new one only finds because it lies there would hide that it is missing."""
        folder = self.home + "mpota"
        if kind(ROOT + folder) != 0x4000:
            return []
        there = [folder + "/" + e[0] for e in os.ilistdir(ROOT + folder)]
        return [p for p in there if p not in self._paths and kind(ROOT + p) == 0x8000]

    def _other_forms(self):
        """What lies beside a module of the release in the other form: a .py is taken before a .mpy."""
        out = []
        for path in self._paths:
            other = path[:-4] + ".py" if path[-4:] == ".mpy" else path[:-3] + ".mpy"
            if other not in self._paths and other not in self._old and kind(ROOT + other) == 0x8000:
                out.append(other)
        return out
