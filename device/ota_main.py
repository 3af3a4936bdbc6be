"""mpota: main.py runs the app by this, so that an update still reaches the board when the app is broken.

It stays in memory beside the app, so what is needed now and then is in ota_over. What it needs of the firmware is
taken past the app's own files, by use().
"""

import sys

import ota_updater
from ota_updater import _call, log

running = False  # whether the app was started; a look before that proves nothing about it
reached = False  # whether the update server was, in this start: the owner's look says so
_look = _timer = None
_before = False  # whether a look was made before the app, and none since
_reset = None  # at hand, as there may be no memory to look for it
_most = _left = 0  # minutes without a look, in all and from now


def run(start, look, hours=72, reset=4, power=16, wake=64):
    """Run the app: `start` is the name of its module, which is imported, and its run() called, or a function.

    `look` is called without arguments, joins the network, calls update() and returns its result. Besides
    the app's own looks (see look()) it is called when the app has ended by an exception, when there was none for
    `hours`, and before the app at one of so many starts: by a reset or watchdog, by power on, by a wake from
    deep sleep. 0: never.
    """
    global _before, _look, _most, _reset, running
    _look, _most, _reset = look, int(hours * 60), ota_updater.use("machine").reset
    ota_updater._keep += ("ota_main",)  # an update() gives back the memory of the others
    try:
        if ota_updater.early() or (not on_trial() and _call("ota_cause", "lot", reset, power, wake)):
            _before = True
            _try() and _reset()
        known, began = list(sys.modules), _call("ota_over", "now")
        _arm()
        running = True
        try:
            if not isinstance(start, str):
                return start()
            __import__(start)
            start = getattr(sys.modules[start], "run", None)
            return start and start()
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as e:
            if on_trial():
                raise  # and ends it, see ota_trial
            sys.print_exception(e)
            log("E", "the app has ended: %r" % e)
        start = None
        _over(known, began)
    except (KeyboardInterrupt, SystemExit):  # a person is at the prompt, or will be
        if _timer:
            _timer.deinit()
        raise


def _over(known, began):
    """The app has ended: give back its memory, look for its fix, and begin anew."""
    for name in list(sys.modules):
        if name not in known:
            del sys.modules[name]
    ota_updater.leave()
    _try(restart)
    _call("ota_over", "wait", began)
    _reset()


def on_trial():
    return "ota_trial" in ota_updater._keep and not ota_updater.confirmed


def look():
    """Look for an update, from the app. Returns the version that is staged, or None; why it fails is
    said. Where there is no memory for it the board restarts, and the look is made before the app."""
    return _try(restart)


def restart():
    """Restart, and look for an update before the app is loaded: there is all of the memory then. A version on
    trial that has reached the server in this start is confirmed instead."""
    try:
        for name in list(sys.modules):  # nothing of the app is needed any more
            if name[:4] != "ota_":
                try:
                    sys.modules.pop(name).__dict__.clear()
                except (AttributeError, TypeError):  # built in
                    pass
        __import__("__main__").__dict__.clear()
        ota_updater.leave()
        ota_updater.confirm() if reached and running and on_trial() else ota_updater.early(True)
    except Exception as e:  # then it is up to chance, at the next starts
        log("E", "%r" % e)
    finally:
        _reset()


def _try(no_memory=None):
    """The owner's look. What it raises is said, and stops nothing."""
    global _before
    version = None
    try:
        version = _look()
    except Exception as e:
        log("W", "no update: %s" % (e if isinstance(e, ota_updater.OtaError) else repr(e)))
        if no_memory and (isinstance(e, MemoryError) or getattr(e, "memory", False)):
            if not _before or on_trial():
                no_memory()
    _before = _before and not running  # an app that looks at each start must not restart for ever
    _arm()
    return version


def _arm():
    """Have a timer count the minutes. Not before a trial is over, as there may be no timer but the trial's."""
    global _timer, _left
    if _timer is None and _most and not on_trial():
        _left = _most
        _timer = _call("ota_over", "arm", _tick)


def _tick(_):
    global _left
    _left -= 1
    if ota_updater.asked:
        ota_updater.asked = None  # it has, and will have to again
        _left = _most
    elif _left <= 0:
        log("E", "the app has not looked for an update for %d hours" % (_most // 60))
        restart()
