"""Cuts the power of the virtual board at every write of an update, and of every recovery from such
a cut, and looks at what is left. Driven by `cargo xtask powercut`; see main().

An image of the flash is made for every prefix of the recorded writes; each is booted without a
network until it has come to rest, and then, once for every state that differs, with one. Every boot
is a process forked from an interpreter that never ran any of the board's code.
"""

import hashlib
import json
import os
import random
import time

import faults
import standins
import vboard
from cutter import GOAL, MIXED, NEW, OLD, Cutter
from flash import PROBES


REST = 80  # boots: an exchange that cannot be finished is given up after 30 starts, and its undo is not short


class Matrix:
    """Counts for one scenario on one file system."""

    def __init__(self, opts):
        opts["quiet"] = not opts.get("verbose")
        self.opts = opts
        self.c = Cutter(opts)
        self.c.total = 0
        self.first = self.torn = self.reordered = self.second = self.third = self.online = 0
        self.outcome = {"old": 0, "new": 0, "healed": 0, "mixed": 0, "dead": 0, "silent": 0}
        self.damaged = self.faults = self.lost = self.same = 0
        self.images = {}
        self.noted = {}
        self.flash, self.other, self.reached = self.c.blank(), self.c.blank(), self.c.blank()
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
        if first and c.lied():
            self.outcome["mixed"] += 1
            self.note("version.json too early", what, 0, before)
        if first:
            c.record(True)
        code = c.go(False, self.opts.get("rest", 4), REST)
        if first:
            c.record(False)
            self.recovery = c.writes()
        self.finish(what, before, code)

    def finish(self, what, before, code):
        c = self.c
        ran = c.shared[1]
        after, state = c.look()
        self.journal = c.journal()
        sleeps = after and code == standins.SLEEP
        self.stuck = False  # whether its app runs, and it cannot be updated all the same
        if ran & MIXED or (after and not after & (OLD | NEW)) or after == MIXED or c.lied():
            self.outcome["mixed"] += 1
            self.note("mixed", what, ran, after)
        elif not sleeps:  # it sits at the REPL, or resets for ever
            self.outcome["dead"] += 1
            self.note("dead: " + str(vboard.NAMES.get(code, code)), what, ran, after)
        else:
            self.outcome["new" if after & NEW else "old"] += 1
            if before == MIXED:
                self.outcome["healed"] += 1
        if state not in self.seen:
            self.seen[state] = True
            self.online += 1
            code = c.go(True, 2, 30, url=self.opts["goal_url"])
            v, _ = c.look()
            if c.shared[1] & MIXED and not ran & MIXED:
                self.outcome["mixed"] += 1
                self.note("mixed online", what, c.shared[1], v)
            if v != GOAL or code != standins.SLEEP:
                self.stuck = sleeps
                self.outcome["dead"] += 1
                self.note("dead: cannot be updated", what, c.shared[1], v)

    def mark(self):
        """What has been counted as wrong so far, for forget()."""
        return self.outcome["mixed"], self.outcome["dead"], len(self.bad), dict(self.noted)

    def forget(self, mark):
        """Take back what was counted as mixed or dead since then, and its lines. Returns whether there was any."""
        mixed, dead, lines, noted = mark
        any_wrong = self.outcome["mixed"] > mixed or self.outcome["dead"] > dead
        self.outcome["mixed"], self.outcome["dead"] = mixed, dead
        del self.bad[lines:]
        self.noted = noted
        return any_wrong

    def note(self, kind, what, ran, after):
        self.noted[kind] = self.noted.get(kind, 0) + 1
        if self.noted[kind] <= 8:
            self.bad.append("%s at %s (ran %d, left %d)" % (kind, what, ran, after))

    def tears(self, data):
        if data is None:
            return (0,)
        n = len(data)
        return tuple({x for x in (1, n // 2, n - 1) if 0 < x < n}) if n > 1 else ()

    def put(self, image, write):
        at, data, _ = write
        n = self.c.dev.block if data is None else len(data)
        image[at : at + n] = b"\xff" * n if data is None else data

    def cuts(self):
        """All images that a first cut leaves: (name, image), each good until the next one. The last write is whole, torn, or was
        overtaken by the one after it, where no sync stands between them."""
        c = self.c
        writes = self.log
        block = c.dev.block
        flash, torn = self.flash, self.other
        c.copy(flash, self.base)
        tear = self.opts["fs"] != "fat"  # its sectors are whole or not written
        for k in range(len(writes)):
            at, data, syncs = writes[k]
            yield "%d" % k, flash
            if tear:
                for t in self.tears(data):
                    c.copy(torn, flash)
                    if data is None:
                        torn[at : at + block // 2] = b"\xff" * (block // 2)
                    else:
                        torn[at : at + t] = data[:t]
                    yield "%d torn %d" % (k, t), torn
                after = writes[k + 1] if k + 1 < len(writes) else None
                if after and after[2] == syncs and after[0] // block != at // block:
                    c.copy(torn, flash)
                    self.put(torn, after)
                    yield "%d overtaken" % k, torn
            self.put(flash, writes[k])

    def run_cuts(self):
        """First cuts at every write, second cuts at every write of the recovery, third ones at random."""
        c, opts = self.c, self.opts
        sample, sample2 = opts.get("sample", 0), opts.get("sample2", 0)
        total = sum(1 for _ in self.cuts())
        picks = None
        if sample and total > sample:
            picks = {random.getrandbits(30) % total for _ in range(sample)}
        for number, (name, image) in enumerate(self.cuts()):
            if opts.get("only", name) != name or opts.get("like", "") not in name or (picks is not None and number not in picks):
                continue
            c.load(image)
            self.first += 1
            self.torn += " torn" in name
            self.reordered += " overtaken" in name
            self.settle(name)
            writes = len(self.recovery)
            # The recovery, cut at each of its writes.
            if opts.get("only") or " " in name and not opts.get("torn_second"):
                continue
            js = range(writes)
            if sample2 and writes > sample2:
                js = sorted({random.getrandbits(30) % writes for _ in range(sample2)})
            c.copy(self.reached, image)
            self.at = 0
            for j in js:
                self.second_cut(name, j)

    def second_cut(self, name, j):
        """The power goes at write `j` (from 0) of the last recovery, and perhaps once more."""
        c, opts = self.c, self.opts
        torn = random.getrandbits(30) % 300 if opts["fs"] != "fat" else 0
        while self.at < j:
            self.put(self.reached, self.recovery[self.at])
            self.at += 1
        c.load(self.reached)
        at, data, _ = self.recovery[j]
        if data is None:
            n = c.dev.block // 2 if torn else 0
            data = b"\xff" * n
        else:
            n = min(torn, len(data))
        c.memory[at : at + n] = data[:n]
        self.second += 1
        name = "%s, %d (torn %d)" % (name, j + 1, torn)
        if self.seen_before():
            self.same += 1
            return
        if random.getrandbits(30) % 4 == 0:  # a third cut, somewhere in what follows
            k = 1 + random.getrandbits(30) % 40
            if c.go(False, opts.get("rest", 4), REST, k, torn) == standins.CUT:
                self.third += 1
            name = "%s, %d" % (name, k)
            if c.shared[1] & MIXED:
                self.outcome["mixed"] += 1
                self.note("mixed", name, c.shared[1], 0)
        self.settle(name, False)

    def seen_before(self):
        """Whether a second cut has left this very flash, bit for bit, before: what follows is known then."""
        digest = int.from_bytes(hashlib.sha256(self.c.memory).digest()[:7], "little")
        if digest in self.images:
            return True
        self.images[digest] = True
        return False

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
        c.new_log()
        self.base = c.base_image
        left, _ = c.look()
        if left & OLD and opts.get("expect", "new") == "new":
            raise ValueError("the update that is to be cut did not happen (%d, %d)" % (code, left))
        c.load(opts["goal_image"])
        random.seed(opts["seed"])
        for work in opts.get("modes", ("cuts",)):
            self.run_cuts() if work == "cuts" else getattr(faults, work)(self)
        if not c.dev.n[PROBES]:
            raise ValueError("the app never looked around itself")
        print(json.dumps({
            "writes": len(self.log), "damaged": self.damaged, "faults": self.faults, "lost": self.lost,
            "transitions": sorted(c.transitions()), "first": self.first, "torn": self.torn, "reordered": self.reordered,
            "second": self.second, "same": self.same, "third": self.third,
            "online": self.online, "probes": c.dev.n[PROBES], "boots": c.total, "outcome": self.outcome, "bad": self.bad,
            "ms": time.ticks_diff(time.ticks_ms(), began), "left": left,
        }))


def main():
    """OPTIONS: as of vboard, and "before", "goal": host folders with the tree before the update and
    the one that everything must end in; "new": folders of further whole trees; "version": the new one;
    "url": the server with the update; "goal_url": the one with the goal; "seed"; "sample", "sample2": so many first cuts,
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
