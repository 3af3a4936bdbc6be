"""mpota: keeps a version that was on trial. The record comes first, and takes the least memory: what else is to
be done can be done at the next start."""

import gc
import ota_updater
from ota_files import Damaged, file_hash, kind
from ota_journal import forget, record, write
from ota_updater import HOME, ROOT, OtaError, log, use


def confirm():
    gc.collect()
    # While there is a piece of its size: the app is beside us. What is read here is short.
    ota_updater._buf = memoryview(bytearray(512))
    forget()
    if record()["state"] != "trial":
        return False
    if getattr(ota_updater, "in_hook", False):  # nothing of the app has run yet
        log("W", "a hook cannot confirm")
        return False
    write(state="confirmed")
    ota_updater.confirmed = True
    threshold = getattr(gc, "threshold", None)
    before = threshold and threshold()
    try:
        if threshold:  # see mpota.update
            kb = min((gc.mem_alloc() + gc.mem_free()) >> 10, 4096)  # what may grow says it has gigabytes
            threshold(kb * kb >> 2)
        write()  # in both places, before anything is removed: one damaged record must not undo it
        finish()
    except (OSError, OtaError, ValueError, ImportError, MemoryError) as e:  # boot() finishes it
        log("W", "confirmed, to be finished at the next start: %r" % e)
    finally:
        if threshold:
            threshold(before)
    return True


def finish():
    """confirmed -> idle. True where boot.py was replaced, and the one that runs is the old one."""
    r = record()
    moves, plan = use("ota_moves"), use("ota_plan")
    moved, repair = False, 0
    moves.make_room(OSError(28))  # before anything is moved: LittleFS may lose what it has no room to move
    if kind(HOME + "new/manifest.json"):  # it is moved last: until then all of this is done again
        try:
            for op in plan.steps():
                if op[0] == "late" and file_hash(ROOT + op[1]) != op[3]:
                    if file_hash(HOME + "new/boot.py") != op[3]:
                        raise Damaged("boot.py is damaged")
                    plan.move(HOME + "new/boot.py", ROOT + op[1], op[3])
                    moved = True
                elif op[0] in ("save", "drop"):
                    plan.prune(op[1])
        except Damaged as e:
            log("E", "%s: the next update looks at every file again" % e)
            repair = 1
        plan.move(HOME + "new/manifest.json", HOME + "manifest.json", file_hash(HOME + "new/manifest.json"))
    moves.tell(r["next"], True)
    moves.clear("new")
    moves.clear("old")
    log("I", "%s is installed" % r["next"])
    write(state="idle", version=r["next"], next="", plan="", boots=0, hook=0, repair=repair, bad="", again=0, why="")
    return moved
