"""mpota: one update, from the question whether there is something new to a staged release."""

import os
import sys
from ota_manifest import Manifest, ManifestError, read_header
from ota_source import Source
from ota_updater import HOME, ROOT, OtaError, buffer, clear, copy, file_hash, kind, log, record, tell, write
from ota_version import compare, parse_version

_INCOMING = HOME + "new/incoming"  # a manifest that was not checked yet


class Refused(OtaError):
    """The release is not for this board, or not one it may take now."""


def _wanted(config, version):
    """Whether `version` would be installed; says why not. Raises Refused where somebody should know."""
    r = record()
    if not parse_version(version):
        raise Refused("not a version: %r" % version[:64])
    if version == r["version"]:
        return bool(r["repair"] or config.get("repair"))
    if version == r["bad"]:
        log("W", "%s was undone before and is not tried again: %s" % (version, r["why"]))
        return False
    order = compare(version, r["version"])
    if order < 0 and not (config.get("tag") and config.get("allow_downgrade")):
        raise Refused("%s is older than the installed %s (allow_downgrade is not set)" % (version, r["version"]))
    return order != 0 or bool(config.get("tag"))


def _fits_board(config, header):
    version = header["version"]
    project = header.get("project")
    if project is None:
        if config.get("keys"):
            raise Refused("the manifest does not say which project it is for")
    elif project.lower() != (config.get("project") or "%s/%s" % (config["owner"], config["repo"])).lower():
        raise Refused("%s is a release of %s" % (version, project))
    need = header.get("requires", {})
    have = sys.implementation.version
    if "micropython" in need and [int(x) for x in need["micropython"].split(".")] > list(have[:3]):
        raise Refused("%s needs MicroPython %s, this is %d.%d" % (version, need["micropython"], have[0], have[1]))
    if "platform" in need and sys.platform not in need["platform"]:
        raise Refused("%s is for %s, this is %s" % (version, " or ".join(need["platform"]), sys.platform))
    if "mpy" in need:
        abi = getattr(sys.implementation, "_mpy", 0)
        mine = "%d.%d" % (abi & 0xFF, abi >> 8 & 3)
        if need["mpy"] != mine and need["mpy"] != mine.split(".")[0]:
            raise Refused("%s has .mpy files of version %s, this firmware takes %s" % (version, need["mpy"], mine))


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
    os.rename(_INCOMING, path)
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


def _first_line(http):
    line = b""
    one = memoryview(bytearray(64))
    while b"\n" not in line and len(line) <= 2048:
        n = http.readinto(one)
        if not n:
            break
        line += bytes(one[:n])
    return line


def _verify(config):
    """Read the stored manifest through, and check its signature where keys are set."""
    m = Manifest(_INCOMING)
    keys = config.get("keys")
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
    return m


def _folders():
    for name in (".ota", ".ota/new", ".ota/old"):
        if not kind(ROOT + name):
            os.mkdir(ROOT + name)


def _seek(config):
    """Find the release. (Source, first bytes of its manifest), or (None, None): nothing to do."""
    source = Source(config)
    try:
        if not source.find(lambda tag: not _wanted(config, tag)):
            return None, None
        first = _first_line(source.http)
        end = first.find(b"\n") + 1
        header = read_header(first[:end] if end else first)
        if source.tag and header["version"] != source.tag:
            raise Refused("release %s has a manifest of %s" % (source.tag, header["version"]))
        source.tag = header["version"]
        if not _wanted(config, header["version"]):
            if header["version"] == record()["version"]:
                _same(source.http, first)
            return None, None
        _fits_board(config, header)
        found, source = source, None
        return found, first
    finally:
        if source:
            source.close()


def _same(http, first):
    """The installed version is offered: it must be the installed release, to the byte."""
    try:
        from hashlib import sha256
    except ImportError:
        return
    sha = sha256(first)
    b = buffer()
    n = len(first)
    while n <= 1048576:
        got = http.readinto(b)
        if not got:
            break
        sha.update(b[:got])
        n += got
    from binascii import hexlify

    mine = file_hash(HOME + "manifest.json")
    if mine and mine != "?" and mine != str(hexlify(sha.digest()), "ascii"):
        raise Refused("%s is offered with other content than the one installed: refused" % record()["version"])


def check(config):
    source, first = _seek(config)
    if not source:
        return None
    source.close()
    return source.tag


def update(config):
    r = record()
    if r["state"] == "trial":  # that the server was reached is all that counts now
        try:
            source, _ = _seek(config)
            if source:
                source.close()
        except Refused as e:
            log("W", "%s" % e)
        return None
    if r["state"] == "staged":
        return r["next"]
    if r["state"] != "idle":
        raise OtaError("an update is not finished (%s): restart the board" % r["state"])
    source, first = _seek(config)
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
            try:
                clear("new")
            except OSError:
                pass
        raise OtaError("no space left on the flash" if e.errno == 28 else "the flash failed: %s" % e)
    finally:
        source.close()


def _forget():
    for e in os.ilistdir(HOME + "new"):
        if e[0] != "incoming":
            os.remove(HOME + "new/" + e[0])


def _count(limits, key, usual, least):
    n = limits.get(key, usual)
    if not isinstance(n, int) or not least <= n <= 1000000:
        raise OtaError("limits: %s is not a number from %d to 1000000" % (key, least))
    return n


def _stage(config, source, m, version):
    from ota_plan import Plan

    limits = config.get("limits") or {}
    tries, boots, secs = [_count(limits, *x) for x in (("retries", 3, 1), ("trial_boots", 3, 1), ("trial_s", 600, 0))]
    plan = Plan(m)
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
