"""mpota: the part of the updater that must never fail.

The journal, the swap, the undo, the trial and its end are in this one file,
which imports nothing else of ours: half-way through an update of the updater
the board runs the old one or the new one, never a mixture. The journal and
the plan are described in spec/journal.md.
"""

import json
import os
import sys
from micropython import const

try:
    import machine as _machine
except ImportError:
    _machine = None

_DIR = const(0x4000)
_FILE = const(0x8000)
_RECORD = const(512)  # bytes, the longest journal record
# So often an exchange or an undo is begun again before it is given up: a failing flash needs a few, and
# the sun on a small panel at dawn may start a board many times for nothing.
_STARTS = const(30)

# What a missing key of a record means; also the record of a new board.
_EMPTY = {"mpota": 1, "seq": 0, "state": "idle", "version": "", "next": "", "plan": "", "boots": 0}
_EMPTY.update({"tries": 3, "secs": 600, "hook": 0, "repair": 0, "bad": "", "why": ""})
_STATES = ("idle", "staged", "swapping", "trial", "confirmed", "undoing", "undone")
# Ports that go on with main.py after an exception out of boot.py.
_RUNS_MAIN_ANYWAY = ("pyboard", "renesas-ra", "nrf52", "esp8266")

ROOT = os.getcwd()  # "/" on most ports, "/flash" on some
if ROOT[-1] != "/":
    ROOT += "/"
HOME = ROOT + ".ota/"

_rec = None
_buf = None
_timer = None
_copies = None  # True where a move has to be a copy: FAT
_written = False  # whether the journal was written since the reset
_booted = 0  # how often boot() was called since the reset


class OtaError(Exception):
    """What went wrong with an update, in words for people."""

    wait = 0  # seconds before which the server does not want to be asked again


class Damaged(OtaError):
    """A file is not what the plan says: neither old nor new."""


class MainReturned(BaseException):
    """main.py came to its end during a trial; ends boot.py, so that it is not run again."""


def log(level, text):
    print("ota", level, text if len(text) < 110 else text[:106] + "...")  # servers have a say in some


def buffer():
    """The one buffer of the updater, 1 KB, allocated at its first use."""
    global _buf
    if _buf is None:
        _buf = memoryview(bytearray(1024))
    return _buf


# --- files ---------------------------------------------------------------


def kind(path):
    """0x8000: a file, 0x4000: a directory, 0: nothing there."""
    try:
        return os.stat(path)[0]
    except OSError as e:
        if e.errno in (2, 20):  # ENOENT, ENOTDIR; anything else is a failing flash
            return 0
        raise


def refresh():
    """Read all over the flash: LittleFS keeps what a failed read left in its cache."""
    try:
        os.statvfs(ROOT)
    except OSError:
        pass


def new_hash():
    """(SHA-256 or None, a function for a CRC32 over what came before and a buffer)."""
    try:
        from hashlib import sha256

        return sha256(), None
    except ImportError:
        return None, crc32


def crc32(data, crc=0):
    try:
        from binascii import crc32 as fast

        return fast(data, crc) & 0xFFFFFFFF
    except ImportError:  # ESP8266
        crc ^= 0xFFFFFFFF
        for b in data:
            crc ^= b
            for _ in range(8):
                crc = (crc >> 1) ^ (0xEDB88320 if crc & 1 else 0)
        return crc ^ 0xFFFFFFFF


def file_hash(path):
    """Hex SHA-256 of a file, CRC32 without hashlib; None where there is no file, "?" where the
    file system itself says that it is corrupt."""
    if kind(path) != _FILE:
        return None
    sha, crc = new_hash()
    value = 0
    b = buffer()
    try:
        with open(path, "rb") as f:
            while True:
                n = f.readinto(b)
                if not n:
                    break
                if sha:
                    sha.update(b[:n])
                else:
                    value = crc(b[:n], value)
    except OSError as e:
        if e.errno != 84:  # LFS_ERR_CORRUPT
            raise
        return "?"
    if sha:
        from binascii import hexlify

        return str(hexlify(sha.digest()), "ascii")
    return "%08x" % value


def copies():
    """Whether moves are copies. FAT cannot replace by renaming; it is told by its letter case."""
    global _copies
    if _copies is None:
        _copies = kind(ROOT + ".OTA") != 0
    return _copies


def copy(src, dst):
    b = buffer()
    with open(src, "rb") as f, open(dst, "wb") as g:
        while True:
            n = f.readinto(b)
            if not n:
                break
            g.write(b[:n])


