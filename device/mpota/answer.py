"""mpota: the first line of an answer and its headers. See http.py."""

from micropython import const
from mpota import HttpError
from mpota.body import in_time, piece

_PIECES = const(65)  # of 64 bytes: a redirect's address may have 4 KB, see redirect.py
_WANTED = const(
    b" content-length transfer-encoding connection location content-range retry-after"
    b" x-ratelimit-remaining x-ratelimit-reset content-encoding content-type "
)
_MARKS = const(b" etag last-modified age cache-control ")  # of a look alone, see seen.py


def _line(net):
    """In steps: a header line, in pieces: what is wanted of it. Most servers send long ones that nobody
    needs."""
    out, size, most = [], 0, 5
    while True:
        part = piece(net)
        if part is None:
            yield 2
            continue
        if not size & 1023:
            yield 0
        if not part and not size:
            raise OSError(104)  # ECONNRESET
        size += len(part)
        if not part or size > 16384:
            if out and out[0][:1] == b"\x15":  # an alert of TLS
                raise HttpError("%s does not speak HTTP: is it https?" % net.at[1])
            raise HttpError("a header line of over 16 KB, or cut short")
        if not out and part[:9].lower() == b"location:":
            most = _PIECES
        if len(out) < most:
            out.append(part)
        if part[-1:] == b"\n":
            in_time(net)
            return out


def read(net, host):
    """In steps: read the status line and the headers; framing.py says what they mean."""
    net.status = 100
    while 100 <= net.status < 200:  # 103 and the like: the answer is still to come
        parts = (yield from _line(net))[0].split(None, 2)
        if len(parts) < 2 or parts[0][:7] != b"HTTP/1." or not parts[1].isdigit():
            raise HttpError("%s does not speak HTTP" % host)
        net.status = int(parts[1])
        yield from _headers(net, host)
    net.keep = parts[0] != b"HTTP/1.0"


def _headers(net, host):
    net.head = head = {}
    for _ in range(101):
        line = yield from _line(net)
        first = line[0]
        if first in (b"\r\n", b"\n"):
            return
        i = first.find(b":")
        name = first[:i].strip().lower()
        spaced = b" %s " % name
        if i < 1 or b" " in name or not (spaced in _WANTED or (net.config.record and spaced in _MARKS)):
            continue
        line[0] = first[i + 1 :].lstrip(b" \t")
        if name == b"location":
            head[name] = line  # redirect.py has a look at it
            continue
        value = b"".join(line).strip()
        if name == b"content-length" and head.get(name, value) != value:
            raise HttpError("bad Content-Length from " + host)
        head[name] = value
    raise HttpError("too many headers from " + host)
