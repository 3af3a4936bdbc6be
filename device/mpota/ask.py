"""mpota: the question whether there is a release to take; its manifest is open then."""

from mpota import Refused
from mpota.http import close, drop, request
from mpota.source import address, headers, open, pack_name, start
from mpota.url import join, split
from mpota.version import compare, parse_version
from ota_journal import record
from ota_updater import log, use


def wanted(config, version):
    """Whether `version` would be installed; says why not. Raises Refused where somebody should know."""
    r = record()
    if not parse_version(version):
        raise Refused("not a version: %r" % version[:64])
    if version == r["version"]:
        return bool(r["repair"] or config.repair)
    if version == r["bad"]:
        log("W", "%s was undone before and is not tried again: %s" % (version, r["why"]))
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


def look(config):
    """The look-up with the manifest of a release open that may be new; None: there is none."""
    net = start(config)
    found = False
    try:
        found = _find(net, lambda tag: not wanted(config, tag))
    finally:
        if not found:
            close(net)
    return net if found else None


def _find(net, done):
    """Open the manifest of the release, for reading. False where `done(tag)` said, as soon as the tag
    was known, that it is not needed."""
    c = net.config
    if c.tag and record()["state"] != "trial" and done(c.tag):
        return False
    if net.api:
        api = use("mpota.api")
        if not api.look_up(net, c.channel or c.tag, done):
            return False
        if not c.channel:
            net.tag = net.api.tag
            if not c.tag and done(net.tag):
                api.remember(net)
                return False

    def moved(url, to):
        mark = "/releases/download/"  # a renamed repository has another name here
        i = to[0].find(mark)
        if not net.tag and not c.channel and i >= 0:
            # Of what a version may hold, "+" alone comes encoded.
            net.tag = to[0][i + len(mark) :].split("/")[0].replace("%2B", "+").replace("%2b", "+")
            if done(net.tag):
                return True
        if net.tag and split(url)[0] != split(to)[0]:
            _guess(net, url)
        return False

    return open(net, "manifest.json", moved=moved)


def _guess(net, url):
    """Before this host is left: learn where the pack is, on the same connection."""
    name = pack_name(net)
    asked = address(net, name)
    if asked and split(asked)[0] == split(url)[0]:
        request(net, asked, headers(net))
        to = net.head.get(b"location")
        if net.status in (301, 302, 303, 307, 308) and to:
            net.urls[name] = join(asked, to)
        drop(net)
