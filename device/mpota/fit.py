"""mpota: whether the release whose manifest is open is one to take, and for this board; then the whole
manifest, as it comes in, before anybody has looked into the rest of it."""

import os
import sys
from mpota import Refused
from mpota.body import close, readinto
from ota_files import kind
from ota_updater import FIRMWARE, HOME, ROOT, OtaError, buffer, log, place, use


def look(net):
    """`net` where the release is one to take, else None; what was read of the manifest is net.first."""
    keep = False
    try:
        first = net.first = _first_line(net)
        end = first.find(b"\n") + 1
        header = use("mpota.header").read_header(first[:end] if end else first)
        version = header["version"]
        if net.tag and version != net.tag:
            raise OtaError("release %s has a manifest of %s" % (net.tag, version))
        net.tag = version
        if use("mpota.want").wanted(net.config, version):
            fits_board(net.config, header)
            keep = True
        elif version == net.config.record["version"]:
            _same(net, first)
    finally:
        if not keep:
            close(net)
    return net if keep else None


def _first_line(net):
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


def say_what_hides():
    """Name the files on the board that come before a module of the firmware, or before the updater. The
    app gets them; the updater imports past them, see ota_updater.use()."""
    for folder in ("", "lib/"):
        for e in os.ilistdir(ROOT + folder[:3]) if kind(ROOT + folder[:3]) else ():
            name = e[0]
            i = name.rfind(".")
            if i >= 0:
                name = name[:i] if name[i:] in (".py", ".mpy") else ""
            path = folder + e[0]
            if name in FIRMWARE.split():
                log("W", "%s hides the firmware's %s from the app, not from the updater" % (path, name))
            elif name in ("mpota", "ota_updater") and not place.startswith(ROOT + folder + "ota_"):
                log("W", "%s is not the updater in use, that is %s" % (path, place))


# --- the rest of the manifest ---------------------------------------------


def save(net):
    """Store the manifest: what was read of it, and the rest of the answer behind that."""
    for name in (".ota", ".ota/new", ".ota/old"):
        if not kind(ROOT + name):
            os.mkdir(ROOT + name)
    path = HOME + "new/incoming"
    b = buffer()
    n = len(net.first)
    try:
        with open(path, "wb") as f:
            f.write(net.first)
            net.first = None
            while True:
                got = readinto(net, b)
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
    files = use("ota_files")
    h = files.Hash()
    if h.key != "sha256":
        return
    h.update(first)
    b = buffer()
    n = len(first)
    while n <= 4194304:
        got = readinto(net, b)
        if not got:
            break
        h.update(b[:got])
        n += got
    mine = files.file_hash(HOME + "manifest.json")
    if mine and mine != "?" and mine != h.hex():
        raise Refused("%s is offered with other content than the one installed: refused" % net.tag)
