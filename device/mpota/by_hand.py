"""mpota: what a person has copied over the installed release. The sizes tell most of it, and cost little at
each look; a repair compares the hashes."""

import os
import ota_updater
from mpota.manifest import Manifest
from ota_files import kind
from ota_updater import HOME, ROOT, log


def look(version):
    """In steps: say which files are not as the release brought them, once in a start; status() has it too."""
    named, n, twin = "", 0, ""
    for e in Manifest(HOME + "manifest.json") if kind(HOME + "manifest.json") else ():
        yield 0
        path = e["path"]
        if twin and twin != path:  # the release has both, where it is the next one
            named, n = named or twin, n + 1
        twin = path[:-4] + ".py" if path[-4:] == ".mpy" and kind(ROOT + path[:-4] + ".py") else ""
        if "keep" not in e and (kind(ROOT + path) != 0x8000 or os.stat(ROOT + path)[6] != e["size"]):
            named, n = named or path, n + 1
    if twin:
        named, n = named or twin, n + 1
    if n > 1:
        named = "%s and %d more" % (named, n - 1)
    if named and named != getattr(ota_updater, "changed", ""):
        log("W", "%s: not as in %s, changed by hand? repair in CONFIG puts it back" % (named, version))
    ota_updater.changed = named