def _move(src, dst, want):
    if copies():
        copy(src, dst)
        if file_hash(dst) != want:
            raise OSError(5)
    else:
        os.rename(src, dst)


def clear(folder, but=()):
    """Remove the files of one of our own folders; they have no folders in them."""
    if kind(HOME + folder) == _DIR:
        for e in os.ilistdir(HOME + folder):
            if e[0] not in but:
                os.remove(HOME + folder + "/" + e[0])


def mend(e):
    """LittleFS gives no block to anybody while a file lies there that it calls corrupt: a flash that
    has lost a write as the power went may leave one. True where `e` says so, and one of ours is gone."""
    found = False
    if not isinstance(e, OSError) or e.errno != 84:
        return found
    try:
        paths = ["version.json"]
        for folder in (".ota", ".ota/new", ".ota/old"):
            if kind(ROOT + folder):
                paths.extend([folder + "/" + x[0] for x in os.ilistdir(ROOT + folder)])
        for path in paths:
            if file_hash(ROOT + path) == "?":
                log("W", "corrupt, and so removed: " + path)
                os.remove(ROOT + path)
                found = True
    except OSError as x:
        log("E", "%r" % x)
    return found


# --- the journal ---------------------------------------------------------


def read_record(path):
    """The record in one file, None where it is not whole."""
    for _ in range(3):  # a read that fails once must not make an older record count
        try:
            with open(path, "rb") as f:
                line = f.read(_RECORD + 1)
            break
        except OSError as e:
            if e.errno in (2, 20):
                return None
            refresh()
    else:
        return None
    if len(line) > _RECORD or line[8:10] != b" {" or line[-1:] != b"\n" or line.count(b"\n") != 1:
        return None
    if line[:8] != b"%08x" % crc32(line[9:-1]):
        return None
    try:
        r = json.loads(line[9:-1])
    except ValueError:
        return None
    for key in _EMPTY:
        value = r.get(key, _EMPTY[key])
        if not isinstance(value, type(_EMPTY[key])) or (isinstance(value, int) and value < 0):
            return None
    ok = r.get("state") in _STATES and r.get("seq", 0) > 0
    return r if ok else None


def record():
    """The newest whole record of the journal, as a dict; read from flash once."""
    global _rec
    if _rec is None:
        r = dict(_EMPTY)
        for name in ("state.0", "state.1"):
            x = read_record(HOME + name)
            if x and x["seq"] > r["seq"]:
                r = dict(_EMPTY)
                r["tries"] = r["secs"] = 0
                r.update(x)
        _rec = r
    return _rec


def write(**changes):
    """Write the next record. What is in memory changes only once it lies on flash."""
    global _rec, _written
    r = dict(record())
    r.update(changes)
    r["mpota"] = 1
    r["seq"] += 1
    r["why"] = "".join([c if " " <= c < "\x7f" and c not in '"\\' else "?" for c in r["why"][:60]])
    text = json.dumps(r, separators=(",", ":")).encode()
    line = b"%08x %s\n" % (crc32(text), text)
    if len(line) > _RECORD:
        raise OtaError("journal record of %d bytes" % len(line))
    try:
        _put_line(r["seq"], line)
    except OSError as e:
        if e.errno == 28 and kind(HOME + "new/reserve"):
            os.remove(HOME + "new/reserve")  # the app on trial has filled the flash: it was kept for this
        elif not mend(e):
            raise
        _put_line(r["seq"], line)
    _rec = r
    _written = True


def _put_line(seq, line):
    with open(HOME + "state.%d" % (seq & 1), "wb") as f:
        f.write(line)


# --- the plan ------------------------------------------------------------


def _plan():
    """The lines of the plan: (its file, where they begin), checked against the journal."""
    from array import array

    for path in (HOME + "new/plan", HOME + "old/plan"):
        if file_hash(path) == record()["plan"]:
            break
    else:
        raise Damaged("the plan is damaged")
    starts = array("L")
    with open(path, "rb") as f:
        at = 0
        for line in f:
            starts.append(at)
            at += len(line)
    return path, starts


def _each(plan, back=False):
    path, starts = plan
    with open(path, "rb") as f:
        for at in reversed(starts) if back else starts:
            f.seek(at)
            yield json.loads(f.readline())


def _fits(op, path, n="", h="", *_):
    """Whether what this step needs lies there, in its old place or its new one."""
    if op in ("save", "copy"):
        return file_hash(ROOT + path) == h or file_hash(HOME + "old/" + n) == h
    if op in ("put", "late"):
        return file_hash(HOME + "new/" + n) == h or file_hash(ROOT + path) == h
    return True


