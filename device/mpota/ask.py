"""mpota: the question whether there is a release to take; its manifest is open then."""

from mpota.body import close, drop
from mpota.http import join, request, split
from mpota.source import address, headers, open, pack_name, start
from mpota.update import done
from ota_updater import use


def look(config):
    """The look-up with the manifest of a release open that may be new; None: there is none."""
    net = start(config)
    found = False
    try:
        found = _find(net, lambda tag: not _wanted(config, tag))
    finally:
        if not found:
            close(net)
    return net if found else None


def _wanted(config, tag):
    # Most often there is nothing new, and then that is all which is loaded.
    if tag == config.record["version"] and not config.record["repair"] and not config.repair:
        return False
    wanted = use("mpota.want").wanted(config, tag)
    done("want", "header", "rules")
    return wanted


def _find(net, done):
    """Open the manifest of the release, for reading. False where `done(tag)` said, as soon as the tag
    was known, that it is not needed."""
    c = net.config
    if c.tag and c.record["state"] != "trial" and done(c.tag):
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
            net.tag = to[0][i + len(mark) :].split("/")[0]
            if b"%" in net.tag.encode():
                net.tag = use("mpota.want").decoded(net.tag)
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
