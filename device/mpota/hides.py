"""mpota: says which files on the board come before a module of the firmware, or before the updater. The
app gets them; the updater imports past them, see ota_updater.use()."""

import os
from ota_files import kind
from ota_updater import FIRMWARE, ROOT, log, place


def say():
    for folder in ("", "lib/"):
        for e in os.ilistdir(ROOT + folder[:3]) if kind(ROOT + folder[:3]) else ():
            name = e[0]
            i = name.rfind(".")
            if i >= 0:
                name = name[:i] if name[i:] in (".py", ".mpy") else ""
            path = folder + e[0]
            if name in FIRMWARE.split():
                log("W", "%s hides the firmware's %s from the app, not from the updater" % (path, name))
            elif name in ("mpota", "ota_updater") and not place.startswith(ROOT + folder + "ota_"):
                log("W", "%s is not the updater in use, that is %s" % (path, place))
