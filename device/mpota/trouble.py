"""mpota: what it means that the flash failed in an update."""

import os
from ota_files import hashing
from ota_moves import clearing, making_room
from ota_updater import ROOT


def explain(e):
    """In steps: say what an OSError of the flash means, and make room: the running version needs it more. LittleFS
    gives no space to anybody while a corrupt file lies there."""
    bad = None
    if e.errno in (28, 84):
        try:
            yield from clearing("new")
            if not (yield from making_room(e)) and e.errno == 84:
                bad = yield from _corrupt("")
        except OSError:
            pass
    if bad:
        return "%s is corrupt, and LittleFS stores nothing while it is there: remove it" % bad
    return "no space left on the flash" if e.errno == 28 else "the flash failed: %s" % e


def _corrupt(folder):
    """The path below the root of a file that LittleFS calls corrupt, or None."""
    for e in os.ilistdir(ROOT + folder):
        path = folder + "/" + e[0] if folder else e[0]
        if e[1] == 0x4000:
            path = yield from _corrupt(path)
        elif (yield from hashing(ROOT + path)) != "?":
            path = None
        if path:
            return path
    return None