def _do(op, path, n="", h="", *_):
    """Take one step, unless it was taken. True where something changed."""
    path = ROOT + path
    old = HOME + "old/" + n
    if op == "save" or op == "copy":
        if file_hash(old) == h:
            return False
        if file_hash(path) != h:
            raise Damaged("changed before the swap: " + path)
        if op == "save":
            os.rename(path, old)
        else:
            copy(path, old)
            if file_hash(old) != h:
                raise OSError(5)
    elif op == "put":
        if file_hash(path) == h:
            return False
        if file_hash(HOME + "new/" + n) != h:
            raise Damaged("damaged after staging: " + path)
        _move(HOME + "new/" + n, path, h)
    elif op == "drop":
        if kind(path) != _FILE:
            return False
        os.remove(path)
    elif op == "mkdir":
        if kind(path) == _DIR:
            return False
        os.mkdir(path)
    elif op == "rmdir":
        if kind(path) != _DIR:  # rmdir() of LittleFS removes files too
            return False
        os.rmdir(path)
    elif op == "late":
        return False
    else:
        raise OtaError("unknown step: " + op)
    return True


def _undo(op, path, n="", h="", had=1):
    """Take one step back. 0: it was not needed, 1: done, 2: that cannot be done any more."""
    path = ROOT + path
    if op == "save" or op == "copy":
        if file_hash(path) == h:
            return 0
        old = HOME + "old/" + n
        if file_hash(old) != h:
            return 2
        _move(old, path, h)
    elif op == "put" and not had:
        if kind(path) != _FILE:
            return 0
        os.remove(path)
    elif op == "mkdir":
        if kind(path) != _DIR:
            return 0
        try:
            os.rmdir(path)
        except OSError as e:  # the app put something in it: that stays
            log("I", "kept %s: %s" % (path, e))
            return 0
    elif op == "rmdir":
        if kind(path):
            return 0
        os.mkdir(path)
    else:
        return 0
    return 1


def tell(version, confirmed):
    """Write version.json, for people and apps; the journal is the truth, and nothing depends on this."""
    text = '{"version": "%s", "confirmed": %s}' % (version, "true" if confirmed else "false")
    for _ in range(2):
        try:
            _tell(ROOT + "version.json", version and text)
            break
        except OSError as e:
            log("W", "version.json: %s" % e)
            if not mend(e):
                break


def _tell(path, text):
    if kind(path):
        if not text:
            os.remove(path)
            return
        with open(path) as f:
            if f.read() == text:
                return
    if text:
        with open(path, "w") as f:
            f.write(text)


def _prune(path):
    """Remove the folders that a removed file leaves empty."""
    while "/" in path and kind(ROOT + path) == 0:
        path = path[: path.rfind("/")]
        if kind(ROOT + path) != _DIR:  # rmdir() of LittleFS removes files too
            break
        try:
            os.rmdir(ROOT + path)
        except OSError:  # not empty
            break


def _finish():
    """confirmed -> idle. True where boot.py was replaced, and the one that runs is the old one."""
    r = record()
    moved = False
    repair = 0
    if kind(HOME + "new/plan"):  # it is removed first, below, and is not needed then
        try:
            for op in _each(_plan()):
                if op[0] == "late" and file_hash(ROOT + op[1]) != op[3]:
                    _move(HOME + "new/" + op[2], ROOT + op[1], op[3])
                    moved = True
                elif op[0] in ("save", "drop"):
                    _prune(op[1])
        except Damaged as e:
            log("E", "%s: the next update looks at boot.py again" % e)
            repair = 1
        if kind(HOME + "new/manifest.json"):
            _move(HOME + "new/manifest.json", HOME + "manifest.json", file_hash(HOME + "new/manifest.json"))
        tell(r["next"], True)
        os.remove(HOME + "new/plan")
    clear("new")
    clear("old")
    log("I", "%s is installed" % r["next"])
    write(state="idle", version=r["next"], next="", plan="", boots=0, hook=0, repair=repair, bad="", why="")
    return moved


