"""Feeds bytes from standard input to the board's HTTP client, as the answers of servers, and says in
a line that begins with "= " how it ended. Arguments: the folder of the device's modules, a path that
is not used, and how many bytes of the heap to leave free.

The answers of one input are separated by "%%%%\\n": each connection gets the next. "%%~" is where a
server says nothing more, "%%." where the connection is reset.
"""

import gc
import sys

sys.path.insert(0, sys.argv[1])
import ota_files
import ota_updater
from fuzz_loop import converse

# The modules that read answers. They stay, with the doubles that they are given here.
import mpota.update

mpota.update.done = lambda *names: None

import mpota.answer
import mpota.api
import mpota.ask
import mpota.body
import mpota.clock
import mpota.config
import mpota.fetch
import mpota.framing
import mpota.http
import mpota.pause
import mpota.ranges
import mpota.redirect
import mpota.refused
import mpota.scan
import mpota.seen
import mpota.send
import mpota.source
import mpota.start

DEADLINE = 120
TOKEN = "SECRET-TOKEN"
HOST = "a.example"
MOST = 20000  # of a body, as an update would stop behind what was signed


class Clock:
    """Time that passes only where somebody waits for it."""

    def __init__(self):
        self.now = 0

    def ticks_ms(self):
        return self.now

    def ticks_diff(self, a, b):
        return a - b

    def sleep_ms(self, ms):
        self.now += ms

    def time(self):
        return 1800000000 + self.now // 1000

    def gmtime(self, seconds=0):
        return (1970, 1, 1, 0, 0, 0, 3, 1)


clock = Clock()
mpota.framing.time = mpota.body.time = mpota.clock.time = mpota.source.time = clock


def run(work):
    """Take all steps, and have the time pass that they wait."""
    try:
        while True:
            clock.now += next(work)
    except StopIteration as e:
        return e.value


class Finding(Exception):
    """What must not happen, whoever sends what."""


class Net:
    """In the place of the module `socket`."""

    SOCK_STREAM = 1

    def begin(self, data):
        self.answers = data.split(b"%%%%\n")
        self.next = 0
        self.luck = ota_files.crc32(data) | 1
        clock.now = 0

    def roll(self, n):
        self.luck = (self.luck * 1103515245 + 12345) & 0x7FFFFFFF
        return (self.luck >> 8) % n

    def getaddrinfo(self, host, port, *_):
        if not host or port > 65535:
            raise OSError(-2)
        return [(2, 1, 0, "", (host, port))]

    def socket(self, *_):
        return Socket()


net = Net()
mpota.send.socket = net


class Socket:
    def connect(self, at):
        if net.next >= len(net.answers):
            raise OSError(111)
        self.at = at
        self.data, self.pos = net.answers[net.next], 0
        self.open = True
        net.next += 1

    def settimeout(self, _):
        pass

    def setblocking(self, _):
        pass

    def close(self):
        self.data, self.open = b"", False

    def write(self, data):
        if net.roll(4) == 0:
            return None
        n = min(len(data), 1 + net.roll(300))
        for c in data[:n]:
            if (c < 0x20 and c not in b"\r\n") or c == 0x7F:
                raise Finding("a control character is sent: %r" % data[:60])
        if TOKEN.encode() in data and self.at != (HOST, 80):
            raise Finding("the token goes to %s:%d" % self.at)
        return n

    def _there(self, most):
        """How many bytes come now; 0 at the end, None for later."""
        part = self.data[self.pos : self.pos + 3]
        if part == b"%%~":
            return None
        if part == b"%%.":
            raise OSError(104)
        if net.roll(5) == 0:
            return None
        n = min(most, 1 + net.roll(700), len(self.data) - self.pos)
        i = self.data.find(b"%%", self.pos + 1)
        return min(n, i - self.pos) if i > 0 else n

    def readline(self, most):
        n = self._there(most)
        if n is None:
            return None
        i = self.data.find(b"\n", self.pos, self.pos + n)
        end = i + 1 if i >= 0 else self.pos + n
        line = self.data[self.pos : end]
        self.pos = end
        return line

    def readinto(self, buf):
        n = self._there(len(buf))
        if n is None:
            return None
        buf[:n] = self.data[self.pos : self.pos + n]
        self.pos += n
        return n


def body(look):
    b = ota_updater.buffer()
    total = 0
    while total < MOST:
        n = mpota.body.readinto(look, b)
        if n is None:
            clock.now += 2
            continue
        if not n:
            return total
        total += n
    mpota.body.close(look)
    return total


