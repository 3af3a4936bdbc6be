"""mpota: the end of an update: what was fetched is staged for the next start."""

from ota_files import hashing, kind
from ota_journal import TAGGED, record, write
from ota_moves import copying
from ota_updater import HOME, ROOT, buffer, log


def staged(config, m, version):
    """In steps: write the record that has the next start install what lies in new/."""
    yield from _keep_rollback_hook(m)
    # Room for the journal, should the new version fill the flash: a block each, and little to write into it. LittleFS
    # keeps a file of up to 1,022 bytes in its folder.
    for name in ("new/reserve.0", "new/reserve.1"):
        with open(HOME + name, "wb") as f:
            f.write(buffer())
            f.write(buffer()[:128])
        yield 0
    yield from copying(HOME + "new/plan", HOME + "old/plan")  # the swap depends on it: one damaged copy is not the end
    h = yield from hashing(HOME + "new/plan")
    if h == "?":
        raise OSError(84)
    c, r = config, record()
    write(
        state="staged", next=version, plan=h, boots=0, wakes=0, hook=0, why="",
        again=TAGGED if c.tag == version and r["bad"] == version else r["again"],
        tries=c.trial_resets, most=c.trial_starts, secs=c.trial_s, wait=c.trial_wait_s,
    )
    log("I", "%s is staged; it is installed at the next reset" % version)
    return version


def _keep_rollback_hook(m):
    """The rollback hook runs when the new files are gone again: keep a copy of it beside them."""
    path = m.header.get("hooks", {}).get("rollback")
    i = 0
    for e in m if path else ():
        if e["path"] == path:
            src = HOME + "new/%d" % i
            yield from copying(src if kind(src) else ROOT + path, HOME + "new/rollback.py")
        yield 0
        i += 1
