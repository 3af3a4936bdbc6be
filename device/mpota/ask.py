"""mpota: the question whether there is a release to take; its manifest is open then."""

from mpota.body import close
from mpota.http import split
from mpota.source import open, start
from mpota.update import done
from ota_updater import use


def look(config):
    """In steps: the look-up with the manifest of a release open that may be new; None: there is none."""
    net = start(config)
    found = False
    try:
        found = yield from _find(net, lambda tag: not _wanted(config, tag))
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
    """In steps: open the manifest of the release, for reading. False where `done(tag)` said, as soon as the tag
    was known, that it is not needed."""
    c = net.config
    if c.tag and c.record["state"] != "trial" and done(c.tag):
        return False
    if net.api and not (yield from use("mpota.api").find(net, done)):
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
            yield from use("mpota.guess").guess(net, url)
        return False

    return (yield from open(net, "manifest.json", moved=moved))
