"""mpota: files that were changed on the board since they were installed, and that an update takes away.
A copy of each lies in .ota/kept until the next update."""

import os
from ota_files import kind
from ota_moves import clear, copy
from ota_updater import HOME, ROOT, OtaError, log


def put(plan, path, what):
    """Copy the file at `path`; `what` becomes of it."""
    if not plan.aside:
        clear("kept")  # what the update before this one has put there
    if not kind(HOME + "kept"):
        os.mkdir(HOME + "kept")
    name = "kept/%d-%s" % (plan.aside, path[path.rfind("/") + 1 :])
    try:
        copy(ROOT + path, HOME + name)
    except OSError as e:
        if e.errno != 28:
            raise
        raise OtaError("no room for a copy of %s, which was changed on the board" % path)
    plan.aside += 1
    log("W", "%s was changed on the board, and is %s; a copy is .ota/%s until the next update" % (path, what, name))
