"""mpota: whether the release whose manifest is open is one to take, and for this board; then the whole
manifest, as it comes in, before anybody has looked into the rest of it."""

import os
import sys
from mpota import HttpError, Refused
from mpota.body import close, drop, readinto
from mpota.update import OPENING, done
from ota_files import kind, line
from ota_updater import HOME, ROOT, OtaError, buffer, log, place, use


def look(net):
    """In steps: `net` where the release is one to take, else None; what was read of the manifest is net.first."""
    keep = False
    try:
        header = yield from _header(net)
        version = net.tag
        take = use("mpota.want").wanted(net.config, version)
        installed = version == net.config.record["version"]
        if not take and not installed:
            _remember(net, True)
            return None
        if net.status == 206:
            try:
                if not take and (yield from use("mpota.seen").same(net)):
                    return None
                header = yield from _whole(net)
            except HttpError:  # whatever it cannot do, the next look does without
                use("mpota.seen").forget()
                raise
        loader = getattr(sys.implementation, "_mpy", 0) & 0xFF
        name = None
        if compiled(header, loader) and not (installed and _from_source(loader)):
            name = "manifest-mpy-%d.json" % loader
        if take and not installed and not net.config.tag and marked(header):
            close(net)
            if net.config.record["state"] == "trial":
                return None  # a trial takes no other version, and the server was reached
            done("header", "rules", "want")
            if not (yield from use("mpota.rollout").turn(net)):
                return None
            name = name or "manifest.json"
        if name:
            close(net)
            done("header", "rules", "want")
            yield from use("mpota.source").open(net, name)
            done(*OPENING)
            header = yield from _header(net)
        if take:
            fits_board(net.config, header)
            keep, net.seen = True, None
        else:
            yield from _same(net, net.first)
            _remember(net, not compiled(header, loader))
    finally:
        if not keep:
            close(net)
    return net if keep else None


def _whole(net):
    """In steps: have all of the manifest come in, where only its first bytes were asked for. Its header: what the
    first bytes have said of the release counts no more."""
    yield from drop(net)
    done("header", "rules", "want", "seen")
    version, net.tag = net.tag, None  # from where its first bytes were
    yield from use("mpota.source").open(net, "manifest.json")
    done(*OPENING)
    net.tag = version
    return (yield from _header(net))


def _remember(net, parts):
    """This release is not needed: the next look may ask whether it is still that one; with `parts` by the first bytes
    of its manifest, where there is nothing better."""
    if net.seen:
        url, net.head = net.seen
        seen = use("mpota.seen")
        seen.remember(url, net.head, net.tag, parts)
        seen.late(net)


def _header(net):
    """In steps: the header of the manifest that is open. Its version is net.tag from then on."""
    first = net.first = yield from _first_line(net)
    end = first.find(b"\n") + 1
    header = use("mpota.header").read_header(first[:end] if end else first)
    version = header["version"]
    if net.tag and version != net.tag:
        raise OtaError("release %s has a manifest of %s" % (net.tag, version))
    net.tag = version
    return header


def compiled(header, loader):
    """Whether the release has a manifest of modules compiled for firmware that loads this version of .mpy."""
    try:
        return loader in header["more"]["mpy"]
    except (KeyError, TypeError):
        return False


def marked(header):
    """Whether the release goes out in stages, see rollout.py."""
    more = header.get("more")
    return isinstance(more, dict) and "rollout" in more


def _from_source(loader):
    """Whether the installed release is the one in .py, though it has a compiled one too: it stays that."""
    try:
        with open(HOME + "manifest.json", "rb") as f:
            return compiled(use("mpota.header").read_header(line(f, 1024)), loader)
    except OSError:
        return False


def _first_line(net):
    """What comes first of a body: the header, and perhaps a little more."""
    first = b""
    piece = buffer()[:128]
    while b"\n" not in first and len(first) <= 1024:
        n = readinto(net, piece)
        if n is None:
            yield 2
            continue
        if not n:
            break
        first += bytes(piece[:n])
    if first.lstrip()[:1] == b"<":
        raise HttpError("%s sends a web page, not a release: does the network want a login?" % net.at[1])
    return first


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
    firmware = use("ota_firmware").FIRMWARE.split()
    del sys.modules["ota_firmware"]
    for folder in ("", "lib/"):
        for e in os.ilistdir(ROOT + folder[:3]) if kind(ROOT + folder[:3]) else ():
            name = e[0]
            i = name.rfind(".")
            if i >= 0:
                name = name[:i] if name[i:] in (".py", ".mpy") else ""
            path = folder + e[0]
            if name in firmware:
                log("W", "%s hides the firmware's %s from the app, not from the updater" % (path, name))
            elif name in ("mpota", "ota_updater") and not place.startswith(ROOT + folder + "ota_"):
                log("W", "%s is not the updater in use, that is %s" % (path, place))


# --- the rest of the manifest ---------------------------------------------


def save(net):
    """In steps: store the manifest, what was read of it, and the rest of the answer behind that."""
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
                if got == 0:
                    return
                n += got or 0
                if n > 4194304:
                    raise Refused("manifest refused: too-large")
                if got:
                    f.write(b[:got])
                yield 0 if got else 2
    except OtaError:
        os.remove(path)
        raise


def _same(net, first):
    """In steps: the installed version is offered; it must be the installed release, to the byte."""
    h = use("ota_files").Hash()
    if h.key != "sha256":
        return
    h.update(first)
    b = buffer()
    n = len(first)
    while n <= 4194304:
        got = readinto(net, b)
        if got == 0:
            break
        if got:
            h.update(b[:got])
            n += got
        yield 0 if got else 2
    yield from use("mpota.want").same_content(net.tag, h.hex())
