"""mpota, the trial: runs a new version under watch, and decides for the old one when it fails.

boot.py and main.py are run from here, so that their exceptions are seen; a timer sees a hang, and
the count of starts sees resets. A new boot.py has to prove itself in new/boot.py: the firmware's
own run of it has nobody above it.

Where the updater itself was exchanged, this is the old one's trial module, out of .ota/old. It counts
and holds the clock, and leaves the rest to the new one: see _hand_over().
"""

import gc
import json
import sys

import ota_updater
from ota_files import kind, line
from ota_journal import forget, give_up, record, write
from ota_updater import HOME, ROOT, OtaError, log, use

# Ports that go on with main.py after an exception out of boot.py.
_RUNS_MAIN_ANYWAY = ("pyboard", "renesas-ra", "nrf52", "esp8266")

_reset = None  # at hand, as there may be no memory to look for it
_timer = None
_waited = 0  # seconds of this start
_new = None  # the updater on trial, where this is the one before it


class MainReturned(BaseException):
    """main.py came to its end during a trial; ends boot.py, so that it is not run again."""


def run():
    """One start of a version on trial. Does not return: the firmware must not run main.py again."""
    global _reset
    old = "/.ota/old/" in ota_updater.place
    _reset = use("machine").reset
    if not getattr(ota_updater, "watched", False):
        _count()
        _arm(record()["secs"])
    else:  # what this trial may do without has to load, too
        for name in ("ota_app", "ota_keep"):
            use(name)
            del sys.modules[name]
    try:
        _hand_over() if old else _start()
    except (SystemExit, KeyboardInterrupt):
        raise  # a soft reset, or a person at the REPL
    except BaseException as e:
        forget()
        # What is no Exception comes from the watch of a new updater, and ends boot.py for it.
        if record()["state"] != "trial" or (old and not isinstance(e, Exception)):
            raise
        sys.print_exception(e)
        _fail(repr(e))
    if sys.platform in _RUNS_MAIN_ANYWAY:
        sleep_ms = use("time").sleep_ms
        while True:  # timers of the app go on, and so does the trial's
            sleep_ms(1000)
    raise MainReturned("main.py has returned")


def _count():
    """Count this start. To wake from sleep, or to have no power for a while, is nothing bad: that only ends
    a trial which would never end. Resets are, and those of a watchdog say that it was a crash."""
    r, cause = record(), use("ota_cause").cause()
    if r["boots"] > r["tries"] > 0:  # by what update() found, see ota_updater
        _fail(r["why"])
    key, most = ("wakes", "most") if cause in ("wake", "power") else ("boots", "tries")
    n = r[key] + 1
    if n > r[most] > 0:  # 0: staged by an updater that did not know of this limit
        if cause == "watchdog":
            _fail("the watchdog has ended it, the last of %d resets" % n)
        _fail("not confirmed in %d %s" % (r[most], "starts" if key == "wakes" else "resets"), True)
    try:
        write(**{key: n})
    except OSError as e:  # no space, perhaps: the timer and exceptions still end the trial
        log("E", "journal: %s" % e)
    log("I", "trial of %s, start by %s, %d of %d" % (r["next"], cause, n, r[most]))


def _hand_over():
    """Start the updater that is on trial, and have it watch over the app, as it will have to from now
    on. If it does not load, is none, raises, hangs or resets, this one puts itself back."""
    global _new
    path = sys.path[:]
    for name in list(sys.modules):
        if name[:4] == "ota_":
            del sys.modules[name]
    new, why = None, "no file"
    for folder in ("lib", ""):
        sys.path[:] = [ROOT + folder]
        try:
            new = __import__("ota_updater")
            new.boot
            break
        except Exception as e:
            new = None
            if not isinstance(e, ImportError):
                why = repr(e)
            sys.modules.pop("ota_updater", None)
    sys.path[:] = path
    if not new:
        raise OtaError("the updater of the new version does not import: " + why)
    _new = new
    new.watched = True  # it need not count, nor hold the clock
    new.boot()
    forget()
    if record()["state"] == "trial":
        raise OtaError("the new updater does not watch over a trial")


