"""What else can go wrong with a board in the matrix: its flash fails, its memory runs out, a bit turns.
Each function is a mode of a scenario; it takes the Matrix of vboard/powercut.py."""

import os
import random

from cutter import MIXED, NEW, records
from flash import CALLS, ERRORS, READS, SWALLOWED, WRITES

UNPLUGGED = 17
_SAID = (b"refused: ", b"ota E", b"Traceback", b"does not mount")


def write_errors(m):
    """Every write of an update fails once, with an error or for want of space; or all writes from it
    on do, until the power is switched off and on."""
    m.opts["sleep_divide"] = 10000
    counts = attempt(m, {})
    for what in ({"errno": 5}, {"errno": 28}, {"errno": 5, "keep": True}):
        each(m, "fail_write", counts[WRITES], what)


def read_errors(m, part=1, parts=1):
    """Every read of an update fails once."""
    m.opts["sleep_divide"] = 10000
    m.opts["watch_calls"] = True
    counts = attempt(m, {})
    each(m, "fail_read", counts[READS], {"errno": 5}, part, parts)


# There are thousands: each of these takes a part of them, so that all processors have something to do.
def read_errors_1(m):
    read_errors(m, 1, 3)


def read_errors_2(m):
    read_errors(m, 2, 3)


def read_errors_3(m):
    read_errors(m, 3, 3)


def memory(m):
    """Every call that takes memory raises MemoryError once: open, os, json, hashlib, sockets, ..."""
    m.opts["count_calls"] = True
    counts = attempt(m, {})
    each(m, "fail_call", counts[CALLS], {})
    m.opts["count_calls"] = False


def attempt(m, faults):
    """One update on the board as it was before, with these faults. Returns the counters."""
    c, opts = m.c, m.opts
    c.load(c.base_image)
    n = c.dev.n
    n[ERRORS] = n[READS] = n[CALLS] = n[SWALLOWED] = 0
    c.dev.errno, c.dev.keep = faults.get("errno", 5), faults.get("keep", False)
    c.dev.fail_write, c.dev.fail_read = faults.get("fail_write", 0), faults.get("fail_read", 0)
    c.dev.fail_call = faults.get("fail_call", 0)
    c.hear()
    # The firmware waits for ever in an import of a .mpy file where a read fails: unplugged soon, and on again.
    patience, opts["limit_ms"] = opts["limit_ms"], 1500
    m.code = c.go(True, opts.get("sleeps", 1), 20, url=opts["url"])
    opts["limit_ms"] = patience
    c.listen = False
    c.dev.fail_write = c.dev.fail_read = c.dev.fail_call = 0
    c.dev.keep = False
    return [n[i] for i in range(CALLS + 1)]


