"""Cuts the power of the virtual board at every write of an update, and of every recovery from such
a cut, and looks at what is left. Driven by `cargo xtask powercut`; see main().

An image of the flash is made for every prefix of the recorded writes; each is booted without a
network until it has come to rest, and then, once for every state that differs, with one. Every boot
is a process forked from an interpreter that never ran any of the board's code.
"""

import ffi
import hashlib
import json
import os
import random
import time
import uctypes

import flash as flashes
import standins
import vboard
from flash import WRITES, READS, ERRORS, BOOTS, SLEEPS, PROBES

_libc = ffi.open(None)
_dup2 = _libc.func("i", "dup2", "ii")
_open = _libc.func("i", "open", "si")
_memcpy = _libc.func("p", "memcpy", "ppL")

LOG_SIZE = 32 << 20
OLD, NEW, GOAL, TRIAL, MIXED = 1, 2, 4, 8, 16  # what the app saw around itself when it started
STATES = ("idle", "staged", "swapping", "trial", "confirmed", "undoing", "undone")
SKIP = ("/.ota", "/version.json", "/readings.csv")


class Cutter(vboard.Board):
    def __init__(self, opts):
        super().__init__(opts)
        self.log_mem = memoryview(flashes.mapped(None, LOG_SIZE))
        self.shared = memoryview(flashes.mapped(None, 4096))
        self.at = flashes.mapped(None, 4096)  # [0:4] length of the log
        self.known = {}  # digest of a tree without boot.py -> {digest of boot.py: flag}
        self.base = bytearray(self.size)
        self.null = _open("/dev/null", 1)
        self.verbose = opts.get("verbose")

    # --- images ---

    def keep(self):
        return bytes(self.memory)

    def load(self, image):
        _memcpy(uctypes.addressof(self.memory), uctypes.addressof(image), self.size)

    # --- the log of writes: 4 bytes address, 4 bytes length (0: erase), data ---

    def record(self, on):
        if on:
            self.set_length(0)
            self.dev.log = self.logged
        else:
            self.dev.log = None

    def length(self):
        return int.from_bytes(self.at[0:4], "little")

    def set_length(self, n):
        self.at[0:4] = n.to_bytes(4, "little")

    def logged(self, at, data):
        n = self.length()
        size = 0 if data is None else len(data)
        self.log_mem[n : n + 4] = at.to_bytes(4, "little")
        self.log_mem[n + 4 : n + 8] = size.to_bytes(4, "little")
        if size:
            self.log_mem[n + 8 : n + 8 + size] = data
        self.set_length(n + 8 + size)

    def writes(self):
        """The recorded writes: (address, None or the data)."""
        out, n, end = [], 0, self.length()
        while n < end:
            at = int.from_bytes(self.log_mem[n : n + 4], "little")
            size = int.from_bytes(self.log_mem[n + 4 : n + 8], "little")
            out.append((at, bytes(self.log_mem[n + 8 : n + 8 + size]) if size else None))
            n += 8 + size
        return out

    def apply(self, at, data, torn=None):
        """Do one recorded write, or only its beginning, to the flash."""
        if data is None:
            self.dev._fill(at, self.dev.block if torn is None else self.dev.block // 2)
        else:
            n = len(data) if torn is None else torn
            self.memory[at : at + n] = data[:n]

    # --- the journal's transitions: a bit for each pair of states, shared by all boots ---

    def note_transition(self):
        """The two records of the journal are the last two states."""
        found = []
        for name in ("/.ota/state.0", "/.ota/state.1"):
            try:
                with open(name, "rb") as f:
                    r = json.loads(f.read()[9:])
                found.append((r["seq"], STATES.index(r["state"])))
            except (OSError, ValueError, KeyError):
                return
        (m, x), (n, y) = sorted(found)
        if m + 1 == n:
            at = 64 + x * len(STATES) + y
            self.at[at : at + 1] = b"1"

    def transitions(self):
        out = []
        for a in range(len(STATES)):
            for b in range(len(STATES)):
                if self.at[64 + a * len(STATES) + b]:
                    out.append(STATES[a] + " " + STATES[b])
        return out

    # --- looking at a tree ---

    def read_tree(self):
        """Everything that is on the mounted flash: {path: SHA-256, or None for a folder}."""
        tree = {}
        b = memoryview(bytearray(4096))

        def walk(folder):
            for e in os.ilistdir(folder or "/"):
                path = folder + "/" + e[0]
                if e[1] == 0x4000:
                    tree[path] = None
                    walk(path)
                else:
                    h = hashlib.sha256()
                    with open(path, "rb") as f:
                        n = 1
                        while n:
                            n = f.readinto(b)
                            h.update(b[:n])
                    tree[path] = h.digest()

        walk("")
        return tree

    def digest(self, tree, folders):
        """(digest of the app's files without boot.py, digest of boot.py) of a tree. With `folders` an
        empty folder makes a difference; the app is not broken by one."""
        sha = hashlib.sha256()
        for path in sorted(tree):
            if path in SKIP or path.startswith("/.ota/") or path == "/boot.py":
                continue
            h = tree[path]
            if h is not None:
                sha.update(path.encode() + b"\0" + h)
            elif folders:
                sha.update(path.encode() + b"/")
        return sha.digest(), tree.get("/boot.py", b"")

    def logical(self, tree):
        """A digest of all that is on the flash, as files: states that behave alike have the same."""
        sha = hashlib.sha256()
        for path in sorted(tree):
            if path == "/readings.csv":
                continue
            h = tree[path] or b"/"
            if path.startswith("/.ota/state."):
                with open(path, "rb") as f:
                    data = f.read()
                parts = data[9:].split(b",") if b'"seq":' in data else []  # without checksum and number
                h = b",".join(sorted([p.strip(b"{}\n") for p in parts if b'"seq"' not in p]))
            sha.update(path.encode() + b"\0" + h)
        return sha.digest()

    def state(self):
        best = (0, "none")
        for name in ("/.ota/state.0", "/.ota/state.1"):
            try:
                with open(name, "rb") as f:
                    r = json.loads(f.read()[9:])
                if r["seq"] > best[0]:
                    best = (r["seq"], r["state"])
            except (OSError, ValueError, KeyError):
                pass
        return best[1]

    def judge(self, tree, folders):
        app, guard = self.digest(tree, folders)
        guards = self.known.get(app)
        if not guards:
            return MIXED
        if guard in guards:
            return guards[guard]
        # While it is on trial a new boot.py is not in its place yet: the old one guards it.
        any_guard = [g for a in self.known.values() for g in a]
        if guard in any_guard and self.state() in ("trial", "confirmed"):
            return TRIAL | list(guards.values())[0]
        return MIXED

    def look(self):
        """Mount and judge, in a process of its own: (verdict, logical digest), or (0, None): no mount."""

        def work():
            try:
                self.mount()
            except OSError:
                return 1
            tree = self.read_tree()
            v = self.judge(tree, True)
            self.note_transition()
            state = self.state()
            self.shared[2:3] = bytes([STATES.index(state) if state in STATES else 99])
            self.shared[0:1] = bytes([v])
            self.shared[8:40] = self.logical(tree)
            return 0

        if self.child(work):
            return 0, None
        return self.shared[0], bytes(self.shared[8:40])

    def learn(self, flag):
        """Remember the tree that lies on the flash now as old, new or the goal."""

        def work(folders):
            self.mount()
            a, g = self.digest(self.read_tree(), folders)
            self.shared[8:40] = a
            self.shared[40 : 40 + len(g)] = g
            self.shared[72:73] = bytes([len(g)])
            return 0

        for folders in (True, False):
            if self.child(lambda: work(folders)):
                raise OSError("no tree to learn")
            a = bytes(self.shared[8:40])
            g = bytes(self.shared[40 : 40 + self.shared[72]])
            self.known.setdefault(a, {}).setdefault(g, flag)

    # --- boots ---

    def probe(self):
        """Called by the app, first thing after the guard: what does it see around itself?"""
        self.dev.n[PROBES] += 1
        self.shared[1:2] = bytes([self.shared[1] | self.judge(self.read_tree(), False)])

    def boot(self):
        if not self.verbose:
            _dup2(self.null, 1)
        return super().boot()

    def go(self, online, sleeps, boots, cut=0, torn=0, url=None):
        """Power on; returns the exit code of the last boot. Counters tell the rest."""
        n = self.dev.n
        n[WRITES] = n[BOOTS] = n[SLEEPS] = 0
        self.shared[1:2] = b"\0"
        self.opts["wifi"], self.opts["sleeps"], self.opts["boots"] = online, sleeps, boots
        self.opts["base_url"] = url
        self.opts["at_rest"] = not online
        # Where a hang has to be waited for, time goes faster; the goal is confirmed in real time.
        self.opts["timer_divide"] = self.opts.get("divide", 1) if url != self.opts["goal_url"] else 1
        self.dev.cut, self.dev.torn = cut, torn
        code = self.run()
        self.total += n[BOOTS]
        return code


class Matrix:
    """Counts for one scenario on one file system."""

    def __init__(self, opts):
        opts["quiet"] = True
        self.opts = opts
        self.c = Cutter(opts)
        self.c.total = 0
        self.first = self.torn = self.second = self.third = self.online = 0
        self.outcome = {"old": 0, "new": 0, "healed": 0, "mixed": 0, "dead": 0}
        self.damaged = self.faults = self.lost = 0
        self.seen = {}
        self.bad = []

    def settle(self, what, first=True):
        """Run offline until nothing moves any more, judge, and go on online. What was mixed before
        (healed) is counted for first cuts only: looking takes as long as booting."""
        c = self.c
        if self.opts.get("dump"):
            c.mounted(c.tree)
            c.mounted(lambda: print([(n, open("/.ota/" + n, "rb").read()) for n in ("state.0", "state.1")]))
        before = c.look()[0] if first else 0
        code = c.go(False, self.opts.get("rest", 4), 20)
        writes = c.dev.n[WRITES]
        self.finish(what, before, code)
        return writes

    def finish(self, what, before, code):
        c = self.c
        ran = c.shared[1]
        after, state = c.look()
        if ran & MIXED or (after and not after & (OLD | NEW)) or after == MIXED:
            self.outcome["mixed"] += 1
            self.note("mixed", what, ran, after)
        elif code == standins.DEAD or not after:
            self.outcome["dead"] += 1
            self.note("dead", what, ran, after)
        else:
            self.outcome["new" if after & NEW else "old"] += 1
            if before == MIXED:
                self.outcome["healed"] += 1
        if state not in self.seen:
            self.seen[state] = True
            self.online += 1
            c.go(True, 2, 30, url=self.opts["goal_url"])
            v, _ = c.look()
            if c.shared[1] & MIXED and not ran & MIXED:
                self.outcome["mixed"] += 1
                self.note("mixed online", what, c.shared[1], v)
            if v != GOAL:
                self.outcome["dead"] += 1
                self.note("dead: cannot be updated", what, c.shared[1], v)

    def note(self, kind, what, ran, after):
        if len(self.bad) < 8:
            self.bad.append("%s at %s (ran %d, left %d)" % (kind, what, ran, after))

    def tears(self, data):
        if data is None:
            return (0,)
        n = len(data)
        return tuple({x for x in (1, n // 2, n - 1) if 0 < x < n}) if n > 1 else ()

    def cuts(self):
        """All images that a first cut leaves: (name, image)."""
        c = self.c
        writes = self.log
        flash = bytearray(self.base)
        tear = self.opts["fs"] != "fat"  # its sectors are whole or not written
        for k in range(len(writes)):
            at, data = writes[k]
            yield "%d" % k, flash
            if tear:
                for t in self.tears(data):
                    torn = bytearray(flash)
                    if data is None:
                        torn[at : at + c.dev.block // 2] = b"\xff" * (c.dev.block // 2)
                    else:
                        torn[at : at + t] = data[:t]
                    yield "%d torn %d" % (k, t), torn
            n = c.dev.block if data is None else len(data)
            flash[at : at + n] = b"\xff" * n if data is None else data

    def run_cuts(self):
        """First cuts at every write, second cuts at every write of the recovery, third ones at random."""
        c, opts = self.c, self.opts
        sample, sample2 = opts.get("sample", 0), opts.get("sample2", 0)
        total = sum(1 for _ in self.cuts())
        picks = None
        if sample and total > sample:
            picks = {random.getrandbits(30) % total for _ in range(sample)}
        for number, (name, image) in enumerate(self.cuts()):
            if opts.get("only", name) != name or (picks is not None and number not in picks):
                continue
            image = bytes(image)
            c.load(image)
            self.first += 1
            self.torn += " torn" in name
            writes = self.settle(name)
            # The recovery, cut at each of its writes.
            if opts.get("only") or " torn" in name and not opts.get("torn_second"):
                continue
            js = range(1, writes + 1)
            if sample2 and writes > sample2:
                js = sorted({1 + random.getrandbits(30) % writes for _ in range(sample2)})
            for j in js:
                torn = random.getrandbits(30) % 300 if opts["fs"] != "fat" else 0
                c.load(image)
                code = c.go(False, opts.get("rest", 4), 20, j, torn)
                if code != standins.CUT and opts.get("divide", 1) > 1:
                    continue  # the timer was a little later this time
                if code != standins.CUT:
                    raise ValueError("the cut of write %d after %s did not happen" % (j, name))
                ran = c.shared[1]
                self.second += 1
                if random.getrandbits(30) % 16 == 0:  # a third cut, somewhere in what follows
                    k = 1 + random.getrandbits(30) % 40
                    if c.go(False, opts.get("rest", 4), 20, k, torn) == standins.CUT:
                        self.third += 1
                    name3 = "%s, %d (torn %d), %d" % (name, j, torn, k)
                    ran |= c.shared[1]
                else:
                    name3 = "%s, %d (torn %d)" % (name, j, torn)
                if ran & MIXED:
                    self.outcome["mixed"] += 1
                    self.note("mixed", name3, ran, 0)
                self.settle(name3, False)

    def online_faults(self, key, errno, limit):
        """The update, with one write or read that fails, at each in turn; then it must work again."""
        c, opts = self.c, self.opts
        step = max(1, limit // (opts.get("sample") or 250))
        first = 1 + random.getrandbits(30) % step
        for k in range(first, limit + 1, step):
            c.load(c.base_image)
            setattr(c.dev, key, k)
            c.dev.errno = errno
            code = c.go(True, opts.get("sleeps", 1), 20, url=opts["url"])
            setattr(c.dev, key, 0)
            if not c.dev.n[ERRORS]:
                continue
            c.dev.n[ERRORS] = 0
            self.faults += 1
            ran = c.shared[1]
            name = "%s %d errno %d" % (key, k, errno)
            if ran & MIXED:
                self.outcome["mixed"] += 1
                self.note("mixed", name, ran, code)
            self.settle(name)

    def run_eio(self):
        c, opts = self.c, self.opts
        c.load(c.base_image)
        c.go(True, opts.get("sleeps", 1), 20, url=opts["url"])
        writes, reads = c.dev.n[WRITES], c.dev.n[READS]
        self.online_faults("fail_write", 5, writes)
        self.online_faults("fail_write", 28, writes)
        self.online_faults("fail_read", 5, reads)

    def run_flips(self):
        """One bit of the newest journal record, or of a file that is staged, is turned."""
        self.flips(("staged", "swapping"), "new")

    def run_backups(self):
        """One bit of a saved file is turned. The old version cannot be whole again then: what counts
        is that nothing is dead, and that the next update heals it."""
        old = dict(self.outcome)
        self.flips(("swapping", "trial", "undoing"), "old")
        self.lost = self.outcome["mixed"] - old["mixed"]
        self.outcome["mixed"] = old["mixed"]
        self.bad = [b for b in self.bad if b.startswith("dead")]

    def flips(self, states, folder):
        c, opts = self.c, self.opts
        many = opts.get("sample") or 400
        images = []
        for name, image in self.cuts():
            c.load(image)
            c.look()
            if c.shared[2] < len(STATES) and STATES[c.shared[2]] in states + (() if folder == "old" else ("trial", "confirmed")):
                images.append((name, bytes(image)))
        for _ in range(many if images else 0):
            name, image = images[random.getrandbits(30) % len(images)]
            c.load(image)
            seed = random.getrandbits(30)
            if c.mounted(self.flip, seed, states, folder):
                continue
            if bytes(c.memory) == image:
                continue
            self.damaged += 1
            what = str(bytes(c.shared[81 : 81 + c.shared[80]]), "ascii")
            self.settle("%s, flip %d, %s" % (name, seed, what))

    def flip(self, seed, states, folder):
        """Turn one bit of a file of the updater: of the record that counts, or of `folder`."""
        random.seed(seed)
        files = []
        if folder == "new" and random.getrandbits(1):
            best = 0
            for n in ("state.0", "state.1"):
                try:
                    with open("/.ota/" + n, "rb") as f:
                        seq = json.loads(f.read()[9:])["seq"]
                    if seq > best:
                        best, files = seq, ["/.ota/" + n]
                except (OSError, ValueError, KeyError):
                    pass
        elif self.c.state() in states:
            files = ["/.ota/%s/%s" % (folder, e[0]) for e in os.ilistdir("/.ota/" + folder)]
        if not files:
            return
        path = files[random.getrandbits(30) % len(files)]
        with open(path, "rb") as f:
            data = bytearray(f.read())
        about = ("%s in %s" % (path, self.c.state())).encode()
        self.c.shared[81 : 81 + len(about)] = about
        self.c.shared[80:81] = bytes([len(about)])
        if data:
            data[random.getrandbits(30) % len(data)] ^= 1 << random.getrandbits(3)
            with open(path, "wb") as f:
                f.write(data)

    def run(self):
        c, opts = self.c, self.opts
        began = time.ticks_ms()
        c.load(c.base_image)
        c.learn(OLD)
        # What a whole update leads to, and what it writes on its way.
        c.record(True)
        code = c.go(True, opts.get("sleeps", 1), 20, url=opts["url"])
        c.record(False)
        self.log = c.writes()
        self.base = c.base_image
        left, _ = c.look()
        self.end = bytes(c.memory)
        if left & OLD and opts.get("expect", "new") == "new":
            raise ValueError("the update that is to be cut did not happen (%d, %d)" % (code, left))
        c.load(opts["goal_image"])
        random.seed(opts["seed"])
        for work in opts.get("modes", ("cuts",)):
            getattr(self, "run_" + work)()
        if not c.dev.n[PROBES]:
            raise ValueError("the app never looked around itself")
        print(json.dumps({
            "writes": len(self.log), "damaged": self.damaged, "faults": self.faults, "lost": self.lost,
            "transitions": sorted(c.transitions()), "first": self.first, "torn": self.torn, "second": self.second, "third": self.third,
            "online": self.online, "probes": c.dev.n[PROBES], "boots": c.total, "outcome": self.outcome, "bad": self.bad,
            "ms": time.ticks_diff(time.ticks_ms(), began), "left": left,
        }))


def main():
    """OPTIONS: as of vboard, and "before", "goal": host folders with the tree before the update and
    the one that everything must end in; "new": folders of further whole trees; "url": the server with
    the update; "goal_url": the one with the goal; "seed"; "sample", "sample2": so many first cuts,
    and second cuts for each of them (0: all)."""
    opts = json.loads(os.getenv("VBOARD"))
    m = Matrix(opts)
    c = m.c
    c.format(opts["before"])
    c.base_image = c.keep()
    for folder in opts.get("new", []):
        c.format(folder)
        c.learn(NEW)
    c.format(opts["goal"])
    c.learn(GOAL)
    opts["goal_image"] = c.keep()
    m.run()
