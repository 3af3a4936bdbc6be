"""mpota, the journal: where an update stands, in two records of which one is always whole
(spec/journal.md)."""

import json
from micropython import const
from ota_files import crc32, refresh
from ota_updater import HOME, OtaError, use

# The record of a new board, and what a missing key of a record means. As text it is smaller than
# as a dict, and a new dict is made of it each time anyway.
_NEW = const(
    '{"mpota":1,"seq":0,"state":"idle","version":"","next":"","plan":"","boots":0,"wakes":0,"tries":5,"most":300,'
    '"secs":600,"wait":7200,"hook":0,"repair":0,"early":0,"bad":"","again":0,"since":0,"why":""}'
)
_STATES = const(" idle staged swapping trial confirmed undoing undone ")

# How often a version comes up again that was not confirmed, and did not crash; and the mark of one that was
# blocked and has its one turn by a tag.
AGAIN, TAGGED = 3, 8
wrote = False  # whether the journal was written since this module was loaded
_rec = None


def read_record(path):
    """The record in one file, None where it is not whole."""
    for _ in range(3):  # a read that fails once must not make an older record count
        try:
            with open(path, "rb") as f:
                line = f.read(641)
            break
        except OSError as e:
            if e.errno in (2, 20):
                return None
            refresh()
    else:
        return None
    text = line[9:-1]
    if len(line) > 640 or b"\n" in text or text[:1] != b"{" or line != b"%08x %s\n" % (crc32(text), text):
        return None
    new = json.loads(_NEW)
    try:
        r = json.loads(text)
        for key in new:
            value = r.get(key, new[key])
            if not isinstance(value, type(new[key])) or (isinstance(value, int) and value < 0):
                return None
    except (ValueError, AttributeError):
        return None
    new["tries"] = new["most"] = new["secs"] = new["wait"] = new["mpota"] = 0
    new.update(r)
    for key in ("hook", "repair", "early"):
        new[key] = int(new[key] == 1)
    state = new["state"] if "state" in r else ""
    return new if new["seq"] and state.isalpha() and " %s " % state in _STATES else None


def record():
    """The newest whole record of the journal, as a dict; read from flash once."""
    global _rec
    if _rec is None:
        r = json.loads(_NEW)
        for i in (0, 1):
            x = read_record(HOME + "state.%d" % i)
            if x and x["seq"] > r["seq"]:
                r = x
        _rec = r
    return _rec


def forget():
    """Have the record read anew: another copy of this module may have written one."""
    global _rec
    _rec = None


def write(**changes):
    """Write the next record. What is in memory changes only once it lies on flash."""
    global _rec, wrote
    r = dict(record())
    r.update(changes)
    r["mpota"] = 1
    r["seq"] += 1
    # As bytes: a loop over a text makes each character a name that MicroPython keeps.
    r["why"] = bytes([c if 32 <= c < 127 and c not in b'"\\' else 63 for c in r["why"][:60].encode()[:60]]).decode()
    # What is 0 or "" need not be said: most records then fit into one 256 bytes of flash, and not into two.
    text = json.dumps({key: r[key] for key in r if r[key]}, separators=(",", ":")).encode()
    line = b"%08x %s\n" % (crc32(text), text)
    if len(line) > 640:
        raise OtaError("journal record of %d bytes" % len(line))
    name = HOME + "state.%d" % (r["seq"] & 1)
    try:
        _put(name, line)
    except OSError as e:
        if not use("ota_moves").make_room(e):
            raise
        _put(name, line)
    _rec = r
    wrote = True


def _now():
    """Seconds since 1970, 0 where the clock is not set."""
    time = use("time")
    now = int(time.time()) + (946684800 if time.gmtime(0)[0] == 2000 else 0)
    return now if now > 1700000000 else 0


def give_up(why, again=False):
    """Decide for the old version; it is put back at the next start. `again`: nothing has crashed, and the
    version comes up again after a while, see want.py."""
    r = record()
    times = (r["again"] if r["bad"] == r["next"] else 0) + 1
    again = times if again or times > TAGGED else 0
    write(state="undoing", boots=0, bad=r["next"], why=why, again=again, since=_now())


def _put(name, line):
    with open(name, "wb") as f:
        f.write(line)