def _settle():
    """Bring the flash to a whole version. True where that one is on trial."""
    r = record()
    state = r["state"]
    last = False
    if state in ("swapping", "undoing"):
        write(boots=r["boots"] + 1)
        last = r["boots"] >= _STARTS
        if last and state == "swapping":
            _fail("not installed in %d starts" % _STARTS)
    elif state in ("confirmed", "undone"):
        # Where a rename to another folder was cut, LittleFS hides the file behind the moved one
        # from every reader until something is written.
        write()
    if state == "staged":
        try:
            for op in _each(_plan()):
                if not _fits(*op):
                    raise Damaged("no longer as it was staged: " + op[1])
        except Damaged as e:
            log("E", "%s not installed: %s" % (r["next"], e))
            write(state="idle", next="", plan="", why=str(e))
            return False
        write(state="swapping")
        state = "swapping"
    if state == "swapping":
        log("I", "installing %s" % r["next"])
        changed = False
        try:
            for op in _each(_plan()):
                changed = _do(*op) or changed
        except Damaged as e:
            _fail(str(e))
        if changed:
            # All of it is looked at again with the file system mounted anew: what a failing flash
            # left in the file system's memory may have shown what is not there.
            _reset()
        tell(r["next"], False)
        write(state="trial", boots=0, hook=0)
        _reset()
    if state == "undoing":
        whole = True
        changed = False
        try:
            clear("new", ("plan", "rollback.py"))  # the way back may need the room
            for op in _each(_plan(), True):
                try:
                    done = _undo(*op)
                except OSError:
                    if not last:
                        raise
                    done = 2
                if done == 1:
                    changed = True
                elif done:
                    whole = False
                    log("E", "backup is damaged: " + op[1])
        except Exception as e:
            if not last and not isinstance(e, Damaged):
                raise
            whole = False
            log("E", "not put back: %r" % e)
        if changed and not last:
            _reset()  # and once more, as above
        tell(r["version"], True)
        if not whole:
            # Nothing is deleted; the next update looks at every file again.
            write(state="idle", next="", plan="", repair=1, why="a backup was damaged")
        else:
            write(state="undone", boots=0)
        _reset()
    if state == "undone":
        from_hook = HOME + "new/rollback.py"
        if kind(from_hook) and r["boots"] < 2:
            write(boots=r["boots"] + 1)
            _arm(r["secs"])
            _hook(from_hook)
        clear("new")
        clear("old")
        log("W", "back on %s; %s is blocked: %s" % (r["version"] or "the old version", r["bad"], r["why"]))
        write(state="idle", next="", plan="", boots=0, hook=0)
        _arm(0)
    if state == "confirmed" and _finish():
        _reset()
    return state == "trial"


# --- the trial -----------------------------------------------------------


def _reset():
    _machine.reset()


def _fail(why):
    """Decide for the old version. It is put back at the next start, before any app code runs."""
    try:
        # The app may have taken all of the memory, and may go on taking it.
        __import__("__main__").__dict__.clear()
        for name in list(sys.modules):
            if name != __name__:
                del sys.modules[name]
        import gc

        gc.collect()
        r = record()
        log("E", "%s failed: %s" % (r["next"], why))
        for _ in range(3):
            try:
                write(state="undoing", boots=0, bad=r["next"], why=why)
                break
            except OSError as e:  # then the count of trial boots decides
                log("E", "journal: %s" % e)
    finally:
        _reset()


def _arm(secs):
    """Start the timer that ends a trial (0 stops it). Its callback runs between bytecodes."""
    global _timer
    if _timer:
        _timer.deinit()
        _timer = None
    if not secs:
        return
    try:
        from machine import Timer
    except ImportError:
        log("W", "no Timer here: only the count of boots ends a trial")
        return
    for i in (-1, 3, 1, 0):  # -1 is a virtual timer, where the port has those
        try:
            _timer = Timer(i)
            _timer.init(mode=Timer.ONE_SHOT, period=secs * 1000, callback=_too_late)
            return
        except (ValueError, OSError):
            pass


def _too_late(_):
    state = record()["state"]
    if state == "trial":
        _fail("not confirmed within %d s" % record()["secs"])
    elif state == "undone":  # the rollback hook hangs
        _reset()


def _run(path):
    """Run a file as the firmware would: in __main__, where boot.py and main.py share their names."""
    import builtins

    scope = __import__("__main__").__dict__
    if hasattr(builtins, "execfile"):
        builtins.execfile(path, scope)
    else:
        with open(path) as f:
            exec(compile(f.read(), path, "exec"), scope)


def _hook(path):
    """Run the rollback hook; what it raises is said and does not stop anything."""
    try:
        _run(path)
    except Exception as e:
        log("E", "rollback hook: %r" % e)


