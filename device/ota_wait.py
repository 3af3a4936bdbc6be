"""mpota: what TLS reads and writes through, so that its handshake has an end too: MicroPython's own
waits for as long as the other side sends a byte now and then."""

import time
from io import IOBase


class Bounded(IOBase):
    """A connected socket that does not block. Until setblocking(False) a read or a write waits, `wait_ms`
    at most, and all of them together three times that."""

    def __init__(self, sock, wait_ms):
        self.sock, self.wait = sock, wait_ms
        self.until = time.ticks_add(time.ticks_ms(), 3 * wait_ms)

    def _do(self, call, buf):
        until = time.ticks_add(time.ticks_ms(), self.wait)
        if time.ticks_diff(until, self.until) > 0:
            until = self.until
        try:
            while True:
                n = call(buf)
                if not self.wait:
                    return n
                if time.ticks_diff(until, time.ticks_ms()) < 0:
                    return -110  # ETIMEDOUT
                if n is not None:
                    return n
                time.sleep_ms(2)
        except OSError as e:  # must not be raised through mbedTLS
            return -e.errno

    def readinto(self, buf):
        return self._do(self.sock.readinto, buf)

    def write(self, buf):
        return self._do(self.sock.write, buf)

    def setblocking(self, on):
        if not on:
            self.wait = 0

    def ioctl(self, op, arg):
        if op == 4:  # MP_STREAM_CLOSE
            self.sock.close()
        return 0

    def close(self):
        self.sock.close()
