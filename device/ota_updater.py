"""mpota, the guard: what boot.py starts, and what an app imports.

An ordinary start loads this file and nothing else of ours, looks whether the journal is at rest
(spec/journal.md), and is done. Whatever there is to do is in files of its own, loaded when it begins and gone when it
ends: ota_journal keeps the record, ota_app is what an app asks of it, ota_swap exchanges files and
puts them back, ota_trial watches over a new version, and the package `mpota` finds and fetches a
release.

The files ota_*.py are one thing. While they are exchanged for others, the old ones lie in
.ota/old and stay in charge until the new ones have proved themselves: see ota_trial. Names that one
of them takes from another keep their meaning, for a damaged flash may mix an older and a newer one.
"""

import sys

# A file on sys.path comes before a built-in module of the firmware: a json.py of the app would be
# ours too. What we import is therefore looked for among the firmware's own only, see use().
_path = sys.path[:]
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
    sys.path[:] = _path

# The modules of the firmware that ours import; a test compares them with the code. The last is for
# firmware without the one before it.
FIRMWARE = "array binascii builtins deflate gc hashlib io json machine micropython os socket sys time tls ssl"

ROOT = os.getcwd()  # "/" on most ports, "/flash" on some
if ROOT[-1] != "/":
    ROOT += "/"
HOME = ROOT + ".ota/"
place = __file__  # relative where the entry of sys.path was, and the app may change the folder
place = ROOT + place if place[0] != "/" else place

started = 0  # how often boot() was called since the reset
stuck = False  # whether this start could not install what is staged
in_hook = False
confirmed = False  # whether this start has kept a new version
watched = False  # whether the updater before this one watches over its trial
_keep = ()
_buf = None
_firmware = None


class OtaError(Exception):
    """What went wrong with an update, in words for people."""

    wait = 0  # seconds before which the server does not want to be asked again
    memory = False  # whether it was the memory: early(True) and a reset leave an update all of it


def log(level, text):
    """One line for people: I, W or E, and what happened. Servers have a say in some of them."""
    print("ota", level, text if len(text) < 110 else text[:106] + "...")


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
    try:
        if not firmware:
            sys.path[:] = [".frozen"]
            for k in FIRMWARE.split():
                if k != "ssl" or "tls" not in firmware:
                    try:
                        firmware[k] = __import__(k)
                    except ImportError:
                        pass
            _firmware = firmware
        # A json.py may lie right beside us, but what is loaded is not looked for.
        sys.modules.update(firmware)
        sys.path[:] = [place[: place.rfind("/")] or "/", ".frozen"]
        return __import__(name, None, None, ("*",))
    finally:
        for k in firmware:
            sys.modules.pop(k, None)
        sys.path[:] = seen
        sys.modules.update(away)


def leave():
    """Give back the memory of our modules, but for those that a trial needs to its end."""
    global _buf, _firmware
    _buf = _firmware = None
    for k in list(sys.modules):
        if (k[:5] == "mpota" or k[:4] == "ota_") and k != "ota_updater" and k not in _keep:
            del sys.modules[k]
    gc.collect()


def _call(module, what, *args):
    # Collecting only when the memory is full would leave what stays scattered all over it. More often
    # it stays close together, and what needs a large piece finds one.
    threshold = getattr(gc, "threshold", None)
    before = threshold and threshold()
    try:
        if threshold:
            threshold((gc.mem_alloc() + gc.mem_free()) >> 5)
        return getattr(use(module), what)(*args)
    finally:
        if threshold:
            threshold(before)
        leave()


def _at_rest():
    """Whether the records of the journal are whole, and the newest one says that nothing is to be
    done. Where anything else is found ota_journal takes a closer look."""
    rest, seq = False, 0
    try:
        for i in (0, 1):
            with open(HOME + "state.%d" % i, "rb") as f:
                line = f.read(513)
            text = line[9:-1]
            r = json.loads(text)
            if line != b"%08x %s\n" % (crc32(text), text):
                return False
            if r["seq"] > seq:
                rest, seq = r["state"] == "idle" and not r.get("early"), r["seq"]
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return rest


# --- what boot.py and the app call ---------------------------------------


def boot():
    """First thing in boot.py: finish or undo an interrupted update, and watch over a new version.

    On an ordinary start it reads the journal, writes nothing and returns. Raises nothing of its
    own accord: whatever is wrong, the app that lies there starts; where the flash takes no writes
    any more between two versions, after two minutes of trying.
    """
    global started, _keep
    started += 1
    if started > 1 or (_at_rest() and "/.ota/old/" not in place):
        return
    on_trial = False
    for _ in range(3):  # an app must not start between two versions because one allocation failed
        try:
            if use("ota_journal").record()["state"] != "idle" or "/.ota/old/" in place:
                on_trial = use("ota_swap").run()
            break
        except Exception as e:
            log("E", "%r" % e)
            leave()
    if on_trial:
        _keep = ("ota_journal", "ota_trial")
        leave()
        use("ota_trial").run()
    leave()


def confirm():
    """Keep the version on trial; best called once the app has reached the update server.

    Returns True where there was one. From then on it is the installed version,
    and the old one is removed.
    """
    return not _at_rest() and _call("ota_app", "confirm")


def rollback(why="asked for by the app"):
    """Give up the version on trial, or drop the staged one; the caller then resets. `why` is for
    status() and the log, and may be anything.

    Raises OtaError where there is nothing to go back to: a confirmed version has no backup.
    """
    _call("ota_app", "rollback", why)


def early(ask=None):
    """For an app that leaves no memory for an update: early(True), then a reset. At the start, before
    the app is loaded, early() is True once: the time to call update()."""
    return not (ask is None and _at_rest()) and _call("ota_app", "early", ask)


def status():
    """What is known, as a dict: state, version, next, boots, bad, why, and created (of the
    installed release, seconds since 1970; 0 where it is not said)."""
    return _call("ota_app", "status")


def update(config):
    """Look for a release and stage it. Returns its version, None where there is nothing to do.

    After a version was returned machine.reset() installs it. Raises OtaError; the app goes on.
    """
    return _online("update", config)


def check(config):
    """The version that update() would stage, None where there is nothing new."""
    return _online("check", config)


def _online(what, config):
    leave()
    memory = False
    try:
        return _call("mpota.update", what, config)
    except OtaError:
        raise
    except MemoryError as e:
        memory = True
        why = "not enough memory: %s, %d KB are free; call early(True) and reset" % (e, gc.mem_free() >> 10)
    except Exception as e:  # whatever a server or the flash made of it: the app knows OtaError only
        why = "%s failed: %r" % (what, e)
    error = OtaError(why)
    error.memory = memory
    raise error
