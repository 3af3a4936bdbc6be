"""mpota, the guard: what boot.py starts, and what an app imports.

An ordinary start loads this file and nothing else of ours, looks whether the journal is at rest
(spec/journal.md), and is done. Whatever there is to do is in files of its own, loaded when it begins and gone when it
ends: ota_journal keeps the record, ota_app is what an app asks of it, ota_swap exchanges files and
puts them back, ota_trial watches over a new version, ota_keep keeps it, and the package `mpota` finds
and fetches a release.

An app calls boot(), confirm(), early(), due(), update(), check() and steps(), which stand below, and
rollback(why=None), status(), unblock() and window(first, last, offset_h=0), which stand in ota_app.

The files ota_*.py are one thing. While they are exchanged for others, the old ones lie in
.ota/old and stay in charge until the new ones have proved themselves: see ota_trial. Names that one
of them takes from another keep their meaning, for a damaged flash may mix an older and a newer one.
"""

import sys

# A file on sys.path comes before a built-in module of the firmware: a json.py of the app would be
# ours too. What we import is therefore looked for among the firmware's own only, see use().
place = sys.path[:]
sys.path[:] = [".frozen"]
try:
    import gc
    import json
    import os

    try:
        from binascii import crc32
    except ImportError:  # ESP8266: ota_journal knows how to do without
        crc32 = None
finally:
    sys.path[:] = place

ROOT = os.getcwd()  # "/" on most ports, "/flash" on some
if ROOT[-1:] != "/":  # a slice: one character by its index would be a name, and kept for ever
    ROOT += "/"
HOME = ROOT + ".ota/"
place = __file__  # relative where the entry of sys.path was, and the app may change the folder
place = ROOT + place if place[:1] != "/" else place

# Set by others, where it is so: `stuck`, this start could not install what is staged; `in_hook`, a hook of the
# release runs; `watched`, the updater before this one watches over its trial; `changed`, names of files that were
# changed by hand, as the last look has found them; `cached`, see status(). A name more than 37 would make the
# table of them 80 bytes larger.
started = 0  # how often boot() was called since the reset
confirmed = False  # whether this start has kept a new version
asked = False  # whether the app has called update() or check(): a sign of life. None: see ota_main
_due = None  # how long due() need not look closer, see ota_due
watchdog = None  # what boot() was given to feed one
_keep = ("ota_updater", "ota_aio")  # the app has them, too
_free = [1]  # empty while an update runs: to take out of a list is one step, for threads too
_buf = None
_firmware = None


class OtaError(Exception):
    """What went wrong with an update, in words for people."""

    wait = 0  # seconds before which the server does not want to be asked again
    memory = False  # whether it was the memory: early(True) and a reset leave an update all of it


def log(level, text):
    """One line for people: I, W or E, and what happened. Servers have a say in some of them; what helps stands
    at the end."""
    print("ota", level, text if len(text) < 110 else text[:48] + "..." + text[-58:])


def buffer():
    """The one buffer of the updater, 1 KB, allocated at its first use."""
    global _buf
    if _buf is None:
        _buf = memoryview(bytearray(1024))
    return _buf


def use(name):
    """Import a module of ours. What the app has under the names of the firmware's modules is out of
    sight meanwhile, on the flash and in memory."""
    global _firmware
    if name in sys.modules and name[:5] == "mpota":
        return sys.modules[name]
    seen, away, firmware = sys.path[:], {}, _firmware or {}
    for k in list(sys.modules):
        if k[:5] != "mpota" and k[:4] != "ota_":
            away[k] = sys.modules.pop(k)
    home = [place[: place.rfind("/")] or "/", ".frozen"]
    try:
        if not firmware:
            sys.path[:] = home
            _firmware = firmware = __import__("ota_firmware").load(sys)
            del sys.modules["ota_firmware"]
        # A json.py may lie right beside us, but what is loaded is not looked for.
        sys.modules.update(firmware)
        sys.path[:] = home
        return __import__(name, None, None, ("*",))
    finally:
        for k in firmware:
            sys.modules.pop(k, None)
        sys.path[:] = seen
        sys.modules.update(away)


