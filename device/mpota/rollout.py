"""mpota: whether it is this board's turn for a version that goes out in stages. Asked for only where there is such
a version to take; without an answer that counts the board waits, and asks again at the next look."""

import os
import ota_updater
from mpota import HttpError
from mpota.body import close, drop, readinto
from mpota.http import follow
from mpota.source import address, headers
from mpota.update import OPENING, done
from ota_files import Hash, kind
from ota_updater import HOME, ROOT, OtaError, buffer, log, use

_PATH = HOME + "rollout"  # lines of a version and the highest number that was accepted for it, the oldest first


def turn(net):
    """In steps: whether the version net.tag is for this board now."""
    c, version = net.config, net.tag
    ota_updater.waits = ""
    try:
        found = yield from _file(net, version.replace("+", "-") + ".json")
        close(net)
        done("seen", "api", "scan", "assets", "refused", *OPENING)
        if not found:
            why = "the server has no rollout for it"
        else:
            why = yield from _decide(c, version, *found)
    except HttpError:
        raise  # asked again after a while
    except OtaError as e:
        why = str(e)
    finally:
        net.tag, net.also = version, None
    if why:
        ota_updater.waits = "%s: %s" % (version, why)
        log("I", "%s waits: %s" % (version, why))
        return False
    c.rolled = version
    done("turn", "who", "clock")
    return True


def _decide(c, version, first, rest, size):
    """In steps: why the board waits; None where it does not."""
    now = use("mpota.clock").now()
    reader = use("mpota.turn")
    number = _number(version)
    r, blob = reader.read(
        first,
        rest,
        size,
        {"version": version, "project": c.project or c.name, "keys": bool(c.trusted), "now": now, "number": number},
    )
    if c.trusted:
        h = Hash()
        if h.key != "sha256":
            raise OtaError("this firmware has no SHA-256, and so cannot check signatures")
        h.update(first)
        sign = use("mpota.sign")
        signed = sign.check(blob, h.value.digest(), c.trusted, b"mpota-rollout")
        done("sign")
        yield 0
        if not (yield from use("mpota.ed25519").verify(*signed)):
            use("mpota.sign").bad()
        done("sign", "ed25519")
    if r["number"] > number:
        _note(version, r["number"])
    id = use("mpota.who").id()
    if not id:
        raise OtaError("the id of this board cannot be kept: is the flash full?")
    if reader.takes(r, id, now):
        return None
    return "it is halted" if "halted" in r else "its turn comes later, %d percent of the boards have it now" % reader.share(r, now)


def _file(net, name):
    """In steps: (the first line, the beginning of what follows, the size) of the rollout; None where there is none."""
    if net.api:
        net.tag, net.also = "rollout", name.encode()
        yield from use("mpota.api").look_up(net, "rollout")
    url = address(net, name, "rollout")
    if not url:
        return None
    yield from follow(net, url, headers(net))
    if net.status == 403:  # S3 says so of what is not there, to those who may not list
        yield from use("mpota.refused").limited(net, net.at[1])
    if net.status in (403, 404):
        yield from drop(net)
        return None
    if net.status != 200:
        yield from use("mpota.refused").no_asset(net, name)
    first = rest = b""
    size = 0
    piece = buffer()[:128]
    while size <= 1536:
        n = readinto(net, piece)
        if n is None:
            yield 2
            continue
        if not n:
            break
        size += n
        data = bytes(piece[:n])
        if first[-1:] != b"\n":
            i = data.find(b"\n") + 1 or n
            if len(first) <= 1024:
                first += data[:i]
            data = data[i:]
        rest += data[: 640 - len(rest)]
        yield 0
    return first, rest, size


def _notes():
    """(version, number) of what was accepted, as words."""
    try:
        with open(_PATH) as f:
            rows = [row.split(" ") for row in f.read(700).split("\n")]
    except (OSError, UnicodeError):
        return []
    return [row for row in rows if len(row) == 2 and row[1].isdigit()]


def _number(version):
    """The highest number that was accepted for this version, 0 where there was none."""
    return max([int(number) for v, number in _notes() if v == version] + [0])


def _note(version, number):
    # Of some versions: a server that shows another one in between must not make an older file count again.
    rows = [row for row in _notes() if row[0] != version][-7:] + [(version, number)]
    try:
        if not kind(ROOT + ".ota"):
            os.mkdir(ROOT + ".ota")
        with open(_PATH, "w") as f:
            for row in rows:
                f.write("%s %s\n" % tuple(row))
    except OSError as e:
        raise OtaError("its rollout cannot be kept: %s" % e)
