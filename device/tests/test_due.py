"""due() and window() of the updater, with clocks that go as they are told. Run from the root of the repository:
micropython device/tests/test_due.py"""

import sys

sys.path.insert(0, "device")
import ota_updater

passed = failed = 0
HALF, WRAP = 1 << 29, 1 << 30
DAY = 86400


def expect(what, got, want=True):
    global passed, failed
    if got == want:
        passed += 1
    else:
        failed += 1
        print("FAIL %s: got %r, want %r" % (what, got, want))


class Named:
    def __init__(self, **names):
        for k in names:
            setattr(self, k, names[k])


class Clock:
    """time of a board that was started `boot` seconds ago in the world's time; `unset`: its own clock begins
    there too."""

    def __init__(self, now, unset=False):
        self.now, self.unset, self.boot = now, unset, now

    def time(self):
        return int(self.now - self.boot if self.unset else self.now)

    def gmtime(self):
        t = self.time()
        return (1970 if self.unset else 2026, 1, 1, t // 3600 % 24, t // 60 % 60, t % 60, 0, 0)

    def ticks_ms(self):
        return int((self.now - self.boot) * 1000) % WRAP

    def ticks_add(self, t, ms):
        assert -HALF < ms < HALF
        return (t + ms) % WRAP

    def ticks_diff(self, a, b):
        return (a - b + HALF) % WRAP - HALF


class Chance:
    """os.urandom(), the same in each run."""

    seed = 1

    def urandom(self, n):
        out = []
        for _ in range(n):
            Chance.seed = (Chance.seed * 1103515245 + 12345) & 0x7FFFFFFF
            out.append(Chance.seed >> 16 & 255)
        return bytes(out)


ota_cause = ota_updater.use("ota_cause")
ota_due = ota_updater.use("ota_due")
firmware = {"os": Chance()}
ota_cause.use = lambda name: firmware[name]
ota_updater._call = lambda module, what, *args, **named: getattr(ota_due, what)(*args, **named)
due, window = ota_updater.due, ota_updater.window


def board(number, clock, cause=4):
    """The board with this number has started."""
    name = b"\x24\x0a\xc4\x00" + bytes((number >> 8, number & 255))
    firmware["machine"] = Named(
        unique_id=lambda: name, reset_cause=lambda: cause, DEEPSLEEP_RESET=4, PWRON_RESET=1, HARD_RESET=2
    )
    ota_due.time = clock
    ota_updater._due, ota_updater.asked, ota_updater.confirmed, ota_updater._keep = None, False, False, ()
    return clock


def spread(what, moments, span, parts=10):
    """How evenly they lie in `span`: no part of it may have more than its double share, nor less than a third."""
    counts = [0] * parts
    for m in moments:
        counts[min(parts - 1, int(m * parts / span))] += 1
    share = len(moments) / parts
    print("  spread of %d looks over %d s, %s: %s in each tenth" % (len(moments), span, what, counts))
    expect(what, share / 3 < min(counts) and max(counts) < share * 2)


def awake():
    """Boards that a power cut has started together, for five days and a pause, asked each 10 seconds."""
    firsts, looks = [], 0
    for n in range(120):
        clock = board(n, Clock(1790000000, unset=n % 2 == 0), 1)
        seen = []
        step = 9.9 if n < 2 else 600
        ends = clock.boot + (5.02 if n < 2 else 2.02) * DAY
        while clock.now < clock.boot + 900 or clock.now < ends:
            if due(24):
                seen.append(clock.now - clock.boot)
            clock.now += 9.9 if clock.now < clock.boot + 900 else step
        firsts.append(seen[0])
        looks += len(seen)
        expect("board %d" % n, len(seen), 6 if n < 2 else 3)
        for a, b in zip(seen, seen[1:]):
            expect("a day later", DAY - 1 <= b - a < DAY + 700)
    expect("soon after the start", max(firsts) < 875)
    spread("awake, after a power cut", firsts, 864)
    # Over weeks ticks_ms begins anew several times. Where nobody asked for long, one look is enough.
    clock, looks = board(7, Clock(1790000000)), 0
    for _ in range(40 * 24):
        looks += due(24)
        clock.now += 3600
    expect("one a day for 40 days", looks, 40)
    clock.now += 5 * DAY
    expect("once after a pause", [due(24), due(24)], [True, False])
    print("  cases 122: boards that stay awake")


def looked_before():
    clock = board(3, Clock(1790000000))
    ota_updater.asked = True  # before the app was loaded, because it leaves no memory
    looks = 0
    for _ in range(24 * 60 - 1):
        looks += due(24)
        clock.now += 60
    expect("a look before the app counts", looks, 0)
    clock.now += 60
    expect("a day later", due(24))


def trial():
    clock = board(3, Clock(1790000000))
    ota_updater._keep = ("ota_journal", "ota_trial")
    expect("at once", [due(24), due(24)], [True, False])
    clock.now += 301
    expect("again", [due(24), due(24)], [True, False])
    ota_updater.confirmed = True
    seen = []
    for _ in range(60 * 48 - 6):
        if due(24):
            seen.append(clock.now)
        clock.now += 60
    expect("once a day when it is over", len(seen), 1)
    board(3, Clock(1790000000))
    ota_updater._keep = ("ota_journal", "ota_trial")
    expect("each wake", [due(24, 600), due(24, 600)], [True, True])


def asleep():
    days, sleep = 8, 600
    moments, by_chance = [], 0
    for n in range(80):
        clock = board(n, Clock(1790000000 + n * 7))
        begin, seen = clock.now, []
        while clock.now < begin + days * DAY:
            if due(24, sleep):
                seen.append(clock.now)
            clock.now += sleep
        expect("board %d, with a clock" % n, len(seen), days)
        for a, b in zip(seen, seen[1:]):
            expect("once in each period", b - a, DAY)
        moments.extend([s % DAY for s in seen[:1]])
        clock = board(n, Clock(1790000000, unset=True))
        for _ in range(days * DAY // sleep):
            by_chance += due(24, sleep)
    spread("asleep, with a clock", moments, DAY, 5)
    mean = by_chance / 80 / days
    print("  looks a day without a clock: %.2f" % mean)
    expect("about one a day", 0.9 < mean < 1.1)
    board(1, Clock(1790000000, unset=True), 1)
    expect("power on", due(24, sleep))
    ota_updater.asked = True
    expect("once", due(24, sleep), False)
    print("  cases 160: boards that sleep")


def windows():
    day = 1790035200 // DAY * DAY
    cases = (
        ((2, 5), {}, 2, True), ((2, 5), {}, 4.99, True), ((2, 5), {}, 5, False), ((2, 5), {}, 1.9, False),
        ((22, 4), {}, 23, True), ((22, 4), {}, 3, True), ((22, 4), {}, 4, False), ((22, 4), {}, 12, False),
        ((2, 5), {"offset_h": 2}, 0.5, True), ((2, 5), {"offset_h": 2}, 4, False),
        ((2, 5, -8), {}, 11, True), ((2, 5, -8), {}, 3, False), ((2, 5, 5.5), {}, 21, True), ((2, 5, 5.5), {}, 20, False),
        ((2.5, 3), {}, 2.75, True), ((2.5, 3), {}, 2.25, False), ((0, 24), {}, 23.9, True), ((5, 5), {}, 1, True),
    )  # fmt: skip
    for args, named, hour, want in cases:
        board(1, Clock(day + int(hour * 3600)))
        expect("window%r %r at %r" % (args, named, hour), window(*args, **named), want)
    board(1, Clock(day, unset=True))
    expect("without a clock", window(2, 5))
    print("  cases %d: windows" % len(cases))


def lots():
    """Which starts look before the app."""
    for cause, n in ((2, 4), (3, 4), (1, 16), (4, 64)):
        board(1, Clock(0), cause)
        got = sum(ota_cause.lot(4, 16, 64) for _ in range(6400))
        expect("cause %d: %d of 6400" % (cause, got), 6400 / n * 0.7 < got < 6400 / n * 1.4)
        expect("never", sum(ota_cause.lot(0, 0, 0) for _ in range(100)), 0)
        expect("always", sum(ota_cause.lot(1, 1, 1) for _ in range(100)), 100)
    print("  cases 4: causes of a start")


for test in (awake, looked_before, trial, asleep, windows, lots):
    test()
print("%d passed, %d failed" % (passed, failed))
sys.exit(1 if failed or not passed else 0)
