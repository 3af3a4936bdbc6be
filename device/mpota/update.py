"""mpota: one update, from CONFIG to a release that is staged: a phase after the other, each loaded when
it begins and gone when it ends. The connection stays open from the first to the last."""

import gc
import sys
from ota_updater import OtaError, use

# What opens a connection and an asset; body.py alone reads on from there.
OPENING = ("source", "http", "send", "tls", "answer", "api", "scan", "assets", "refused")


def done(*names):
    """Give back the memory of phases that are over; without names, of all, and of what lies beside them."""
    package = sys.modules["mpota"].__dict__  # which keeps its modules too
    for name in names or list(package) + ["ota_moves", "ota_journal"]:
        if name[:4] == "ota_":
            sys.modules.pop(name, None)
        elif name != "update" and sys.modules.pop("mpota." + name, None):
            package.pop(name)
    gc.collect()


def check(given):
    seek = use("mpota.seek")
    net = seek.seek(seek.start(given)[0])
    if not net:
        return None
    use("mpota.body").close(net)
    return net.tag


def update(given):
    net, found = use("mpota.seek").begin(given)
    if not net:
        return found
    try:
        return _take(net, found)
    except OSError as e:
        done()
        raise OtaError(use("mpota.trouble").explain(e))
    finally:
        if net.sock:
            net.sock.close()


def _take(net, keys):
    use("ota_moves").clear("old")
    use("mpota.fit").say_what_hides()
    use("mpota.fit").save(net)
    done()
    seal = use("mpota.accept").verify(keys)
    use("mpota.accept").accept(net.config, seal)
    done()
    m, todo, block = use("mpota.compare").plan(net.config, seal, net.tag)
    net.config.record = None  # it was of use up to here
    # Not the module of `m`: it would be loaded a second time.
    done("compare", "plan", "puts", "aside", "parts", "rom", "check", "rules", "header", "ota_moves", "ota_journal")
    if not todo:
        return None
    use("mpota.fetch").Fetch(net, m, todo).run()
    done()
    return use("mpota.stage").staged(net.config, m, net.tag, block)
