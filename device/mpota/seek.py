"""mpota: what the server has."""

from mpota import HttpError
from mpota.update import OPENING, done
from ota_updater import log, use


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
            done("ask", "pause", *OPENING)
            attempt += 1
            if not e.status or attempt >= config.retries:
                raise
            log("W", "%s" % e)
            yield from use("mpota.pause").pause(attempt - 1, e)
