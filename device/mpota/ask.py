"""mpota: the question whether there is a release to take; its manifest is open then."""

from mpota import HttpError
from mpota.body import close
from mpota.http import split
from mpota.source import address, open
from mpota.update import done
from ota_updater import use


def look(config):
    """In steps: the look-up with the manifest of a release open that may be new; None: there is none."""
    net = use("mpota.start").look_up(config)
    done("start", "own", "report", "who")
    found = False
    try:
        # A trial reads a manifest whatever its version is: that the settings lead to one, over the hosts that are
        # redirected to and with the certificates that are there, is what it has to show.
        trial = config.record["state"] == "trial"
        found = yield from _find(net, lambda tag: not trial and not _wanted(config, tag))
    finally:
        config.offered = net.tag  # which release it is about, where the server has said it; see proof.py
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


def _find(net, enough):
    """In steps: open the manifest of the release, for reading. False where `enough(tag)` said, as soon as the tag
    was known, that it is not needed."""
    c = net.config
    if c.tag and enough(c.tag):
        return False
    if net.api and not (yield from use("mpota.api").find(net, enough)):
        return False

    def moved(url, to):
        mark = "/releases/download/"  # a renamed repository has another name here
        i = to[0].find(mark)
        if not net.tag and not c.channel and i >= 0:
            net.tag = to[0][i + len(mark) :].split("/")[0]
            if b"%" in net.tag.encode():
                net.tag = use("mpota.want").decoded(net.tag)
            if enough(net.tag):
                return True
        if net.tag and c.record["state"] != "trial" and split(url)[0] != split(to)[0]:
            yield from use("mpota.redirect").guess(net, url)
        return False

    lines, url = (), None if net.api or c.tag else address(net, "manifest.json")[0]
    if url:
        lines = use("mpota.seen").saved(url, c, enough)
        done("seen")
    try:
        if not (yield from open(net, "manifest.json", lines, moved)):
            return False
    except HttpError as e:
        if lines and e.status and not e.wait:  # it may be what the server does not understand
            use("mpota.seen").forget()
        raise
    if net.status == 304:
        use("mpota.seen").late(net)
        return False
    if not net.tag:  # else the redirect says what there is, at once
        net.seen = url and (url, net.head)
    return True