def _watch():
    """One boot of a version on trial. Does not return: firmware must not run main.py again."""
    r = record()
    if r["boots"] >= r["tries"]:
        _fail("not confirmed in %d boots" % r["tries"])
    try:
        write(boots=r["boots"] + 1)
    except OSError as e:  # no space, perhaps: the timer and exceptions still end the trial
        log("E", "journal: %s" % e)
    log("I", "trial of %s, boot %d of %d" % (r["next"], r["boots"] + 1, r["tries"]))
    if ".ota/old" in sys.path:  # boot.py had to take the updater that was replaced
        _fail("the updater of the new version does not import")
    _arm(r["secs"])
    try:
        with open(HOME + "new/manifest.json", "rb") as f:
            hooks = json.loads(f.readline() + b"]}").get("hooks", {})
        if "post_update" in hooks and not r["hook"]:
            _run(ROOT + hooks["post_update"])
            write(hook=1)
        boot_py = ROOT + "boot.py"
        for op in _each(_plan()):
            if op[0] == "late":
                boot_py = HOME + "new/" + op[2]
        if kind(boot_py):
            _run(boot_py)
            if _booted < 2:
                raise OtaError("boot.py does not call ota_updater.boot()")
        if kind(ROOT + "main.py"):
            _run(ROOT + "main.py")
    except (SystemExit, KeyboardInterrupt):
        raise  # a soft reset, or a person at the REPL
    except BaseException as e:
        if record()["state"] != "trial":
            raise
        sys.print_exception(e)
        _fail(repr(e))
    if sys.platform in _RUNS_MAIN_ANYWAY:
        from time import sleep_ms

        while True:  # timers of the app go on, and so does the trial's
            sleep_ms(1000)
    raise MainReturned("main.py has returned")


# --- what boot.py and the app call ---------------------------------------


def boot():
    """First thing in boot.py: finish or undo an interrupted update, and watch over a new version.

    On an ordinary boot it reads the journal, writes nothing and returns. Raises
    nothing of its own accord: whatever is wrong, the app that lies there starts; where
    the flash takes no writes any more between two versions, after two minutes of trying.
    """
    global _booted
    _booted += 1
    if _booted > 1:
        return
    trial = False
    for attempt in range(7):
        try:
            trial = _settle()
            break
        except Exception as e:
            state = record()["state"]
            log("E", "%s: %r" % (state, e))
            if mend(e):
                continue
            if state not in ("swapping", "undoing"):
                if attempt > 2:
                    break
                continue
            from time import sleep

            sleep(1 << attempt)
            if _written and record()["boots"] <= _STARTS:
                # After a failed write the file system's own memory may be wrong: mount it anew.
                # This start was counted, so it does not go on for ever.
                _reset()
    if trial:
        _watch()


def confirm():
    """Keep the version on trial; best called once the app has reached the update server.

    Returns True where there was one. From then on it is the installed version,
    and the old one is removed.
    """
    if record()["state"] != "trial":
        return False
    write(state="confirmed")
    _arm(0)
    try:
        write()  # in both places, before anything is removed: one damaged record must not undo it
        _finish()
    except (OSError, OtaError) as e:  # boot() finishes it
        log("W", "confirmed, to be finished at the next start: %r" % e)
    return True


def rollback(why="asked for by the app"):
    """Give up the version on trial, or drop the staged one; the caller then resets.

    Raises OtaError where there is nothing to go back to: a confirmed version has no backup.
    """
    r = record()
    if r["state"] == "trial":
        write(state="undoing", boots=0, bad=r["next"], why=why)
    elif r["state"] == "staged":
        write(state="idle", next="", plan="", why=why)
    else:
        raise OtaError("nothing to go back to: %s is confirmed; install an older one by tag" % r["version"])


def status():
    """What is known, as a dict: state, version, next, boots, bad, why, and created (of the
    installed release, seconds since 1970; 0 where it is not said)."""
    r = {k: record()[k] for k in ("state", "version", "next", "boots", "bad", "why")}
    r["created"] = 0
    try:
        with open(HOME + "manifest.json", "rb") as f:
            r["created"] = json.loads(f.readline() + b"]}").get("created", 0)
    except (OSError, ValueError):
        pass
    return r


def update(config):
    """Look for a release and stage it. Returns its version, None where there is nothing to do.

    After a version was returned machine.reset() installs it. Raises OtaError; the app goes on.
    """
    return _online("update", config)


def check(config):
    """The version that update() would stage, None where there is nothing new."""
    return _online("check", config)


def _online(name, config):
    import gc

    try:
        gc.collect()
        return getattr(__import__("ota_update"), name)(config)
    except OtaError:
        raise
    except Exception as e:  # whatever a server or the flash made of it: the app knows OtaError only
        raise OtaError("%s failed: %r" % (name, e))
