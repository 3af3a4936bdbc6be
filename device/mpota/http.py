"""mpota: a small HTTP/1.1 client. One connection at a time, kept open while the host stays the same.
What it has to remember is in a Bag, `net`: the connection outlives this code.

    net.config   timeout_s bounds a single wait, deadline_s everything
    net.sock     the open connection, and net.at where it leads: (scheme, host, port)
    net.auth     (a header line, where it may be sent) or None
    net.status   of the last answer; net.head what is wanted of its headers
    net.left     bytes of its body to come; in chunks or to the end of the connection: not 0
"""

import socket
import time
from micropython import const
from mpota import HttpError
from mpota.url import split
from ota_files import buffer
from ota_updater import OtaError, use

_PIECES = const(65)  # of 64 bytes: a redirect's address may have 4 KB
_WANTED = const(
    b" content-length transfer-encoding connection location content-range retry-after"
    b" x-ratelimit-remaining x-ratelimit-reset etag "
)


def close(net):
    if net.sock:
        net.sock.close()
        net.sock = net.at = None


def _connect(net, at):
    close(net)
    scheme, host, port = at
    s = None
    try:
        what = "find"
        address = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)[0][-1]
        what = "connect to"
        s = socket.socket()
        s.settimeout(net.config.timeout_s)
        s.connect(address)
        s.setblocking(False)  # reads then return what is there, and every wait has its bounds
        net.sock = use("mpota.tls").wrap(s, host, net.config) if scheme == "https" else s
    except (OSError, ValueError, OtaError) as e:
        if s:
            s.close()
        if isinstance(e, OtaError):
            raise
        raise HttpError("cannot %s %s: %s" % (what, host, e))
    net.at = at


def request(net, url, headers=()):
    """Send a GET and read the answer's headers; the body is then had by readinto(). Raises HttpError; a
    connection that the server has closed in the meantime is opened again once."""
    at, i = split(url)
    if net.left:  # an unread body is in the way
        close(net)
    fresh = False
    while True:
        if net.at != at:
            _connect(net, at)
            fresh = True
        try:
            _ask(net, url, i, headers)
            return _answer(net, at[1])
        except (OSError, ValueError) as e:  # ValueError: a certificate
            close(net)
            if fresh:
                if at[0] == "https":
                    e = use("mpota.tls").explain(at[1], e) or e
                    if isinstance(e, OtaError):
                        raise e
                raise HttpError("no answer from %s: %s" % (at[1], e))
        except HttpError:
            close(net)
            raise


# --- sending -------------------------------------------------------------


def _ask(net, url, i, headers):
    """The request, put together in the buffer: an address is long, and is not copied as a whole."""
    net.out = 0
    _put(net, "GET " if i < len(url[0]) else "GET /")
    for part in url:
        _put(net, part, i)
        i = 0
    scheme, host, port = net.at
    _put(net, " HTTP/1.1\r\nHost: " + host)
    if port != (443 if scheme == "https" else 80):
        _put(net, ":%d" % port)
    _put(net, "\r\nUser-Agent: mpota\r\n")
    for line in headers:
        _put(net, line + "\r\n")
    if net.auth and net.auth[1] == net.at:
        _put(net, net.auth[0])
        _put(net, "\r\n")
    _put(net, "\r\n")
    _flush(net)


def _put(net, text, i=0):
    while i < len(text):
        data = text[i : i + 64].encode()
        if net.out + len(data) > 1024:
            _flush(net)
        buffer()[net.out : net.out + len(data)] = data
        net.out += len(data)
        i += 64


def _flush(net):
    data = buffer()[: net.out]
    net.out = 0
    since = time.ticks_ms()
    while data:
        n = net.sock.write(data)
        if n:
            data = data[n:]
        else:
            wait(net, since)


# --- waiting -------------------------------------------------------------


def _now(net):
    """Ticks in ms, while the time for all of it is not over."""
    now = time.ticks_ms()
    if time.ticks_diff(now, net.begun) > net.config.deadline_s * 1000:
        close(net)
        raise HttpError("gave up after %d s" % net.config.deadline_s)
    return now


def wait(net, since):
    """Nothing has come since then (ticks in ms): wait a little, within the bounds."""
    if time.ticks_diff(_now(net), since) > net.config.timeout_s * 1000:
        raise OSError(110)  # ETIMEDOUT
    time.sleep_ms(2)


def piece(net):
    """A line, or the next 64 bytes of it; less where the connection ends. readline() takes all of its
    limit from the heap, whatever comes."""
    out = b""
    since = time.ticks_ms()
    while len(out) < 64 and out[-1:] != b"\n":
        part = net.sock.readline(64 - len(out))
        if part:
            out += part
            since = time.ticks_ms()
        elif part is not None:
            break
        else:
            wait(net, since)
    return out


# --- the answer ----------------------------------------------------------


