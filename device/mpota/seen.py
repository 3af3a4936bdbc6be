"""mpota: the answer of last time. Where nothing is new, a server is asked whether its answer is still that one.

A line each in .ota/etag: what the answer is known by, the address, the release's version. Known by its ETag, or
else its date, or else "-": by its first bytes and its length. A date may hide a release whose files are older, so
one look of 16 asks without it.
"""

import os
import ota_updater
from mpota.body import readinto
from ota_updater import HOME, buffer, log

_PATH = HOME + "etag"
_FIRST = 2048  # bytes of a manifest that are asked for where a server tells nothing else


def is_etag(s):
    """Whether it is one ETag, and not "*" or a list: GitHub answers those with 304 for ever."""
    s = s[2:] if s[:2] == "W/" else s
    if not 2 < len(s) < 256 or s[:1] != '"' or s[-1:] != '"':
        return False
    return not [c for c in s[1:-1].encode() if not 33 <= c < 127 or c == 34]


def saved(address, config, done):
    """The lines to ask with, () where nothing is known that would help. `done(tag)`: whether a release is not needed."""
    try:
        with open(_PATH) as f:
            parts = f.read(1024).split("\n")
    except (OSError, UnicodeError):
        return ()
    r = config.record
    if len(parts) != 3 or parts[1] != address or parts[2] not in (r["version"], r["bad"]) or not done(parts[2]):
        return ()
    by = parts[0]
    if is_etag(by):
        return ("If-None-Match: " + by,)
    if _is_date(by) and os.urandom(1)[0] >= 16:
        return ("If-Modified-Since: " + by,)
    return ("Range: bytes=0-%d" % (_FIRST - 1),) if by == "-" else ()


def forget():
    """What was noted may be what a server does not understand."""
    try:
        os.remove(_PATH)
    except OSError:
        pass


def remember(address, head, version, parts=False):
    """The release that is there is not needed: note what its answer is known by, where that is new. With `parts` its
    first bytes will do."""
    try:
        etag, date = [str(head.get(key, b""), "utf-8") for key in (b"etag", b"last-modified")]
        by = etag if is_etag(etag) else date if _is_date(date) else "-"
        text = "\n".join((by, address, version))
        if (by == "-" and not parts) or len(text) > 1024 or _text() == text:
            return
        with open(_PATH, "w") as f:
            f.write(text)
    except (OSError, UnicodeError) as e:
        log("W", "etag: %s" % e)


def _text():
    try:
        with open(_PATH) as f:
            return f.read(1025)
    except (OSError, UnicodeError):
        return None


def _is_date(s):
    """Whether it has the form of a date in HTTP, "Sun, 06 Nov 1994 08:49:37 GMT"."""
    if len(s) != 29 or s[3:5] != ", " or s[-4:] != " GMT":
        return False
    return not [c for c in s.encode() if not 32 <= c < 127]


def same(net):
    """In steps: whether what was asked for by its first bytes has the length of the installed manifest, and its bytes."""
    try:
        with open(HOME + "manifest.json", "rb") as f:
            size = f.seek(0, 2)
            n = min(_FIRST, size)
            if net.head.get(b"content-range") != b"bytes 0-%d/%d" % (n - 1, size):
                return False
            f.seek(0)
            here = f.read(len(net.first))
            if here != net.first:
                return False
            b = buffer()
            while f.tell() < n:
                got = readinto(net, b)
                if got is None:
                    yield 2
                elif not got or f.read(got) != b[:got]:
                    return False
            return True
    except OSError:
        return False


def late(net):
    """Nothing is new, says the server, or a cache on the way to it: how long the latter may go on saying so."""
    value = net.head.get(b"cache-control", b"").lower()
    s = 0
    for part in value.split(b","):
        name, _, n = part.strip().partition(b"=")
        if name in (b"no-cache", b"no-store"):
            s = 0
            break
        if name in (b"max-age", b"s-maxage") and n.isdigit() and len(n) < 9:
            s = max(s, int(n))
    age = net.head.get(b"age", b"")
    age = int(age) if age.isdigit() and len(age) < 9 else 0
    # Only where it is so: the attribute takes memory that is kept.
    if net.config.base_url and max(s, age) >= 300:
        ota_updater.cached = max(s, age)
        what = "a cache gave this answer, %d s old" % age if age else "caches may keep this answer for %d s" % s
        log("I", "nothing new, but %s: a newer release may be hidden" % what)
    elif getattr(ota_updater, "cached", 0):
        ota_updater.cached = 0
