"""mpota: one update, from CONFIG to a release that is staged: a phase after the other, each loaded when
it begins and gone when it ends. The connection stays open from the first to the last."""

import gc
import sys
from mpota import HttpError
from ota_updater import OtaError, log, stuck, use


def done(*names):
    """Give back the memory of phases that are over; without names, of all, and of what lies beside them."""
    if not names:
        for name in ("ota_moves", "ota_journal"):
            sys.modules.pop(name, None)
    package = sys.modules["mpota"].__dict__  # which keeps its modules too
    for name in names or list(package):
        if name != "update" and sys.modules.pop("mpota." + name, None):
            package.pop(name)
    gc.collect()


def seek(config):
    """Find the release. (The look-up, first bytes of its manifest), or (None, None): nothing to do.
    Where the server answers, but not with a release, it is asked again after a while."""
    attempt = 0
    while True:
        net = None
        try:
            net = use("mpota.ask").look(config)
            if not net:
                return None, None
            return use("mpota.fit").look(net)
        except HttpError as e:
            attempt += 1
            if not e.status or attempt >= config.retries:
                raise
            log("W", "%s" % e)
            use("mpota.pause").pause(attempt - 1, e)


def check(given):
    net, _ = seek(use("mpota.config").start(given)[0])
    if not net:
        return None
    use("mpota.http").close(net)
    return net.tag


def update(given):
    config, keys = use("mpota.config").start(given)
    done("config", "version")
    r = use("ota_journal").record()
    if r["state"] == "trial":
        return use("mpota.proof").prove(config, seek)
    if r["state"] == "staged":
        if stuck:
            raise OtaError("%s is staged, and this start could not install it: see the log" % r["next"])
        return r["next"]
    if r["state"] != "idle":
        raise OtaError("an update is not finished (%s): restart the board" % r["state"])
    net, first = seek(config)
    if not net:
        return None
    done("ask", "header", "rules", "version", "pause")
    log("I", "%s found, %s is installed" % (net.tag, r["version"] or "nothing"))
    if not keys:
        log("W", "no keys are set: anybody who has the server has this board")
    try:
        return _take(config, keys, net, first)
    except OSError as e:
        done()
        raise OtaError(use("mpota.trouble").explain(e))
    finally:
        if net.sock:
            net.sock.close()


def _take(config, keys, net, first):
    use("ota_moves").clear("old")
    use("mpota.fit").save(net, first)
    done()
    seal = use("mpota.accept").accept(keys)
    done()
    m, todo, block = use("mpota.stage").plan(config, seal, net.tag)
    done()
    if not todo:
        return None
    use("mpota.fetch").Fetch(net, m, todo).run()
    done()
    return use("mpota.stage").staged(config, m, net.tag, block)
