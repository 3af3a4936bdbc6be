"""mpota: what is asked for, and where the board stands, before anything is asked of a server."""

import ota_updater
from mpota.update import done
from ota_updater import OtaError, use


def start(given):
    """In steps: (config, the trusted keys). What the journal says is in config.record from here on."""
    config, keys = use("mpota.config").start(given)
    done("config", "rules")
    yield 0
    r = use("ota_journal").record()
    config.trusted = keys
    config.record = {k: r[k] for k in "state version next bad again since why repair boots".split()}
    return config, keys


def busy(config):
    """In steps: what update() returns where it is not the time for another version."""
    r = config.record
    if r["state"] == "trial":
        return (yield from use("mpota.proof").prove(config))
    if r["state"] != "staged":
        raise OtaError("an update is not finished (%s): restart the board" % r["state"])
    if getattr(ota_updater, "stuck", False):
        raise OtaError("%s is staged, and this start could not install it: see the log" % r["next"])
    return r["next"]
