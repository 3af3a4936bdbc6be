"""mpota: from an accepted manifest to what is staged."""

from mpota.update import done
from ota_files import Hash, buffer, file_hash, kind
from ota_journal import write
from ota_moves import clear, copy, tell
from ota_updater import HOME, ROOT, OtaError, log, use


def plan(config, seal, version):
    """Compare, and write the plan: (the manifest, a bit for each file that changes, size of a block of
    the flash). No bits where nothing has to change: then this is the installed version from now on."""
    m = use("mpota.manifest").Manifest(HOME + "new/manifest.json", seal, use("mpota.check").Check)
    if Hash.key != "sha256":
        log("W", "no SHA-256 in this firmware: CRC32 finds accidents, not attackers")
    use("mpota.hides").say()
    done("hides", "header", "version")
    plan = use("mpota.plan").Plan(m, config.keys_file)
    try:
        changes = plan.make()
        if changes:
            plan.check_space()
    except OtaError:
        clear("new")  # it cannot be installed here, and the running version needs the room
        raise
    if not changes:
        # The files are there already: put on the board by hand, or the release only re-tags.
        copy(HOME + "new/manifest.json", HOME + "manifest.json")
        tell(version, True)
        write(version=version, repair=0, bad="", why="")
        clear("new")
        log("I", "%s is what lies here already" % version)
        return None, None, 0
    log("I", "fetching %d bytes" % plan.bytes)
    m.check = None  # the seal says that what is read from now on is the same
    return m, plan.todo, plan.block


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