def _start():
    """The hook of the new version, its boot.py and its main.py, in the firmware's order."""
    r = record()
    with open(HOME + "new/manifest.json", "rb") as f:
        hooks = json.loads(line(f, 1024) + b"]}").get("hooks", {})
    if "post_update" in hooks and not r["hook"]:
        ota_updater.in_hook = True
        _execute(ROOT + hooks["post_update"])
        ota_updater.in_hook = False
        write(hook=1)
    new = HOME + "new/boot.py"
    boot_py = new if kind(new) else ROOT + "boot.py"
    if kind(boot_py):
        _execute(boot_py)
        if ota_updater.started < 2:
            raise OtaError("boot.py does not call ota_updater.boot()")
    if kind(ROOT + "main.py"):
        _execute(ROOT + "main.py")


def _execute(path):
    """Run a file as the firmware would: in __main__, where boot.py and main.py share their names."""
    if path[-4:] == ".mpy":  # a hook: only an import takes it
        name = path[path.rfind("/") + 1 : -4]
        sys.path.insert(0, path[: path.rfind("/")])
        try:
            __import__(name)
        finally:
            sys.path.pop(0)
            sys.modules.pop(name, None)
        return
    import builtins

    scope = __import__("__main__").__dict__
    if hasattr(builtins, "execfile"):
        builtins.execfile(path, scope)
    else:
        with open(path) as f:
            exec(compile(f.read(), path, "exec"), scope)


def hook(path, secs):
    """Run the rollback hook. What it raises is said, and stops nothing; a hang ends after `secs`."""
    global _reset
    _reset = use("machine").reset
    _arm(secs)
    ota_updater.in_hook = True
    try:
        _execute(path)
    except Exception as e:
        log("E", "rollback hook: %r" % e)
    ota_updater.in_hook = False
    _arm(0)


def _fail(why, again=False):
    """Decide for the old version. It is put back at the next start, before any app code runs. With `again`
    nothing has crashed: the version comes up again after a while, see want.py."""
    try:
        # The app may have taken all of the memory, and may go on taking it.
        __import__("__main__").__dict__.clear()
        for name in list(sys.modules):
            if name[:4] != "ota_":
                del sys.modules[name]
        gc.collect()
        r = record()
        log("E", "%s failed: %s" % (r["next"], why))
        for _ in range(3):
            try:
                give_up(why, again)
                break
            except OSError as e:  # then the count of starts decides
                log("E", "journal: %s" % e)
    finally:
        _reset()


def _waits():
    """Whether the app was alive in this start, and waits for others: it has asked the server, or the Wi-Fi
    is away."""
    if ota_updater.asked or (_new and _new.asked):
        return True
    try:
        network = use("network")
        wlan = network.WLAN(network.STA_IF)
        return wlan.active() and not wlan.isconnected()
    except (ImportError, AttributeError, OSError, MemoryError):
        return False


def _arm(secs):
    """Start the timer that ends a trial (0 stops it). Its callback runs between bytecodes."""
    global _timer
    if _timer:
        _timer.deinit()
        _timer = None
    if secs:
        _timer = use("ota_cause").timer(secs * 1000, _too_late)
        if _timer is None:
            log("W", "no Timer here: only the count of boots ends a trial")


def _too_late(_):
    # The app may have left no memory to read the journal: what is known of it has to do. What is wound up
    # goes on by itself: there may be none for another timer either.
    global _waited
    if _new and _new.confirmed:
        return
    r = record()
    if r["state"] == "trial":
        _waited += r["secs"]
        waits = _waits()
        if not waits or _waited >= r["wait"]:
            _fail("not confirmed within %d s" % _waited, waits)
    elif r["state"] == "undone":  # the rollback hook hangs
        _reset()
    else:
        _timer.deinit()
