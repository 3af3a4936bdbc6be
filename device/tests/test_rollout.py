"""Reads the vectors of rollouts as the board does. Run from the root of the repository:
micropython device/tests/test_rollout.py"""

import json
import os
import sys

sys.path.insert(0, "device")
import mpota.update

mpota.update.done = lambda *names: None  # what is loaded here stays
from mpota import Bag, ed25519, rollout, sign, turn, who
from ota_files import Hash, run
from ota_updater import OtaError

VECTORS = "spec/vectors/rollout/"
KEYS = "spec/vectors/signature/keys"
passed = failed = 0


def expect(what, got, want):
    global passed, failed
    if got == want:
        passed += 1
    else:
        failed += 1
        print("FAIL %s: got %r, want %r" % (what, got, want))


def text(path):
    with open(path) as f:
        return f.read()


class Body:
    """The body of an answer, as body.readinto() gives it: some at a time, and now and then nothing."""

    def __init__(self, data):
        self.data, self.turn = data, 0

    def readinto(self, net, b):
        self.turn += 1
        if self.turn % 3 == 0:
            return None
        n = min(len(b), len(self.data), 1 + self.turn * 37 % 128)
        b[:n] = self.data[:n]
        self.data = self.data[n:]
        return n


def lines(data):
    """What rollout.py makes of the bytes that a server sends."""
    body = Body(data)
    rollout.readinto = body.readinto

    def follow(net, url, lines):
        net.status = 200
        yield 0

    rollout.follow = follow
    net = Bag()
    net.config = Bag()
    net.base, net.config.name = "https://example.org", "octo/weather"
    return run(rollout._file(net, "v1.2.0.json"))


def verdict(folder):
    """(the dict, None) or (None, the code)."""
    with open(folder + "/rollout.json", "rb") as f:
        first, rest, size = lines(f.read())
    knows = json.loads(text(folder + "/context.json"))
    keys = text(KEYS).strip().split("\n") if knows["keys"] else None
    try:
        r, blob = turn.read(first, rest, size, knows)
        if keys:
            h = Hash()
            h.update(first)
            if not run(ed25519.verify(*sign.check(blob, h.value.digest(), keys, b"mpota-rollout"))):
                sign.bad()
        r["signed"] = blob is not None
        return r, None
    except (turn.RolloutError, sign.SignatureError) as e:
        return None, e.code


valid = invalid = may = decisions = 0
for name in sorted(os.listdir(VECTORS + "valid")):
    r, code = verdict(VECTORS + "valid/" + name)
    expect(name, code, None)
    want = json.loads(text(VECTORS + "valid/" + name + "/facts.json"))
    got = r and {k: r.get(k, [] if k == "boards" else None if k == "project" else False) for k in want}
    expect(name, got, want)
    valid += 1
for name in sorted(os.listdir(VECTORS + "invalid")):
    folder = VECTORS + "invalid/" + name
    r, code = verdict(folder)
    if "board" in os.listdir(folder):
        expect(name + " (board)", text(folder + "/board").strip(), "may accept")
        may += code is None
    else:
        expect(name, code, text(folder + "/error").strip())
    invalid += 1
for line in text(VECTORS + "decisions").split("\n"):
    if line:
        d = json.loads(line)
        r = {"version": d["version"], "stages": d["stages"]}
        if d["halted"]:
            r["halted"] = True
        if d["boards"]:
            r["boards"] = d["boards"]
        expect(line, turn.takes(r, d["id"], d["now"]), d["takes"])
        decisions += 1

# 1,000 boards: who is in at 5 percent is in at 25, and another version begins with others.
ids = ["%016x" % (0xE6614C311B000000 + i * 7919) for i in range(1000)]
among = {}
for version in ("v1.2.0", "v1.3.0"):
    for percent in (5, 25, 100):
        r = {"version": version, "stages": [[0, percent]]}
        among[version, percent] = set([id for id in ids if turn.takes(r, id, 1)])
        expect("%d percent" % percent, percent * 6 < len(among[version, percent]) <= percent * 14, True)
    expect("they stay", among[version, 5] <= among[version, 25] <= among[version, 100], True)
    expect("all of them", len(among[version, 100]), 1000)
both = among["v1.2.0", 5] & among["v1.3.0", 5]
expect("others come first", len(both) < 15, True)

# What is kept of them, and of the board: the last eight versions; nothing that is no id; nothing on a full flash.
PLACE = "/tmp/mpota-test-%d" % (os.urandom(1)[0] << 8 | os.urandom(1)[0])
os.mkdir(PLACE)
kept = 0
rollout.kind = who.kind = lambda path: 0x4000
rollout._PATH = PLACE + "/rollout"
for number in range(1, 12):
    rollout._note("v1.%d.0" % (number % 9), number)
    expect("noted %d" % number, rollout._number("v1.%d.0" % (number % 9)), number)
    kept += 1
expect("the last eight", [v for v, _ in rollout._notes()], ["v1.%d.0" % (n % 9) for n in range(4, 12)])
expect("the one before", rollout._number("v1.3.0"), 0)
for damaged in (b"", b"v1.2.0", b"v1.2.0 x\n", b"\xff" * 20, bytes(600)):
    with open(rollout._PATH, "wb") as f:
        f.write(damaged)
    expect("damaged %r" % damaged[:9], rollout._number("v1.2.0"), 0)
    rollout._note("v1.2.0", 7)
    expect("noted over %r" % damaged[:9], rollout._number("v1.2.0"), 7)
    kept += 1


class Machine:
    """The firmware's module of that name, whatever this interpreter has."""


def firmware(name):
    if machine is None:
        raise ImportError(name)
    return machine


who.use = firmware
machine = Machine()
machine.unique_id = lambda: b"\xe6\x61\x4c\x31\x1b\x00\x00\x0f"
who.HOME = PLACE + "/"
expect("the id of the chip", (who.id(), "id" in os.listdir(PLACE)), ("e6614c311b00000f", False))
machine.unique_id = lambda: b""
first = who.id()
expect("a chip without an id", (len(first), "id" in os.listdir(PLACE)), (16, True))
machine = None
expect("no module machine", who.id(), first)
machine = Machine()
expect("no unique_id", who.id(), first)
for damaged in (b"", bytes(16), b" " * 16, b"0123456789abcde\n", b"0123456789ABCDEF", b"0123456789abcdef0", b"\xff" * 16):
    with open(who.HOME + "id", "wb") as f:
        f.write(damaged)
    own = who.id()
    expect("no id: %r" % damaged, (len(own), own != str(damaged, "utf-8") if damaged < b"\x80" else True, who.id()), (16, True, own))
    kept += 1
who.HOME = rollout._PATH + "/"  # in a file nothing can be kept
rollout._PATH += "/x"
expect("no place for an id", who.id(), None)
try:
    rollout._note("v1.2.0", 8)
    expect("no place for a number", "kept", "refused")
except OtaError as e:
    expect("no place for a number", "cannot be kept" in str(e), True)
for name in os.listdir(PLACE):
    os.remove(PLACE + "/" + name)
os.rmdir(PLACE)
print("  cases %d: numbers and ids that are kept" % kept)

assert valid and invalid and decisions and may and kept
print("vectors rollout", valid + invalid)
print("vectors decisions", decisions)
print("of which the board accepts what the computer refuses:", may)
print("%d passed, %d failed" % (passed, failed))
sys.exit(1 if failed else 0)
