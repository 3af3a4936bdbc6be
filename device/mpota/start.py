"""mpota: what is asked for, and where the board stands, before anything is asked of a server."""

import time
import ota_updater
from mpota import Bag
from mpota.update import done
from ota_updater import OtaError, use


def begin(what, given):
    """In steps: what update() or check() returns, or the steps that come next: this frame is over then. What the
    journal says is in config.record from here on."""
    config, config.trusted = use("mpota.config").start(given)
    done("config", "rules")
    yield 0
    r = use("ota_journal").record()
    config.record = {k: r[k] for k in "state version next bad again since why repair boots".split()}
    if what == "update" and r["state"] != "idle":
        return _busy(config)
    done()
    done("ota_files")  # asking needs nothing of it
    return use("mpota.seek").steps(what, config)


def _busy(config):
    """In steps: what update() returns where it is not the time for another version."""
    r = config.record
    if r["state"] == "trial":
        return (yield from use("mpota.proof").prove(config))
    if r["state"] != "staged":
        raise OtaError("an update is not finished (%s): restart the board" % r["state"])
    if getattr(ota_updater, "stuck", False):
        raise OtaError("%s is staged, and this start could not install it: see the log" % r["next"])
    return r["next"]


def look_up(config):
    """A new look-up: `net`, see source.py."""
    net = Bag()
    net.config = config
    net.base = config.base_url or "https://github.com"
    net.tag = config.tag
    net.urls = {}
    net.left = 0
    net.begun = time.ticks_ms()
    if config.token:
        use("mpota.api").start(net)
    if config.headers or config.query or config.report:
        use("mpota.own").start(net)
    return net
