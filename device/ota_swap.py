"""mpota, the swap: exchanges files for those of a new version, or puts the old ones back.

It runs before any code of the app, and whatever it changes ends in a reset: the app never runs in an
interpreter that has seen both versions. A function for each state of spec/journal.md.
"""

import ota_journal
import ota_updater
from ota_files import Damaged, fed, kind
from ota_journal import record, write
from ota_moves import clear, make_room, tell
from ota_plan import plan, steps
from ota_steps import do, fits, undo
from ota_updater import HOME, log, use

# So often an exchange or an undo is begun again before it is given up: a failing flash needs a few, and
# the sun on a small panel at dawn may start a board many times for nothing.
_STARTS = 30


def run():
    """Bring the flash to a whole version. True where that one is on trial.

    Whatever goes wrong the app that lies there is started in the end.
    """
    for attempt in range(7):
        try:
            return _settle()
        except Exception as e:
            state = record()["state"]
            log("E", "%s: %r" % (state, e))
            if state not in ("swapping", "undoing"):
                if make_room(e):
                    continue
                if attempt > 2:
                    _stuck(state, e)
                    break
                continue
            # Nothing is written now, and no room is made: a move that found none lies in the memory of LittleFS
            # as one that has begun, and the next write would end it. The file would be nowhere then.
            _sleep(1 << attempt)
            if ota_journal.wrote and record()["boots"] <= _STARTS:
                # After a failed write the file system's own memory may be wrong: mount it anew.
                # This start was counted, so it does not go on for ever.
                reset()
    return False


def _stuck(state, e):
    """Three times in a row: a reset would only lead here again, so update() does not ask for one."""
    ota_updater.stuck = True
    if state == "staged" and not isinstance(e, OSError):  # no memory for it, most likely, now or later
        r = record()
        write(state="idle", next="", plan="", bad=r["next"], again=0, why="cannot be installed: %r" % e)


def _sleep(seconds):
    time = use("time")
    for _ in range(seconds * 10):
        fed()
        time.sleep_ms(100)


def reset():
    use("machine").reset()


def _settle():
    r = record()
    state = r["state"]
    old = "/.ota/old/" in ota_updater.place
    if state in ("idle", "staged") and old:
        # Left over, or of a board that this one's files were copied over: it is not in charge any more.
        clear("old", ("plan",))
        reset()
    if state in ("swapping", "undoing"):
        write(boots=r["boots"] + 1)
        if r["boots"] > 2:  # it may be room that is missing
            make_room(OSError(28))
            make_room(OSError(84))
        last = r["boots"] >= _STARTS
        if state == "undoing":
            _undoing(r, last)
        elif last:
            _give_up("not installed in %d starts" % _STARTS)
        else:
            _swapping(r)
    elif state in ("confirmed", "undone"):
        # Where a rename to another folder was cut, LittleFS hides the file behind the moved one
        # from every reader until something is written.
        write()
        moved = _undone(r) if state == "undone" else use("ota_keep").finish()
        if moved or old:  # boot.py is another one now, or this updater is gone from the flash
            reset()
    elif state == "staged":
        _staged(r)
    return state == "trial"


def _staged(r):
    """Look at everything once more. From here on the way is forward, or back through an undo."""
    try:
        for op in steps():
            if not fits(*op):
                raise Damaged("no longer as it was staged: " + op[1])
    except Damaged as e:
        log("E", "%s not installed: %s" % (r["next"], e))
        write(state="idle", next="", plan="", why=str(e))
        return
    write(state="swapping")
    _swapping(record())


def _swapping(r):
    log("I", "installing %s" % r["next"])
    changed = False
    try:
        for op in steps():
            changed = do(*op) or changed
    except Damaged as e:
        _give_up(str(e))
    if not changed:
        tell(r["next"], False)
        write(state="trial", boots=0, hook=0)
    # Where something changed all of it is looked at again with the file system mounted anew: what a
    # failing flash left in the file system's memory may have shown what is not there.
    reset()


def _give_up(why):
    """Decide for the old version; it is put back at the next start."""
    log("E", "%s failed: %s" % (record()["next"], why))
    try:
        ota_journal.give_up(why)
    finally:
        reset()


def _back(last):
    """Take the steps of the plan back: (whether the old version is whole, whether something changed)."""
    whole, changed = True, False
    for op in steps(True):
        try:
            done = undo(*op)
        except OSError:
            if not last:
                raise
            done = 2
        if done == 1:
            changed = True
        elif done:
            whole = False
            log("E", "backup is damaged: " + op[1])
    return whole, changed


def _undoing(r, last):
    """`last`: this is the last start for it; what cannot be put back stays as it is."""
    whole = changed = False
    try:
        if plan():
            clear("new", ("plan", "rollback.py"))  # the way back may need the room
            whole, changed = _back(last)
        else:
            clear("new", ("manifest.json", "rollback.py"))
            whole, changed = use("ota_rescue").back(last)
    except Exception as e:
        if not last and not isinstance(e, Damaged):
            raise
        log("E", "not put back: %r" % e)
    if changed and not last:
        reset()  # and once more, as in _swapping
    tell(r["version"], True)
    if whole:
        write(state="undone", boots=0)
    else:  # nothing is deleted; the next update looks at every file again
        write(state="idle", next="", plan="", repair=1, why="a backup was damaged")
    reset()


def _undone(r):
    hook = HOME + "new/rollback.py"
    if kind(hook) and r["boots"] < 2:
        write(boots=r["boots"] + 1)
        use("ota_trial").hook(hook, r["secs"])
    clear("new")
    clear("old")
    what = "comes up again" if 0 < r["again"] <= ota_journal.AGAIN else "is blocked"
    log("W", "back on %s; %s %s: %s" % (r["version"] or "the old version", r["bad"], what, r["why"]))
    write(state="idle", next="", plan="", boots=0, hook=0)