def leave(but=()):
    """Give back the memory of our modules, but for these, and for those that a trial needs to its end."""
    global _buf, _firmware
    _buf = _firmware = None
    for k in list(sys.modules):
        if (k[:5] == "mpota" or k[:4] == "ota_") and k not in _keep and k not in but:
            del sys.modules[k]
    gc.collect()


def _call(module, what, *args, **named):
    global _buf
    # Between two steps of an update its modules stay, and so does what it has in the buffer.
    there, mine, _buf = () if _free else list(sys.modules), _buf, None
    try:
        return getattr(use(module), what)(*args, **named)
    finally:
        leave(there)
        _buf = mine


def _at_rest():
    """Whether what there is of the journal is whole, and its newest record says that nothing is to be
    done. Where anything else is found ota_journal takes a closer look."""
    rest, seq = True, 0  # a board that was never updated has none of them
    try:
        for i in (0, 1):
            text = r = None  # the other one's memory is needed
            try:
                f = open(HOME + "state.%d" % i, "rb")
            except OSError as e:
                if e.errno == 2:
                    continue
                raise
            with f:
                crc, text = f.read(9), f.read(632)
            r = json.loads(text)
            if crc != b"%08x " % crc32(text[:-1]) or text[-1:] != b"\n":
                return False
            if r["seq"] > seq:
                rest, seq = r["state"] == "idle" and not r.get("early"), r["seq"]
    except Exception:  # no memory is no rest either: an app must not start between two versions for that
        return False
    return rest


# --- what boot.py and the app call ---------------------------------------


def boot(feed=None):
    """First thing in boot.py: finish or undo an interrupted update, and watch over a new version. `feed` is
    called meanwhile, for a watchdog.

    On an ordinary start it reads the journal, writes nothing and returns. Raises nothing of its
    own accord: whatever is wrong, the app that lies there starts; where the flash takes no writes
    any more between two versions, after two minutes of trying.
    """
    global started, watchdog, _keep
    started += 1
    watchdog = feed or watchdog
    if started > 1 or (_at_rest() and "/.ota/old/" not in place):
        return
    on_trial = False
    for _ in range(3):  # an app must not start between two versions because one allocation failed
        try:
            if use("ota_journal").record()["state"] != "idle" or "/.ota/old/" in place:
                on_trial = use("ota_swap").run()
            break
        except Exception as e:
            log("E", repr(e))
            leave()
    if on_trial:
        _keep += ("ota_journal", "ota_trial")
        leave()
        use("ota_trial").run()
    leave()


def confirm():
    """Keep the version on trial; best called once the app has reached the update server.

    Returns True where there was one. From then on it is the installed version,
    and the old one is removed.
    """
    return not _at_rest() and _call("ota_keep", "confirm")


def early(ask=None):
    """For an app that leaves no memory for an update: early(True), then a reset. At the start, before
    the app is loaded, early() is True once: the time to call update()."""
    return not (ask is None and _at_rest()) and _call("ota_app", "early", ask)


def due(*a, **k):
    """due(hours, sleep_s=0): whether it is time to call update(): once in so many hours, and soon after the start. An
    app that sleeps deeply says for how many seconds, from one wake to the next; the answer is for this wake."""
    return (not _due or _due[0](_due[1], _due[2]()) <= 0) and _call("ota_due", "due", *a, **k)


def __getattr__(name):  # what is called seldom lies in ota_app
    if name not in "rollback status unblock window".split():
        raise AttributeError(name)
    return lambda *a, **k: _call("ota_app", name, *a, **k)


def update(config):
    """Look for a release and stage it. Returns its version, None where there is nothing to do.

    After a version was returned machine.reset() installs it. Raises OtaError; the app goes on.
    """
    return steps("update", config, "wait")


def check(config):
    """The version that update() would stage, None where there is nothing new."""
    return steps("check", config, "wait")


def steps(what, config, how):
    """update() or check(); with how="steps" for who does other things meanwhile: a generator that says at each
    yield how many ms to wait. Once begun it is to be closed."""
    global asked
    asked = True
    try:
        return getattr(use("mpota.update"), how)(what, config)
    except OtaError:
        raise
    except MemoryError as e:  # there may be none to load what says it better
        leave()
        e = OtaError("not enough memory: %s; call early(True) and reset" % e)
        e.memory = True
        raise e
    except Exception as e:
        leave()
        raise use("ota_fail").failed(what, e)