def each(m, key, limit, more, part=1, parts=1):
    """A fault at each step in turn (or a sample of them, or every `parts`-th): the update is there, or the old version is
    whole and the log says why; then all works again."""
    c = m.c
    step = max(1, limit // (m.opts.get("sample") or limit))
    ran = 0
    for k in range(step * (part - 1) + 1 + random.getrandbits(30) % step, limit + 1, step * parts):
        faults = dict(more)
        faults[key] = k
        name = "%s %d %s" % (key, k, more)
        if m.opts.get("only", name) != name:
            continue
        if not attempt(m, faults)[ERRORS]:
            continue
        ran += 1
        m.faults += 1
        saw = c.shared[1]
        swallowed = c.dev.n[SWALLOWED]
        said = c.output()
        # Where the firmware could not even read boot.py, main.py or the updater, nobody of ours could
        # speak: that boot has no line of ours. And the firmware waits for ever in an import of a .mpy
        # file where a read fails.
        at = said.find(b"board: fault")
        end = said.find(b"board: boot", at)  # of the boot after it
        boot = said[said[:at].rfind(b"board: boot") : end if end > 0 else len(said)]
        began = b"ota " in boot or b"app " in boot
        if began and m.code != UNPLUGGED and not c.look()[0] & NEW and not [w for w in _SAID if w in said]:
            m.outcome["silent"] += 1
            m.note("nothing was said", name, saw, 0)
        mark = m.mark()
        if saw & MIXED and "keep" not in more:  # where nothing can be written any more, nothing can be mended
            m.outcome["mixed"] += 1
            m.note("mixed", name, saw, 0)
        m.settle(name)
        # LittleFS went on over a read that failed: it takes the half of a folder before the last
        # one for the newest, and writes over that. Nobody above it can know.
        if swallowed and m.forget(mark):
            m.lost += 1
            m.note("lost by the file system", name, saw, 0)
    if limit and not ran and not m.opts.get("only"):
        raise ValueError(key + ": none of the faults happened")


def flips(m):
    """One bit of the newest journal record, or of a file that is staged, is turned."""
    _flips(m, ("staged", "swapping"), "new")


def backups(m):
    """One bit of a saved file is turned. The old version cannot be whole again then, and its app may not
    run: counted as lost. What has to hold is that the updater comes to an end and has the journal idle,
    and that the board can be updated if its app runs."""
    _flips(m, ("swapping", "trial", "undoing"), "old")


def digits(m):
    """One bit of each digit in the newest record of the journal is turned, in each state: 0 to 7 become 8, 9 or no
    digit at all. Numbers, versions and the hash of the plan are told from wrong ones by the checksum alone."""
    c = m.c
    images, cases = {}, []
    for name, image in m.cuts():
        c.load(image)
        c.look()
        state = c.journal()
        if " " not in name and state not in ("", "idle") and state not in images and not c.mounted(_digits, c):
            images[state] = c.keep()
            places = c.shared[81 : 81 + c.shared[80]]
            cases += [(state, (places[i] << 8) + places[i + 1]) for i in range(0, len(places), 2)]
    many = m.opts.get("sample") or len(cases)
    for i in range(0, len(cases), max(1, len(cases) // many)):
        state, place = cases[i]
        c.load(images[state])
        if c.mounted(_turn_digit, place):
            raise ValueError("the record cannot be changed")
        m.damaged += 1
        m.settle("%s, byte %d of the record" % (state, place))


def _digits(c):
    """Where the digits lie in the newest of two whole records; of the hash just the first ones. Fails with one record
    only: a bit that turns in that one is a second fault."""
    found = records()
    if len(found) < 2:
        raise ValueError
    with open(found[-1][2], "rb") as f:
        line = f.read()
    plan = line.find(b'"plan":"') + 12
    places = [i for i in range(9, len(line)) if 48 <= line[i] < 56 and not plan < i < plan + 60]
    for i, place in enumerate(places):
        c.shared[81 + 2 * i : 83 + 2 * i] = place.to_bytes(2, "big")
    c.shared[80:81] = bytes([2 * len(places)])


def _turn_digit(place):
    _turn_bit(records()[-1][2], place, 3)


def _turn_bit(path, place, bit):
    with open(path, "rb") as f:
        data = bytearray(f.read())
    data[place] ^= 1 << bit
    with open(path, "wb") as f:
        f.write(data)


def _flips(m, states, folder):
    c = m.c
    many = m.opts.get("sample") or 400
    names = []
    for name, image in m.cuts():
        c.load(image)
        c.look()
        if c.journal() in states or folder == "new" and c.journal() in ("trial", "confirmed"):
            names.append(name)
    picks = [names[random.getrandbits(30) % len(names)] for _ in range(many if names else 0)]
    # Only one image is kept at a time.
    for name, image in m.cuts():
        for _ in range(picks.count(name)):
            _turn(m, name, image, states, folder)


def _turn(m, name, image, states, folder):
    c = m.c
    seed = random.getrandbits(30)
    c.load(image)
    if c.mounted(_flip, c, seed, states, folder) or c.memory == image:
        return
    m.damaged += 1
    what = str(bytes(c.shared[81 : 81 + c.shared[80]]), "ascii")
    what = "%s, flip %d, %s" % (name, seed, what)
    mark = m.mark()
    m.settle(what)
    if folder == "old":
        m.lost += m.forget(mark)
        if m.stuck or m.journal != "idle":
            m.outcome["dead"] += 1
            m.note("dead: cannot be updated" if m.stuck else "dead: journal " + m.journal, what, 0, 0)


def _flip(c, seed, states, folder):
    """Turn one bit of a file of the updater: of the record that counts, or of `folder`."""
    random.seed(seed)
    files = []
    if folder == "new" and random.getrandbits(1):
        # Where the power went as the other record was written, this one is all there is: a bit that
        # turns in it then is a second fault.
        found = records()
        if len(found) == 2:
            files = [found[-1][2]]
    elif c.state() in states:
        files = ["/.ota/%s/%s" % (folder, e[0]) for e in os.ilistdir("/.ota/" + folder)]
    if not files:
        return
    path = files[random.getrandbits(30) % len(files)]
    about = ("%s in %s" % (path, c.state())).encode()
    c.shared[81 : 81 + len(about)] = about
    c.shared[80:81] = bytes([len(about)])
    size = os.stat(path)[6]
    if size:
        _turn_bit(path, random.getrandbits(30) % size, random.getrandbits(3))
