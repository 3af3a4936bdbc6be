"""A virtual board for the power-cut matrix: its writes are recorded, its tree is judged."""

import binascii
import ffi
import hashlib
import json
import os
import uctypes

import flash as flashes
import vboard
from flash import WRITES, READS, BOOTS, SLEEPS, PROBES, SYNC

_libc = ffi.open(None)
_dup2 = _libc.func("i", "dup2", "ii")
_open = _libc.func("i", "open", "si")
_memcpy = _libc.func("p", "memcpy", "ppL")
_memfd = _libc.func("i", "memfd_create", "si")
_lseek = _libc.func("l", "lseek", "ili")
_ftruncate = _libc.func("i", "ftruncate", "iL")
_pread = _libc.func("l", "pread", "ipLl")

LOG_SIZE = 32 << 20
OLD, NEW, GOAL, TRIAL, MIXED = 1, 2, 4, 8, 16  # what the app saw around itself when it started
STATES = ("idle", "staged", "swapping", "trial", "confirmed", "undoing", "undone")
SKIP = ("/.ota", "/version.json", "/readings.csv")


def records():
    """The whole records of the journal on the mounted flash, the newest last: (number, state, path)."""
    found = []
    for path in ("/.ota/state.0", "/.ota/state.1"):
        try:
            with open(path, "rb") as f:
                line = f.read()
            if int(line[:8], 16) == binascii.crc32(line[9:-1]):
                r = json.loads(line[9:-1])
                found.append((r["seq"], r["state"], path))
        except (OSError, ValueError):
            pass
    return sorted(found)


class Cutter(vboard.Board):
    def __init__(self, opts):
        super().__init__(opts)
        self.log_mem = memoryview(flashes.mapped(None, LOG_SIZE))
        self.shared = memoryview(flashes.mapped(None, 4096))
        self.at = flashes.mapped(None, 4096)  # [0:4] length of the log
        self.known = {}  # digest of a tree without boot.py -> {digest of boot.py: flag}
        self.null = _open("/dev/null", 1)
        self.printed = _memfd("printed", 0)  # what the board printed, where that is wanted
        self.listen = False
        self.verbose = opts.get("verbose")

    # --- images ---

    # Images lie outside of the heap: a board collects its garbage often, and would look through all of them.

    def blank(self):
        """Room for an image, for good."""
        return flashes.mapped(None, self.size)

    def copy(self, to, image):
        _memcpy(uctypes.addressof(to), uctypes.addressof(image), self.size)

    def keep(self):
        image = self.blank()
        self.copy(image, self.memory)
        return image

    def load(self, image):
        self.copy(self.memory, image)

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

    def new_log(self):
        """Keep the recorded writes; what is recorded next goes elsewhere."""
        self.log_mem = memoryview(flashes.mapped(None, LOG_SIZE))

    def writes(self):
        """The recorded writes: (address, None or the data, how many syncs came before). The data are where they
        were recorded: valid until the next ones are, or for good after new_log()."""
        out, n, end, syncs = [], 0, self.length(), 0
        while n < end:
            at = int.from_bytes(self.log_mem[n : n + 4], "little")
            size = int.from_bytes(self.log_mem[n + 4 : n + 8], "little")
            if at == SYNC:
                syncs += 1
            else:
                out.append((at, self.log_mem[n + 8 : n + 8 + size] if size else None, syncs))
            n += 8 + size
        return out

    # --- the journal's transitions: a bit for each pair of states, shared by all boots ---

    def note_transition(self):
        """The two records of the journal are the last two states."""
        found = records()
        if len(found) < 2:
            return
        (m, x, _), (n, y, _) = found
        if m + 1 == n:
            at = 64 + STATES.index(x) * len(STATES) + STATES.index(y)
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
                    try:
                        with open(path, "rb") as f:
                            n = 1
                            while n:
                                n = f.readinto(b)
                                h.update(b[:n])
                        tree[path] = h.digest()
                    except OSError as e:
                        if e.errno != 84:  # LittleFS says that it is corrupt
                            raise
                        tree[path] = b"unreadable"

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
                parts = data[9:].split(b",") if b'"seq":' in data else []  # without checksum, number and time
                h = b",".join(sorted([p.strip(b"{}\n") for p in parts if b'"seq"' not in p and b'"since"' not in p]))
            sha.update(path.encode() + b"\0" + h)
        return sha.digest()

    def state(self):
        found = records()
        return found[-1][1] if found else "none"

    def told(self):
        """What version.json says: (version, confirmed), or None."""
        try:
            with open("/version.json") as f:
                v = json.loads(f.read())
            return v["version"], v["confirmed"]
        except (OSError, ValueError, KeyError):
            return None

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
            # The version is written last: what it confirms is there, whole.
            self.shared[3:4] = bytes([self.told() == (self.opts["version"], True) and not v & NEW])
            state = self.state()
            self.shared[2:3] = bytes([STATES.index(state) if state in STATES else 255])
            self.shared[0:1] = bytes([v])
            self.shared[8:40] = self.logical(tree)
            return 0

        self.shared[2:4] = b"\xff\0"
        if self.child(work):
            return 0, None
        return self.shared[0], bytes(self.shared[8:40])

    def journal(self):
        """The journal's state when last looked at; "" where there was none, or no mount."""
        return STATES[self.shared[2]] if self.shared[2] < len(STATES) else ""

    def lied(self):
        """Whether version.json named the new version too early, when last looked at."""
        return self.shared[3]

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
        """Called by the app, first thing after the guard: what does it see around itself? The look
        does not count: no fault happens to it."""
        dev = self.dev
        dev.n[PROBES] += 1
        reads, fail = dev.n[READS], dev.fail_read
        dev.fail_read = 0
        # The firmware's import passes over a read that failed, and LittleFS keeps what that left in its cache: the
        # look would be at that, and not at the flash.
        try:
            os.statvfs("/")
        except OSError:  # a corrupt file: all of the flash up to it was read
            pass
        self.shared[1:2] = bytes([self.shared[1] | self.judge(self.read_tree(), False)])
        dev.n[READS], dev.fail_read = reads, fail

    def boot(self):
        if not self.verbose:
            _dup2(self.printed if self.listen else self.null, 1)
        print("board: boot")
        return super().boot()

    def mount(self):
        super().mount()
        self.note_transition()

    def output(self):
        """What was printed since listening began."""
        size = min(_lseek(self.printed, 0, 2), 60000)
        data = bytearray(size)
        _pread(self.printed, uctypes.addressof(data), size, 0)
        return bytes(data)

    def hear(self):
        """Listen from now on."""
        self.listen = True
        _ftruncate(self.printed, 0)
        _lseek(self.printed, 0, 0)

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


