"""mpota: the end of an update: what was fetched is staged for the next start."""

from ota_files import file_hash, kind
from ota_journal import write
from ota_moves import copy
from ota_updater import HOME, ROOT, buffer, log


def staged(config, m, version, block):
    """Write the record that has the next start install what lies in new/."""
    _keep_rollback_hook(m)
    with open(HOME + "new/reserve", "wb") as f:  # room for the journal, should the new version fill the flash
        for _ in range(block // 512):
            f.write(buffer())
    copy(HOME + "new/plan", HOME + "old/plan")  # the swap depends on it: one damaged copy is not the end
    h = file_hash(HOME + "new/plan")
    if h == "?":
        raise OSError(84)
    write(state="staged", next=version, plan=h, boots=0, hook=0, tries=config.trial_boots, secs=config.trial_s, why="")
    log("I", "%s is staged; it is installed at the next reset" % version)
    return version


def _keep_rollback_hook(m):
    """The rollback hook runs when the new files are gone again: keep a copy of it beside them."""
    path = m.header.get("hooks", {}).get("rollback")
    i = 0
    for e in m if path else ():
        if e["path"] == path:
            src = HOME + "new/%d" % i
            copy(src if kind(src) else ROOT + path, HOME + "new/rollback.py")
        i += 1
