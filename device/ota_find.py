"""mpota: the question whether there is a release to take, and its answer."""

import sys
from ota_manifest import read_header
from ota_source import Source
from ota_updater import HOME, OtaError, buffer, file_hash, log, record
from ota_url import HttpError, pause
from ota_version import compare, parse_version


class Refused(OtaError):
    """The release is not for this board, or not one it may take now."""


def count(limits, key, usual, least):
    n = limits.get(key, usual)
    if not isinstance(n, int) or not least <= n <= 1000000:
        raise OtaError("limits: %s is not a number from %d to 1000000" % (key, least))
    return n


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
    if r["state"] == "trial" and version == r["next"]:
        return False
    order = compare(version, r["version"])
    if order < 0 and not (config.get("tag") and config.get("allow_downgrade")):
        raise Refused("%s is older than the installed %s (allow_downgrade is not set)" % (version, r["version"]))
    if not (config.get("channel") or config.get("tag")) and parse_version(version)[1]:
        if r["version"] and not parse_version(r["version"])[1]:
            # Whoever has the account can call it the latest; that it is one stands in what was signed.
            raise Refused("%s is a prerelease, and neither channel nor tag is set" % version)
    return order != 0 or bool(config.get("tag"))


def fits_board(config, header):
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


def _first_line(http):
    line = b""
    one = memoryview(bytearray(64))
    while b"\n" not in line and len(line) <= 2048:
        n = http.readinto(one)
        if not n:
            break
        line += bytes(one[:n])
    return line


def seek(config):
    """Find the release. (Source, first bytes of its manifest), or (None, None): nothing to do.
    Where the server answers, but not with a release, it is asked again after a while."""
    tries = count(config.get("limits") or {}, "retries", 3, 1)
    attempt = 0
    while True:
        try:
            return _look(config)
        except HttpError as e:
            attempt += 1
            if not e.status or attempt >= tries:
                raise
            log("W", "%s" % e)
            pause(attempt - 1, e)


def _look(config):
    source = Source(config)
    try:
        if not source.find(lambda tag: not _wanted(config, tag)):
            return None, None
        first = _first_line(source.http)
        end = first.find(b"\n") + 1
        header = read_header(first[:end] if end else first)
        source.is_version(header["version"])
        if not _wanted(config, header["version"]):
            if header["version"] == record()["version"]:
                _same(source.http, first)
            return None, None
        fits_board(config, header)
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
