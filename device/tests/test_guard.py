"""What an app finds in ota_updater, and the steps of an update taken by hand, without a network. Run from the root of
the repository: micropython device/tests/test_guard.py"""

import sys

sys.path.insert(0, "device")
import gc
import os
from binascii import crc32

import ota_updater
from ota_updater import rollback, status, unblock, window

CONFIG = {"owner": "octo", "repo": "weather", "base_url": "http://127.0.0.1:9"}
RUNNING = "another update() or check() is running"
passed = failed = 0


def expect(what, got, want=True):
    global passed, failed
    if got == want:
        passed += 1
    else:
        failed += 1
        print("FAIL %s: got %r, want %r" % (what, got, want))


def raised(error, call, *args, **named):
    try:
        call(*args, **named)
    except error as e:
        return str(e)
    return None


def names():
    for name in "rollback status unblock window".split():
        expect(name, hasattr(ota_updater, name) and callable(getattr(ota_updater, name)))
    expect("an unknown name", hasattr(ota_updater, "statu"), False)
    expect("and its error", raised(AttributeError, getattr, ota_updater, "not_there"), "not_there")
    try:
        from ota_updater import not_there

        expect("an import of it", not_there, None)
    except (ImportError, AttributeError):  # which one depends on the version
        expect("an import of it", True)
    known = "state version next boots wakes bad why blocked changed cached_s waits id created"
    first = status()
    expect("what is known", sorted(first), sorted(known.split()))
    expect("the board has one id", (len(first["id"]) > 7, status()["id"]), (True, first["id"]))
    if ".ota" in os.listdir():  # the Unix port has no id of a chip
        os.remove(".ota/id")
        os.rmdir(".ota")
    expect("nothing is blocked", unblock(), "")
    expect("a window", [window(first=0, last=24, offset_h=3), window(last=24, first=0)], [True, True])
    said = raised(ota_updater.OtaError, rollback, why="a test")
    expect("nothing to go back to", said and said[:21], "nothing to go back to")
    print("  cases 12: names of the guard")


def record(state, seq, early=0):
    text = '{"mpota":1,"seq":%d,"state":"%s","early":%d}' % (seq, state, early)
    return b"%08x %s\n" % (crc32(text.encode()), text.encode())


def at_rest():
    """An ordinary start looks no further where nothing is to be done, on a board that was never updated too."""
    home, ota_updater.HOME = ota_updater.HOME, "/tmp/mpota-guard-%d." % int.from_bytes(os.urandom(4), "big")
    idle, later, staged = record("idle", 1), record("idle", 2), record("staged", 2)
    cases = [
        ("never updated", None, None, True),
        ("one record", None, idle, True),
        ("two records", later, idle, True),
        ("staged", staged, idle, False),
        ("idle again", record("idle", 4), record("undone", 3), True),
        ("only staged", staged, None, False),
        ("memory for an update", record("idle", 2, 1), idle, False),
        ("a torn one", later[:-1], idle, False),
        ("a torn one alone", None, idle[:-1], False),
        ("a bit", later.replace(b'"seq":2', b'"seq":3'), idle, False),
        ("nothing in it", b"", idle, False),
    ]
    ran = 0
    for n in (0, 1):
        for name, *there in cases:
            for i in (0, 1):
                if there[i ^ n] is None:
                    try:
                        os.remove(ota_updater.HOME + "state.%d" % i)
                    except OSError:
                        pass
                else:
                    with open(ota_updater.HOME + "state.%d" % i, "wb") as f:
                        f.write(there[i ^ n])
            expect("%s, %d" % (name, n), ota_updater._at_rest(), there[2])
            ran += 1
    for i in (0, 1):
        os.remove(ota_updater.HOME + "state.%d" % i)
    ota_updater.HOME = home
    print("  cases %d: journals at rest and not" % ran)


def rests(when):
    ours = [k for k in sys.modules if (k[:5] == "mpota" or k[:4] == "ota_") and k != "ota_updater"]
    expect("%s: modules" % when, ours, [])
    expect("%s: free for another" % when, ota_updater._free, [1])


def first_steps(n, what="update"):
    """What the first `n` steps yield, and the generator."""
    work = ota_updater.steps(what, CONFIG, "steps")
    return [next(work) for _ in range(n)], work


def steps():
    threshold = getattr(gc, "threshold", lambda *a: -1)
    threshold(100000)
    before, ran = threshold(), 0
    for what in ("update", "check"):
        for n in (1, 2):  # the one after them asks for the server
            given, work = first_steps(n, what)
            for ms in given:
                expect("a number of ms", type(ms) is int and 0 <= ms <= 100)
            for other in ("update", "check"):
                expect("a second one", raised(ota_updater.OtaError, first_steps, 1, other), RUNNING)
                call = getattr(ota_updater, other)
                expect("a second one at once", raised(ota_updater.OtaError, call, CONFIG), RUNNING)
            expect("the first goes on", ota_updater._free, [])
            work.close()
            work.close()
            rests("%s closed after %d" % (what, n))
            expect("threshold", threshold(), before)
            ran += 1
    ota_updater.steps("update", CONFIG, "steps").close()  # before its first step
    ota_updater.leave()
    rests("never begun")
    said = raised(ota_updater.OtaError, ota_updater.update, {"owner": 1})
    expect("CONFIG is looked at", said is not None)
    rests("an error")
    print("  cases %d: updates that are closed" % (ran + 2))


class Open:
    """Work that has something open, and says how its steps have ended."""

    closed = 0

    def begin(self, what, given):
        try:
            for ms in (0, 2, 100):
                yield ms
            if given.get("fails"):
                raise ValueError("a test")
            return what
        finally:
            Open.closed += 1


def closes():
    """What is at work is closed, however it ends."""
    ran = 0
    for how in ("closed", "fails", "returns", "closed"):
        use = ota_updater.use
        module = use("mpota.start")
        really, module.begin = module.begin, Open().begin
        work = ota_updater.steps("check", {"fails": how == "fails"}, "steps")
        seen, said = [], None
        try:
            while how != "closed" or len(seen) < 2:
                seen.append(next(work))
        except StopIteration as e:
            said = e.value
        except ota_updater.OtaError:
            said = "failed"
        work.close()
        module.begin = really
        ran += 1
        expect("%s: what it yields" % how, seen, [0, 2] if how == "closed" else [0, 2, 100])
        expect("%s: what it says" % how, said, {"closed": None, "fails": "failed", "returns": "check"}[how])
        expect("%s: nothing is open" % how, Open.closed, ran)
        ota_updater.leave()
        rests(how)
    print("  cases %d: ends of an update" % ran)


for test in (names, at_rest, steps, closes):
    test()
print("%d passed, %d failed" % (passed, failed))
sys.exit(1 if failed or not passed else 0)
