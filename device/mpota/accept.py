"""mpota: checks the manifest that was stored; only when that is done it takes the place of the one before."""

import os
from mpota import Refused
from mpota.update import done
from ota_files import Hash, hashing, kind, line
from ota_updater import HOME, OtaError, use


def verify(keys):
    """In steps: the hash of what was checked. A stranger's manifest goes again at once, and takes nothing along of
    what was fetched before."""
    try:
        return (yield from _checked(keys))
    except (OtaError, MemoryError):
        os.remove(HOME + "new/incoming")
        raise


def _checked(keys):
    """The hash of the stored manifest. With keys its signature is checked first, over bytes that nobody
    has looked into; without, all of its lines are read before anything is thrown away for it."""
    if keys:
        if Hash.key != "sha256":
            raise Refused("this firmware has no SHA-256, and so cannot check signatures")
        sign = use("mpota.sign")
        blob, digest, seal = yield from sign.read(HOME + "new/incoming")
        signed = sign.check(blob, digest, keys)
        del sign
        done("sign")
        yield 0
        if not (yield from use("mpota.ed25519").verify(*signed)):
            use("mpota.sign").bad()
        return seal
    seal = yield from hashing(HOME + "new/incoming")
    for _ in use("mpota.manifest").Manifest(HOME + "new/incoming", seal, use("mpota.check").Check):
        yield 0
    return seal


def accept(config, seal):
    """In steps: have the manifest in new/manifest.json; `seal` is the hash of what was checked."""
    path = HOME + "new/manifest.json"
    try:
        yield from _same_content(config, seal)
    except OtaError:
        os.remove(HOME + "new/incoming")
        raise
    if (yield from hashing(path)) != seal:
        moves = use("ota_moves")
        yield from moves.clearing("new", ("incoming", "ids"))  # the rest is of another release
        if moves.copies():
            yield from moves.copying(HOME + "new/incoming", path)
        else:
            os.rename(HOME + "new/incoming", path)
    if kind(HOME + "new/incoming"):
        os.remove(HOME + "new/incoming")


def _same_content(config, seal):
    """A repair takes the release that is installed, and no other under its name; and a version that goes out in stages is
    for this board now."""
    with open(HOME + "new/incoming", "rb") as f:
        header = use("mpota.header").read_header(line(f, 1024))
    version = header["version"]
    if version == config.record["version"]:
        yield from use("mpota.want").same_content(version, seal)
    elif "rollout" in header.get("more", ()) and version not in (config.tag, config.rolled):
        # Whoever has taken the mark out of the header that was asked for first has not signed this one.
        raise Refused("%s goes out in stages, and what the server sent first did not say so" % version)
