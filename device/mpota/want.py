"""mpota: whether a version would be installed, going by its name."""

from os import urandom
from mpota import Refused
from mpota.header import parse_version
from ota_updater import HOME, log, use


def wanted(config, version):
    """Whether `version` would be installed; says why not. Raises Refused where somebody should know."""
    r = config.record
    if not parse_version(version):
        raise Refused("not a version: %r" % version[:64])
    if version == r["version"]:
        return bool(r["repair"] or config.repair)
    if version == r["bad"] and not (config.tag == version and r["again"] <= 8) and not _again(config):
        log("W", "%s was undone, and is not tried %s: %s" % (version, "now" if r["again"] else "again", r["why"]))
        return False
    if r["state"] == "trial" and version == r["next"]:
        return False
    order = compare(version, r["version"])
    if order < 0 and not (config.tag and config.allow_downgrade):
        raise Refused("%s is older than the installed %s (allow_downgrade is not set)" % (version, r["version"]))
    if not (config.channel or config.tag) and parse_version(version)[1]:
        if r["version"] and not parse_version(r["version"])[1]:
            # Whoever has the account can call it the latest; that it is one stands in what was signed.
            raise Refused("%s is a prerelease, and neither channel nor tag is set" % version)
    return order != 0 or bool(config.tag)


def same_content(version, h):
    """In steps: raise Refused unless the installed release, which has this version, has this hash as well: there is
    no other content under its name."""
    mine = yield from use("ota_files").hashing(HOME + "manifest.json")
    if mine and mine != "?" and mine != h:
        raise Refused("%s is offered with other content than the one installed: refused" % version)


def _again(config):
    """Whether a version that was not confirmed, and did not crash, has its turn again: 1, 6 and 36 hours
    after it was given up. A board without a clock leaves it to chance: at one of 8, 32 and 128 looks."""
    r = config.record
    times = r["again"]
    if not 0 < times <= 3:
        return False
    now = use("mpota.clock").now()
    if r["since"] and now:
        return now > r["since"] + 3600 * 6 ** (times - 1)
    if config.turn is None:  # a look may come here more than once
        config.turn = urandom(1)[0]
    return config.turn < 128 >> 2 * times


def compare(a, b):
    """-1, 0, 1: the order of two valid versions by semver precedence; "" is below all."""
    if not a or not b:
        return (1 if a else 0) - (1 if b else 0)
    (x, p), (y, q) = parse_version(a), parse_version(b)
    if x != y:
        return -1 if x < y else 1
    if not p or not q:
        return (0 if p else 1) - (0 if q else 1)
    for i in range(min(len(p), len(q))):
        m, n = p[i], q[i]
        if m != n:
            if m.isdigit() and n.isdigit():
                return -1 if int(m) < int(n) else 1
            if m.isdigit() != n.isdigit():
                return -1 if m.isdigit() else 1
            return -1 if m < n else 1
    return (len(p) > len(q)) - (len(p) < len(q))


def decoded(tag):
    """A tag as it is, from how it stands in an address. Of what a version may hold "+" alone is encoded there."""
    return tag.replace("%2B", "+").replace("%2b", "+")
