"""mpota: files that were changed on the board since they were installed, and that an update takes away.
A copy of each lies in .ota/kept until the next update."""

import json
import os
from ota_files import kind
from ota_updater import HOME, ROOT, log, use

_LIST = HOME + "new/aside"


def note(plan, path, what):
    """Have the file at `path` copied, once it is known that there is room; `what` becomes of it."""
    with open(_LIST, "ab" if plan.aside else "wb") as f:
        f.write(json.dumps([path, what]) + "\n")
    plan.aside += 1
    plan.grow(os.stat(ROOT + path)[6])


def put():
    """In steps: copy the files that were noted."""
    if not kind(HOME + "kept"):
        os.mkdir(HOME + "kept")
    number = 0
    with open(_LIST, "rb") as f:
        for line in f:
            path, what = json.loads(line)
            name = "kept/%d-%s" % (number, path[path.rfind("/") + 1 :])
            yield from use("ota_moves").copying(ROOT + path, HOME + name)
            log("W", "%s was changed on the board, and is %s; a copy is .ota/%s until the next update" % (path, what, name))
            number += 1
    os.remove(_LIST)
