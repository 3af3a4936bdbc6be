"""mpota: the beginning of an update: what is asked for, where the board stands, and what the server has."""

from mpota import HttpError
from mpota.update import OPENING, done
from ota_updater import OtaError, log, stuck, use


def start(given):
    """(config, the trusted keys). What the journal says is in config.record from here on."""
    config, keys = use("mpota.config").start(given)
    done("config", "rules")
    r = use("ota_journal").record()
    config.record = {k: r[k] for k in "state version next bad why repair".split()}
    r = None
    done()
    done("ota_files")  # asking needs nothing of it
    return config, keys


def seek(config):
    """The look-up of a release to take, None where there is none; net.first has the first bytes of its
    manifest. Where the server answers, but not with a release, it is asked again after a while."""
    attempt = 0
    while True:
        try:
            net = use("mpota.ask").look(config)
            done("ask", *OPENING)
            return net and use("mpota.fit").look(net)
        except HttpError as e:
            done("ask", "pause", *OPENING)
            attempt += 1
            if not e.status or attempt >= config.retries:
                raise
            log("W", "%s" % e)
            use("mpota.pause").pause(attempt - 1, e)


def begin(given):
    """(The look-up of a release to take, the trusted keys), or (None, what update() then returns)."""
    config, keys = start(given)
    r = config.record
    if r["state"] == "trial":
        return None, use("mpota.proof").prove(config, seek)
    if r["state"] == "staged":
        if stuck:
            raise OtaError("%s is staged, and this start could not install it: see the log" % r["next"])
        return None, r["next"]
    if r["state"] != "idle":
        raise OtaError("an update is not finished (%s): restart the board" % r["state"])
    net = seek(config)
    done("seek", "header", "rules", "want")
    if not net:
        return None, None
    if r["version"]:
        log("I", "%s found, %s is installed" % (net.tag, r["version"]))
    else:
        log("I", "%s found, nothing is installed" % net.tag)
    if not keys:
        log("W", "no keys are set: anybody who has the server has this board")
    return net, keys
