"""mpota: what the server has."""

from mpota import HttpError
from mpota.update import OPENING, done
from ota_updater import log, use


def steps(what, config):
    """In steps: what check() returns, what update() returns where there is nothing to take, or the steps that take
    what was found: this frame is over then, and this module goes with the next done()."""
    yield 0
    net = yield from seek(config)
    done("header", "rules", "want")
    if what == "check":
        if net:
            use("mpota.body").close(net)
        return net and net.tag
    if not net:
        done()
        return use("mpota.by_hand").look(config.record["version"])
    return use("mpota.take").take(net, config.trusted)


def seek(config):
    """In steps: the look-up of a release to take, None where there is none; net.first has the first bytes of its
    manifest. Where the server answers, but not with a release, it is asked again after a while."""
    attempt = 0
    while True:
        try:
            net = yield from use("mpota.ask").look(config)
            done("ask", *OPENING)
            return net and (yield from use("mpota.fit").look(net))
        except HttpError as e:
            # All that an attempt loads: what stays would call into modules that are gone.
            done("ask", "fit", "rollout", "turn", "who", "own", "pause", *OPENING)
            attempt += 1
            if not e.status or attempt >= config.retries:
                raise
            log("W", "%s" % e)
            yield from use("mpota.pause").pause(attempt - 1, e)