def config(**more):
    limits = {"timeout_s": 5, "deadline_s": DEADLINE}
    c = {"owner": "o", "repo": "r", "base_url": "http://" + HOST, "limits": limits}
    c.update(more)
    c = mpota.config.read(c)
    c.record = {"state": "idle", "version": "v0.9.0", "bad": ""}
    return c


def follow(data):
    look = mpota.start.look_up(config())
    look.auth = ("Authorization: Bearer " + TOKEN, ("http", HOST, 80))
    at = run(mpota.http.follow(look, ["http://%s/x/y" % HOST]))
    status, first = look.status, body(look)
    run(mpota.body.drop(look))
    run(mpota.http.follow(look, at, ("Range: bytes=1-2",)))
    run(mpota.body.drop(look))
    mpota.body.close(look)
    return "%d %d" % (status, first)


def find(data, **more):
    look = mpota.start.look_up(config(**more))
    run(mpota.ask._find(look, lambda tag: False))
    n = body(look)
    look.tag = look.tag or "v1.0.0"
    n += parts(look)
    mpota.body.close(look)
    return "%d %d" % (n, len(look.urls))


def parts(look):
    """How many bytes come of two ranges of a pack, which are asked for at once or one after the other."""
    manifest = mpota.Bag()
    manifest.header = {"pack": {"asset": "r-%s.pack" % look.tag.replace("+", "-"), "size": 900}}
    to = mpota.fetch.Fetch(look, manifest, b"", 0)
    to.spans, to.runs, to.at, to.until = [(10, 50), (700, 720)], iter(()), None, 0
    b = ota_updater.buffer()
    total = 0
    for begin, end in to.spans[:]:
        came = False
        while not came:
            lines = run(mpota.ranges.ask(to, None, begin, None))
            if lines is None:
                break
            run(mpota.source.open(look, mpota.ranges.name(to, None)[0], lines))
            came = run(mpota.ranges.opened(to, None, begin))
        if to.at > begin or to.until < end:
            raise Finding("from %d to %d, for %d to %d" % (to.at, to.until, begin, end))
        while to.at < end:
            n = to.read(b[: end - to.at], False)
            if n is None:
                clock.now += 2
            total += n or 0
    return total


def token(data):
    return find(data, token=TOKEN, insecure_token_over_http=True)


def scan(data):
    at = [0]
    calls = [0]

    def readinto(_, buf):
        n = min(len(buf), 1 + net.roll(200), len(data) - at[0])
        buf[:n] = data[at[0] : at[0] + n]
        at[0] += n
        return n

    def found(depth, key, value):
        if depth > 20 or len(value or b"") > 128 or (key and len(key) > 128):
            raise Finding("found(%r, %r, %r)" % (depth, key, value))
        calls[0] += 1

    run(mpota.scan.scan(None, readinto, found))
    return "%d found" % calls[0]


def url(data):
    try:
        text = str(data, "utf-8")
    except UnicodeError:
        return "not text"
    i = text.find("\n")
    base, location = text[:i], text[i + 1 :]
    to = mpota.redirect.join([base], [location])
    if base.startswith("https://") and not to[0].startswith("https://"):
        raise Finding("from https to " + to[0][:40])
    (scheme, host, port), i = mpota.http.split(to)
    if scheme not in ("http", "https") or not isinstance(port, int) or to[0][i : i + 1] not in ("/", ""):
        raise Finding("split into %r" % ((scheme, host, port, i),))
    return "joined"


KINDS = {b"follow": follow, b"find": find, b"token": token, b"scan": scan, b"url": url}


def answer(kind, data):
    net.begin(data)
    try:
        said = "fine " + KINDS[kind](data)
    except ota_updater.OtaError as e:
        if TOKEN in str(e):
            raise Finding("the token is in the text of an error")
        said = "refused " + str(e)[:60]
    if clock.now > (DEADLINE + 20) * 1000:
        raise Finding("it took %d s" % (clock.now // 1000))
    return said


class Tls:
    """In the place of mpota.tls: https is spoken in plain."""




def _wrap(s, host, settings):
    yield 0
    return s


Tls.wrap = _wrap
Tls.checks = lambda settings: True
Tls.explain = lambda host, error: None
sys.modules["mpota.tls"] = Tls
ota_updater.buffer()
converse(answer, *sys.argv[3:])
