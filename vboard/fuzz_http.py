"""Feeds bytes from standard input to the board's HTTP client, as the answers of servers, and says in
a line that begins with "= " how it ended. Arguments: the folder of the device's modules, a path that
is not used, and how many bytes of the heap to leave free.

The answers of one input are separated by "%%%%\\n": each connection gets the next. "%%~" is where a
server says nothing more, "%%." where the connection is reset.
"""

import gc
import sys

sys.path.insert(0, sys.argv[1])
import ota_http
import ota_url
import ota_updater
from fuzz_loop import converse

# The modules that an update has loaded by the time it reads answers.
import ota_api
import ota_source

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
ota_http.time = ota_url.time = clock


class Finding(Exception):
    """What must not happen, whoever sends what."""


class Net:
    """In the place of the module `socket`."""

    SOCK_STREAM = 1

    def begin(self, data):
        self.answers = data.split(b"%%%%\n")
        self.next = 0
        self.luck = ota_updater.crc32(data) | 1
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
ota_http.socket = net


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


def body(http):
    b = ota_updater.buffer()
    total = 0
    while total < MOST:
        n = http.readinto(b)
        if not n:
            return total
        total += n
    http.close()
    return total


def config(**more):
    c = {"owner": "o", "repo": "r", "base_url": "http://" + HOST, "timeout_s": 5, "deadline_s": DEADLINE}
    c.update(more)
    return c


def follow(data):
    http = ota_http.Http(config())
    auth = ("Authorization: Bearer " + TOKEN, ("http", HOST, 80))
    at = ota_url.follow(http, "http://%s/x/y" % HOST, (), auth)
    status, first = http.status, body(http)
    http.drop()
    ota_url.follow(http, at, ("Range: bytes=1-2",), auth)
    http.drop()
    http.close()
    return "%d %d" % (status, first)


def find(data, **more):
    s = ota_source.Source(config(**more))
    s.find(lambda tag: False)
    n = body(s.http)
    s.tag = s.tag or "v1.0.0"
    s.open(s.pack_name(s.tag), 10, 50)
    n += body(s.http)
    s.close()
    return "%d %d" % (n, len(s.urls))


def token(data):
    return find(data, token=TOKEN, insecure_token_over_http=True)


def scan(data):
    at = [0]
    calls = [0]

    def readinto(buf):
        n = min(len(buf), 1 + net.roll(200), len(data) - at[0])
        buf[:n] = data[at[0] : at[0] + n]
        at[0] += n
        return n

    def found(depth, key, value):
        if depth > 20 or len(value or b"") > 128 or (key and len(key) > 128):
            raise Finding("found(%r, %r, %r)" % (depth, key, value))
        calls[0] += 1

    ota_api.scan(readinto, found)
    return "%d found" % calls[0]


def url(data):
    try:
        text = str(data, "utf-8")
    except UnicodeError:
        return "not text"
    i = text.find("\n")
    base, location = text[:i], text[i + 1 :]
    to = ota_url.join(base, location)
    if base.startswith("https://") and not to.startswith("https://"):
        raise Finding("from https to " + to[:40])
    scheme, host, port, path = ota_url.split(to)
    if scheme not in ("http", "https") or not isinstance(port, int) or path[:1] != "/":
        raise Finding("split into %r" % ((scheme, host, port, path),))
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
    """In the place of ota_tls: https is spoken in plain."""


Tls.wrap = lambda s, host, settings: s
Tls.checks = lambda settings: True
Tls.explain = lambda host, error: None
sys.modules["ota_tls"] = Tls
ota_updater.buffer()
converse(answer, *sys.argv[3:])
