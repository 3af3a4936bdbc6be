"""mpota: a small HTTP/1.1 client. One connection at a time, kept open while the host stays the
same; bodies are read piece by piece into the caller's buffer, to the byte that was promised."""

import socket
import time
from micropython import const
from ota_updater import OtaError
from ota_url import HttpError, split, until

_LINE = const(2048)  # bytes kept of a header line; github.com sends longer ones, which are cut
_HEADERS = const(100)


class Http:
    """settings: timeout_s (a single wait), deadline_s (everything), min_rate (bytes a second),
    ca (a folder of DER files), insecure_skip_tls_verification, all optional."""

    def __init__(self, settings):
        get = settings.get
        self.settings = settings
        self.timeout = get("timeout_s", 20)
        self.min_rate = get("min_rate", 50)
        self.begun = time.ticks_ms()
        self.deadline = get("deadline_s", 1800) * 1000
        self.sock = None
        self.at = None  # (scheme, host, port) of the open connection
        self.connections = self.requests = 0
        self.status = self.left = 0

    def close(self):
        if self.sock:
            self.sock.close()
            self.sock = self.at = None

    def _connect(self, at):
        self.close()
        scheme, host, port = at
        try:
            address = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)[0][-1]
        except OSError as e:
            raise HttpError("cannot find %s: %s" % (host, e))
        try:
            s = socket.socket()
        except OSError as e:
            raise HttpError("no socket for %s: %s" % (host, e))
        try:
            s.settimeout(self.timeout)
            s.connect(address)
            s.setblocking(False)  # reads then return what is there, and every wait has its bounds
            if scheme == "https":
                from ota_tls import wrap

                s = wrap(s, host, self.settings)
        except (OSError, ValueError) as e:
            s.close()
            raise HttpError("cannot connect to %s: %s" % (host, e))
        except OtaError:
            s.close()
            raise
        self.sock, self.at = s, at
        self.connections += 1

    def request(self, url, headers=(), host_only=None):
        """Send a GET and read the answer's headers; the body is then had by readinto().

        `host_only`: a header line, sent only while the request goes to the (scheme, host, port)
        it is paired with: (line, at). Raises HttpError; a connection that the server has closed
        in the meantime is opened again once.
        """
        scheme, host, port, path = split(url)
        at = (scheme, host, port)
        if self.left:  # an unread body is in the way
            self.close()
        for again in (True, False):
            fresh = self.at != at
            if fresh:
                self._connect(at)
            lines = ["GET %s HTTP/1.1" % path, "Host: %s:%d" % (host, port), "User-Agent: mpota"]
            if (scheme, port) in (("http", 80), ("https", 443)):
                lines[1] = "Host: " + host
            lines.extend(headers)
            if host_only and host_only[1] == at:
                lines.append(host_only[0])
            self.requests += 1
            try:
                self._send(("\r\n".join(lines) + "\r\n\r\n").encode())
                self._answer(host)
                return self
            except (OSError, ValueError) as e:  # ValueError: a certificate
                self.close()
                if fresh and scheme == "https":
                    from ota_tls import explain

                    e = explain(host, e) or e
                    if isinstance(e, OtaError):
                        raise e
                if fresh or not again:
                    raise HttpError("no answer from %s: %s" % (host, e))
            except HttpError:
                self.close()
                raise

    def _wait(self, since):
        self._check_time()
        if time.ticks_diff(time.ticks_ms(), since) > self.timeout * 1000:
            raise OSError(110)  # ETIMEDOUT
        time.sleep_ms(2)

    def _send(self, data):
        since = time.ticks_ms()
        while data:
            n = self.sock.write(data)
            if n:
                data = data[n:]
            else:
                self._wait(since)

    def _readline(self, most):
        """A line, or its first `most` bytes; less where the connection ends."""
        line = b""
        since = time.ticks_ms()
        while len(line) < most and line[-1:] != b"\n":
            part = self.sock.readline(most - len(line))
            if part:
                line += part
                since = time.ticks_ms()
            elif part is not None:
                break
            else:
                self._wait(since)
        return line

    def _some(self, buf):
        """How many bytes were there, at least one; 0 at the end."""
        since = time.ticks_ms()
        while True:
            n = self.sock.readinto(buf)
            if n is not None:
                return n
            self._wait(since)

    def _line(self):
        line = self._readline(_LINE)
        if not line:
            raise OSError(104)  # ECONNRESET
        n = len(line)
        if line[-1:] != b"\n":  # skip what is too long, in pieces
            while True:
                rest = self._readline(_LINE)
                n += len(rest or b"")
                if not rest or n > 16384:
                    raise HttpError("a header line of over 16 KB, or cut short")
                if rest[-1:] == b"\n":
                    break
        self._check_time()
        return line

    def _check_time(self):
        if time.ticks_diff(time.ticks_ms(), self.begun) > self.deadline:
            self.close()
            raise HttpError("gave up after %d s" % (self.deadline // 1000))

    def _answer(self, host):
        self.location = self.range = self.etag = None
        self.left, self.chunked, self.until_close, self.keep = 0, False, False, True
        wait = remaining = length = None
        reset = 0
        parts = self._line().split(None, 2)
        if len(parts) < 2 or not parts[0].startswith(b"HTTP/1.") or not parts[1].isdigit():
            raise HttpError("%s does not speak HTTP" % host)
        self.keep = parts[0] != b"HTTP/1.0"
        self.status = int(parts[1])
        for _ in range(_HEADERS + 1):
            line = self._line()
            if line in (b"\r\n", b"\n"):
                break
            i = line.find(b":")
            key, value = line[:i].strip().lower(), line[i + 1 :].strip()
            if key == b"content-length":
                if not value.isdigit() or (length is not None and length != int(value)):
                    raise HttpError("bad Content-Length from " + host)
                length = int(value)
            elif key == b"transfer-encoding":
                if value.lower() != b"chunked":
                    raise HttpError("unknown Transfer-Encoding from " + host)
                self.chunked = True
            elif key == b"connection":
                self.keep = value.lower() != b"close" and (self.keep or value.lower() == b"keep-alive")
            elif key == b"location":
                if line[-1:] != b"\n":
                    raise HttpError("redirect of over %d bytes from %s" % (_LINE, host))
                for c in value:  # it goes into the next request as it is
                    if not 32 < c < 127:
                        raise HttpError("redirect to nowhere from " + host)
                self.location = str(value, "utf-8")
            elif key == b"content-range":
                self.range = value
            elif key == b"retry-after" and value.isdigit():
                wait = int(value)
            elif key == b"x-ratelimit-remaining":
                remaining = value
            elif key == b"x-ratelimit-reset" and value.isdigit() and len(value) < 12:
                reset = int(value)
            elif key == b"etag":
                self.etag = value
        else:
            raise HttpError("too many headers from " + host)
        self.host = host
        if self.status in (204, 304):
            length, self.chunked = 0, False
        if self.chunked:
            self.left, self.chunk = 1, 0
        elif length is not None:
            self.left = length
        else:
            self.left, self.until_close, self.keep = 1, True, False
        self.window, self.got = time.ticks_ms(), 0
        if self.status in (429, 503) or (self.status == 403 and (wait is not None or remaining == b"0")):
            self.close()
            if wait is None and remaining == b"0":
                wait = until(reset)
            wait = min(wait or 60, 86400)
            raise HttpError("%s asks to wait %d s (%d)" % (host, wait, self.status), self.status, wait)

    def readinto(self, buf):
        """Read some of the body: how many bytes, 0 at its end. Raises HttpError where it is cut short."""
        if not self.left:
            return 0
        if self.chunked and not self.chunk:
            self._next_chunk()
            if not self.left:
                return 0
        most = len(buf) if self.until_close else min(len(buf), self.chunk if self.chunked else self.left)
        try:
            n = self._some(buf[:most])
        except OSError as e:
            self.close()
            raise HttpError("connection to %s lost: %s" % (self.host, e))
        if not n:
            if self.until_close and n == 0:
                self.left = 0
                self.close()
                return 0
            self.close()
            raise HttpError("connection to %s lost in the middle" % self.host)
        if self.chunked:
            self.chunk -= n
            if not self.chunk and self._chunk_line() != b"":
                self._broken()
        elif not self.until_close:
            self.left -= n
        self.got += n
        spent = time.ticks_diff(time.ticks_ms(), self.window)
        if spent > 10000:
            if self.got * 1000 < self.min_rate * spent:
                self.close()
                raise HttpError("%s sends less than %d bytes a second" % (self.host, self.min_rate))
            self.window, self.got = time.ticks_ms(), 0
        self._check_time()
        if not self.left and not self.keep:
            self.close()
        return n

    def _broken(self):
        self.close()
        raise HttpError("broken chunks from %s" % self.host)

    def _chunk_line(self):
        try:
            line = self._readline(64)
        except OSError as e:
            self.close()
            raise HttpError("connection to %s lost: %s" % (self.host, e))
        if not line or line[-2:] != b"\r\n":
            self._broken()
        return line[:-2]

    def _next_chunk(self):
        size = self._chunk_line().split(b";", 1)[0].strip()
        if not 0 < len(size) <= 7:
            self._broken()
        for c in size.lower():
            if c not in b"0123456789abcdef":
                self._broken()
        self.chunk = int(size, 16)
        if not self.chunk:
            for _ in range(_HEADERS):  # trailers
                if not self._chunk_line():
                    break
            else:
                self._broken()
            self.left = 0
            if not self.keep:
                self.close()

    def drop(self, most=4096):
        """Be done with the body: read on to its end where that is near, else close."""
        from ota_updater import buffer

        b = buffer()
        while self.left:
            if most <= 0 or self.until_close:
                self.close()
                self.left = 0
                break
            most -= self.readinto(b)
