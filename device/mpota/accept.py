"""mpota: accepts a manifest that was stored, once it is checked; only then it takes the place of the
one before."""

import os
from mpota import Refused
from ota_files import Hash, file_hash, kind
from ota_journal import record
from ota_moves import copies, copy
from ota_updater import HOME, OtaError, use


def accept(keys):
    """Have the manifest in new/manifest.json; returns the hash of what was checked. A stranger's goes
    again at once, and takes nothing along of what was fetched before."""
    path = HOME + "new/manifest.json"
    try:
        seal = _checked(keys)
        _same_content(seal)
    except (OtaError, MemoryError):
        os.remove(HOME + "new/incoming")
        raise
    if file_hash(path) != seal:
        for e in os.ilistdir(HOME + "new"):  # of another release
            if e[0] not in ("incoming", "ids"):
                os.remove(HOME + "new/" + e[0])
        if copies():
            copy(HOME + "new/incoming", path)
        else:
            os.rename(HOME + "new/incoming", path)
    if kind(HOME + "new/incoming"):
        os.remove(HOME + "new/incoming")
    return seal


def _checked(keys):
    """The hash of the stored manifest. With keys its signature is checked first, over bytes that nobody
    has looked into; without, all of its lines are read before anything is thrown away for it."""
    if keys:
        if Hash.key != "sha256":
            raise Refused("this firmware has no SHA-256, and so cannot check signatures")
        sign = use("mpota.sign")
        blob, digest, seal = sign.read(HOME + "new/incoming")
        sign.check(blob, digest, keys)
        return seal
    seal = file_hash(HOME + "new/incoming")
    for _ in use("mpota.manifest").Manifest(HOME + "new/incoming", seal, use("mpota.check").Check):
        pass
    return seal


def _same_content(seal):
    """A repair takes the release that is installed, and no other under its name."""
    with open(HOME + "new/incoming", "rb") as f:
        version = use("mpota.header").read_header(use("mpota.manifest").line(f, 1024))["version"]
    mine = file_hash(HOME + "manifest.json")
    if version == record()["version"] and mine and mine != "?" and mine != seal:
        raise Refused("%s is offered with other content than the one installed: refused" % version)
