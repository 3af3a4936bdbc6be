"""mpota: what there is to do for an accepted manifest, and whether there is room for it."""

from ota_files import Hash, kind, refresh
from mpota.update import done
from ota_updater import HOME, OtaError, log, use


def _installed(version):
    """In steps: the manifest of the installed release, so that its files can be removed; None where it is not whole."""
    path = HOME + "manifest.json"
    if not version and not kind(path):
        return None
    for _ in range(3):
        try:
            old = use("mpota.manifest").Manifest(path, None, use("mpota.check").Check)
            for _ in old:
                yield 0
            old.check = None  # its hash says that what is read from now on is the same
            return old
        except (OtaError, OSError) as e:
            why = e
            refresh()
    log("W", "the manifest of %s is damaged, nothing is removed: %s" % (version, why))
    return None


def plan(config, seal, version):
    """In steps: compare, and write the plan: (the manifest, a bit for each file to fetch, the bytes of all
    of them). No bits where nothing has to change: then this is the
    installed version from now on."""
    m = use("mpota.manifest").Manifest(HOME + "new/manifest.json", seal, use("mpota.check").Check)
    if Hash.key != "sha256":
        log("W", "no SHA-256 in this firmware: CRC32 finds accidents, not attackers")
    yield 0
    old = yield from _installed(config.record["version"])
    copies = use("ota_moves").copies()
    done("ota_moves")
    yield 0
    plan = use("mpota.plan").Plan(m, old, config)
    plan.copies = copies
    try:
        changes = yield from plan.make()
        if changes:
            yield from use("mpota.puts").check_space(plan)
    except OtaError:
        yield from use("ota_moves").clearing("new")  # it cannot be installed here, and the running version needs the room
        raise
    if not changes:
        # The files are there already: put on the board by hand, or the release only re-tags.
        moves = use("ota_moves")
        yield from moves.copying(HOME + "new/manifest.json", HOME + "manifest.json")
        moves.tell(version, True)
        use("ota_journal").write(version=version, repair=0, bad="", again=0, why="")
        yield from moves.clearing("new")
        log("I", "%s is what lies here already" % version)
        return None, None, 0
    log("I", "fetching %d bytes" % plan.bytes)
    return m, plan.missing, plan.bytes
