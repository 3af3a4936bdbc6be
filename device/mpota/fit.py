"""mpota: whether the release whose manifest is open is one to take, and for this board; then the whole
manifest, as it comes in, before anybody has looked into the rest of it."""

import os
import sys
from mpota import Refused
from ota_files import buffer, kind
from ota_journal import record
from ota_updater import HOME, ROOT, OtaError, use


def look(net):
    """(The look-up, what was read of the manifest) where the release is one to take, else (None, None)."""
    http = use("mpota.http")
    keep = False
    try:
        first = _first_line(http.readinto, net)
        end = first.find(b"\n") + 1
        header = use("mpota.header").read_header(first[:end] if end else first)
        version = header["version"]
        if net.tag and version != net.tag:
            raise OtaError("release %s has a manifest of %s" % (net.tag, version))
        net.tag = version
        if use("mpota.ask").wanted(net.config, version):
            fits_board(net.config, header)
            keep = True
        elif version == record()["version"]:
            _same(net, first)
    finally:
        if not keep:
            http.close(net)
    return (net, first) if keep else (None, None)


def _first_line(readinto, net):
    """What comes first of a body: the header, and perhaps a little more."""
    line = b""
    piece = buffer()[:128]
    while b"\n" not in line and len(line) <= 1024:
        n = readinto(net, piece)
        if not n:
            break
        line += bytes(piece[:n])
    return line


def fits_board(config, header):
    """Raise Refused unless the release is for this project and this board."""
    version, project = header["version"], header.get("project")
    if project is None:
        if config.keys:
            raise Refused("the manifest does not say which project it is for")
    elif str(project).lower() != (config.project or config.name).lower():
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
        if need["mpy"] not in (mine, mine.split(".")[0]):
            raise Refused("%s has .mpy files of version %s, this firmware takes %s" % (version, need["mpy"], mine))
    if "board" in need:
        mine = _board()
        if not [name for name in need["board"] if name in mine]:
            raise Refused("%s is for %s, this is %s" % (version, " or ".join(need["board"]), mine[0]))


def _board():
    """What this board is called: whole, and without its variant."""
    name = getattr(sys.implementation, "_build", "")
    if name:
        return name, name.split("-")[0]
    name = getattr(sys.implementation, "_machine", "unknown")  # before 1.25
    return name, name.split(" with ")[0]


# --- the rest of the manifest ---------------------------------------------


def save(net, first):
    """Store the manifest: what was read of it, and the rest of the answer behind that."""
    for name in (".ota", ".ota/new", ".ota/old"):
        if not kind(ROOT + name):
            os.mkdir(ROOT + name)
    path = HOME + "new/incoming"
    http = use("mpota.http")
    b = buffer()
    n = len(first)
    try:
        with open(path, "wb") as f:
            f.write(first)
            while True:
                got = http.readinto(net, b)
                if not got:
                    return
                n += got
                if n > 4194304:
                    raise Refused("manifest refused: too-large")
                f.write(b[:got])
    except OtaError:
        os.remove(path)
        raise


def _same(net, first):
    """The installed version is offered: it must be the installed release, to the byte."""
    files, http = use("ota_files"), use("mpota.http")
    h = files.Hash()
    if h.key != "sha256":
        return
    h.update(first)
    b = buffer()
    n = len(first)
    while n <= 4194304:
        got = http.readinto(net, b)
        if not got:
            break
        h.update(b[:got])
        n += got
    mine = files.file_hash(HOME + "manifest.json")
    if mine and mine != "?" and mine != h.hex():
        raise Refused("%s is offered with other content than the one installed: refused" % record()["version"])
