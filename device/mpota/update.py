"""mpota: one update, from CONFIG to a release that is staged: a phase after the other, each loaded when
it begins and gone when it ends. The connection stays open from the first to the last.

What may take long is a generator, "in steps": it yields how many ms to wait until it goes on, and between
two steps the rest of the app has its turn. A step is a KB, a line of a manifest, a few points of a curve.
"""

import gc
import sys
import time
import ota_updater
from ota_updater import OtaError, leave, use

# What opens a connection and an asset; body.py alone reads on from there.
OPENING = ("source", "http", "redirect", "send", "tls", "answer", "framing", "api", "scan", "assets", "refused")


def done(*names):
    """Give back the memory of phases that are over; without names, of all, and of what lies beside them.

    What has a name is emptied, too: a word that happens to look like a pointer to a generator which is over
    would keep the whole module. Nothing of it may run any more."""
    package = sys.modules["mpota"].__dict__  # which keeps its modules too
    for name in names or list(package) + ["ota_moves", "ota_journal"]:
        if name[:4] == "ota_":
            sys.modules.pop(name, None)
        elif name != "update":
            module = sys.modules.pop("mpota." + name, None)
            if module:
                package.pop(name)
                if names:
                    module.__dict__.clear()
    module = None
    gc.collect()


def tell(config, key, *args):
    """Call what CONFIG has under `key`. What that raises ends the update, by its name."""
    what = config.get(key)
    if what:
        try:
            what(*args)
        except Exception as e:
            raise OtaError("CONFIG: %s raised %r" % (key, e))


def steps(what, given):
    """In steps: update() or check(), with the watchdog of CONFIG fed at each."""
    # Collecting only when the memory is full would leave what stays scattered all over it. More often
    # it stays close together, and what needs a large piece finds one: after 324 bytes where there are
    # 36 KB, and after 6 KB where there are 160 and nothing is scarce but time.
    if not ota_updater._free:
        raise OtaError("another update() or check() is running")
    ota_updater._free.pop()
    gc.collect()
    threshold = getattr(gc, "threshold", None)
    before = threshold and threshold()
    work = use("mpota.start").begin(what, given)
    generator = type(work)
    try:
        if threshold:
            kb = min((gc.mem_alloc() + gc.mem_free()) >> 10, 4096)  # what may grow says it has gigabytes
            threshold(kb * kb >> 2)
        while True:
            try:
                ms = next(work)  # the first one has looked at CONFIG
            except StopIteration as e:
                if not isinstance(e.value, generator):
                    return e.value
                work, ms = e.value, 0
            tell(given, "feed")
            yield ms
    except Exception as e:
        error = e
    finally:
        work.close()  # what waits there closes what it has open
        work = None
        if threshold:
            threshold(before)
        leave()
        ota_updater._free.append(1)
    raise use("ota_fail").failed(what, error)


def wait(what, given):
    """All steps at once."""
    work = steps(what, given)
    try:
        while True:
            time.sleep_ms(next(work))
    except StopIteration as e:
        return e.value
    finally:
        work.close()