def _line(net):
    """A header line, in pieces: what is wanted of it. Most servers send long ones that nobody needs."""
    out, size, most = [], 0, 5
    while True:
        part = piece(net)
        if not part and not size:
            raise OSError(104)  # ECONNRESET
        size += len(part)
        if not part or size > 16384:
            raise HttpError("a header line of over 16 KB, or cut short")
        if not out and part[:9].lower() == b"location:":
            most = _PIECES
        if len(out) < most:
            out.append(part)
        if part[-1:] == b"\n":
            _now(net)
            return out


def _answer(net, host):
    """Read the status line and the headers, and find out how long the body is."""
    net.status = 100
    while 100 <= net.status < 200:  # 103 and the like: the answer is still to come
        parts = _line(net)[0].split(None, 2)
        if len(parts) < 2 or parts[0][:7] != b"HTTP/1." or not parts[1].isdigit():
            raise HttpError("%s does not speak HTTP" % host)
        net.status = int(parts[1])
        _headers(net, host)
    head = net.head
    keep = head.get(b"connection", b"").lower()
    net.keep = keep != b"close" and (parts[0] != b"HTTP/1.0" or keep == b"keep-alive")
    length = head.get(b"content-length")
    coding = head.get(b"transfer-encoding", b"").lower()
    if coding not in (b"", b"chunked"):
        raise HttpError("unknown Transfer-Encoding from " + host)
    if length is not None and (not length.isdigit() or len(length) > 18):
        raise HttpError("bad Content-Length from " + host)
    if net.status in (204, 304):
        length, coding = 0, b""
    net.chunk = None  # bytes of this chunk to come; None: to the end, of the length or of the connection
    if coding:
        net.left, net.chunk = 1, 0
    else:
        net.left = -1 if length is None else int(length)
    net.keep = net.keep and net.left >= 0
    net.window, net.got = time.ticks_ms(), 0
    limited = b"retry-after" in head or head.get(b"x-ratelimit-remaining") == b"0"
    if net.status in (429, 503) or (net.status == 403 and limited):
        close(net)
        raise use("mpota.pause").busy(net, host)


def _headers(net, host):
    net.head = head = {}
    for _ in range(101):
        line = _line(net)
        first = line[0]
        if first in (b"\r\n", b"\n"):
            return
        i = first.find(b":")
        name = first[:i].strip().lower()
        if i < 1 or b" " in name or b" %s " % name not in _WANTED:
            continue
        line[0] = first[i + 1 :].lstrip(b" \t")
        if name == b"location":
            head[name] = _address(line, host)
            continue
        value = b"".join(line).strip()
        if name == b"content-length" and head.get(name, value) != value:
            raise HttpError("bad Content-Length from " + host)
        head[name] = value
    raise HttpError("too many headers from " + host)


def _address(line, host):
    """The address in the pieces of a line, see url.py."""
    if line[-1][-1:] != b"\n":
        raise HttpError("redirect of over %d bytes from %s" % (_PIECES * 64, host))
    line[-2:] = [b"".join(line[-2:]).rstrip()]  # its end may lie across two pieces
    for part in line:
        for c in part:  # it goes into the next request as it is
            if not 32 < c < 127:
                raise HttpError("redirect to nowhere from " + host)
    return [str(part, "utf-8") for part in [b"".join(line[:6])] + line[6:]]


# --- the body ------------------------------------------------------------


def readinto(net, buf):
    """Read some of the body: how many bytes, 0 at its end. Raises HttpError where it is cut short."""
    if net.chunk is not None:
        return use("mpota.chunks").readinto(net, buf)
    if not net.left:
        return 0
    n = some(net, buf[: net.left] if 0 < net.left < len(buf) else buf)
    if net.left > 0:
        net.left -= n
    elif not n:
        net.left = 0
    if not net.left and not net.keep:
        close(net)
    return n


def some(net, buf):
    """How many bytes of the connection were there, at least one; 0 at the end of a body that has no
    other one."""
    since = time.ticks_ms()
    host = net.at[1]
    try:
        while True:
            n = net.sock.readinto(buf)
            if n is not None:
                break
            wait(net, since)
        if not n and net.left >= 0:
            raise OSError("it ended in the middle")
        _hold_speed(net, n)
        return n
    except OSError as e:
        close(net)
        raise HttpError("connection to %s lost: %s" % (host, e))


def _hold_speed(net, n):
    """`n` bytes have come: no server may take for ever by sending a little now and then."""
    net.got += n
    now = _now(net)
    spent = time.ticks_diff(now, net.window)
    if spent > 10000:
        if net.got * 1000 < net.config.min_rate * spent:
            host = net.at[1]
            close(net)
            raise HttpError("%s sends less than %d bytes a second" % (host, net.config.min_rate))
        net.window, net.got = now, 0


def drop(net):
    """Be done with the body: read on to its end where that is near, else close."""
    most = 4096
    while net.left:
        if most <= 0 or net.left < 0:
            close(net)
            net.left = 0
            return
        most -= readinto(net, buffer())
