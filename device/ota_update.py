"""mpota: one update, from a release that was found to one that is staged."""

import os
import sys
from ota_find import Refused, count, fits_board, seek
from ota_manifest import Manifest, ManifestError, read_header
from ota_updater import HOME, ROOT, OtaError, buffer, clear, copies, copy, file_hash, kind, log, mend, record, tell, write
from ota_url import HttpError

_INCOMING = HOME + "new/incoming"  # a manifest that was not checked yet


def _manifest(config, http, first):
    """The release's manifest, checked, in new/. A stranger's goes again at once, and takes nothing
    along of what was fetched before."""
    path = HOME + "new/manifest.json"
    try:
        _save_manifest(http, first)
        m = _verify(config)
    except (OtaError, MemoryError):
        if kind(_INCOMING):
            os.remove(_INCOMING)
        raise
    if file_hash(path) != file_hash(_INCOMING):
        _forget()  # what lies there is of another release
        if copies():
            copy(_INCOMING, path)
        else:
            os.rename(_INCOMING, path)
    if kind(_INCOMING):
        os.remove(_INCOMING)
    m.path = path
    return m


def _save_manifest(http, first):
    """Store the manifest: its first line, and the rest of the answer behind it."""
    b = buffer()
    n = len(first)
    with open(_INCOMING, "wb") as f:
        f.write(first)
        while True:
            got = http.readinto(b)
            if not got:
                return
            n += got
            if n > 1048576:
                raise ManifestError("too-large")
            f.write(b[:got])


def _good(lines):
    """Those of the lines that are keys."""
    from binascii import a2b_base64

    out = []
    for line in lines:
        parts = line.split()
        try:
            if len(parts) > 1 and parts[0] == "ssh-ed25519" and len(a2b_base64(parts[1])) == 51:
                out.append(line)
        except ValueError:
            pass
    return out


def _keys_file(config):
    """The file with the trusted keys, as a path below the root; None where they are in the config."""
    keys = config.get("keys")
    return keys.lstrip("/") if isinstance(keys, str) else None


def _keys(config):
    """The trusted keys: of the config itself, or of the file that it names, one a line."""
    keys = config.get("keys")
    if keys is None or keys == [] or keys == ():
        return None
    try:
        if isinstance(keys, str):
            with open(ROOT + _keys_file(config)) as f:
                keys = _good(f)
        else:
            keys = _good(keys)
    except (OSError, UnicodeError, TypeError, AttributeError):
        keys = None
    if not keys:  # no keys would mean: take anything
        raise Refused("no keys in %s: every release is refused" % (config["keys"],))
    return keys


def _limits(config):
    limits = config.get("limits") or {}
    return [count(limits, *x) for x in (("retries", 3, 1), ("trial_boots", 3, 1), ("trial_s", 600, 0))]


def _verify(config):
    """Read the stored manifest through, and check its signature where keys are set."""
    m = Manifest(_INCOMING)
    keys = _keys(config)
    if keys:
        for _ in m.entries(False):
            pass
        if m.signature is not None and m.digest is None:
            raise Refused("this firmware has no SHA-256, and so cannot check signatures")
        from ota_sign import check

        check(m.signature, m.digest, keys)
        for name in ("ota_sign", "ota_ed25519"):  # not needed again: their memory is
            sys.modules.pop(name, None)
    for _ in m:
        pass
    m.seal()  # what is read later has to be what was checked
    return m


def _folders():
    for name in (".ota", ".ota/new", ".ota/old"):
        if not kind(ROOT + name):
            os.mkdir(ROOT + name)


def check(config):
    source, first = seek(config)
    if not source:
        return None
    source.close()
    return source.tag


def update(config):
    _keys(config)  # a version that cannot say whom it trusts is not to be confirmed
    _limits(config)
    r = record()
    if r["state"] == "trial":  # that the server was reached is all that counts now
        with open(HOME + "new/manifest.json", "rb") as f:  # by these settings it must be for this board
            fits_board(config, read_header(f.readline(2049)))
        try:
            source, _ = seek(config)
            if source:
                source.close()
        except (Refused, HttpError) as e:
            if isinstance(e, HttpError) and not e.wait:
                raise
            log("W", "%s" % e)
        return None
    if r["state"] == "staged":
        return r["next"]
    if r["state"] != "idle":
        raise OtaError("an update is not finished (%s): restart the board" % r["state"])
    source, first = seek(config)
    if not source:
        return None
    version = source.tag
    log("I", "%s found, %s is installed" % (version, r["version"] or "nothing"))
    try:
        if not config.get("keys"):
            log("W", "no keys are set: anybody who has the server has this board")
        _folders()
        clear("old")
        return _stage(config, source, _manifest(config, source.http, first), version)
    except OSError as e:
        if e.errno in (28, 84):
            # The running version needs the space more; and LittleFS gives no space to anybody
            # while a corrupt file lies there.
            bad = None
            try:
                clear("new")
                if not mend(e) and e.errno == 84:
                    bad = _corrupt("")
            except OSError:
                pass
            if bad:
                raise OtaError("%s is corrupt, and LittleFS stores nothing while it is there: remove it" % bad)
        raise OtaError("no space left on the flash" if e.errno == 28 else "the flash failed: %s" % e)
    finally:
        source.close()


def _corrupt(folder):
    """The path below the root of a file that LittleFS calls corrupt, or None."""
    for e in os.ilistdir(ROOT + folder):
        path = folder + "/" + e[0] if folder else e[0]
        if e[1] == 0x4000:
            path = _corrupt(path)
        elif file_hash(ROOT + path) != "?":
            path = None
        if path:
            return path
    return None


def _forget():
    for e in os.ilistdir(HOME + "new"):
        if e[0] not in ("incoming", "ids"):
            os.remove(HOME + "new/" + e[0])


def _stage(config, source, m, version):
    from ota_plan import Plan

    tries, boots, secs = _limits(config)
    plan = Plan(m, _keys_file(config))
    if plan.hash_key != "sha256":
        if config.get("keys"):
            raise Refused("this firmware has no SHA-256, and so cannot check signatures")
        log("W", "no SHA-256 in this firmware: CRC32 finds accidents, not attackers")
    if not plan.make():
        # The files are there already: put on the board by hand, or the release only re-tags.
        copy(HOME + "new/manifest.json", HOME + "manifest.json")
        tell(version, True)
        write(version=version, repair=0, bad="", why="")
        clear("new")
        log("I", "%s is what lies here already" % version)
        return None
    plan.check_space()
    log("I", "fetching %d bytes" % plan.bytes)
    from ota_fetch import Fetch, keep_rollback_hook

    Fetch(plan).run(source, tries)
    keep_rollback_hook(m)
    with open(HOME + "new/reserve", "wb") as f:  # room for the journal, should the new version fill the flash
        for _ in range(plan.block // 512):
            f.write(buffer())
    copy(HOME + "new/plan", HOME + "old/plan")  # the swap depends on it: one damaged copy is not the end
    h = file_hash(HOME + "new/plan")
    if h == "?":
        raise OSError(84)
    write(
        state="staged",
        next=version,
        plan=h,
        boots=0,
        hook=0,
        tries=boots,
        secs=secs,
        why="",
    )
    log("I", "%s is staged; it is installed at the next reset" % version)
    return version
