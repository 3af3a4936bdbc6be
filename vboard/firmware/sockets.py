"""Sockets and TLS for MicroPython's WebAssembly build: wire.mjs has the connections, real ones.

The doubles of `ssl` and `tls` have the form that each version of MicroPython gave them, because that
form is what broke: a certificate as the first argument is a path to one version and bytes to the next.
"""

import json

import _host
from standins import Module

AGAIN = -11
FOREVER_MS = 20000

_wire = open("/dev/wire", "r+b")


def _number(answer):
    """A count, or None for "not now"; raises OSError for anything else below zero."""
    if answer == AGAIN:
        return None
    if answer < 0:
        raise OSError(-answer)
    return answer


class Socket:
    def __init__(self, *args):
        self.id = None
        self.wait = FOREVER_MS
        self.ahead = b""  # read for a line, and not part of it

    def settimeout(self, seconds):
        self.wait = FOREVER_MS if seconds is None else int(seconds * 1000)

    def setblocking(self, blocking):
        # Not quite 0: the process that serves has to have its turn.
        self.wait = FOREVER_MS if blocking else 20

    def connect(self, address):
        self.id = _number(_host.connect(*address))

    def write(self, data):
        _wire.write(data)
        return _number(_host.send(self.id))

    send = write

    def readinto(self, buf, most=None):
        most = len(buf) if most is None else min(most, len(buf))
        if self.ahead:
            n = min(most, len(self.ahead))
            buf[:n] = self.ahead[:n]
            self.ahead = self.ahead[n:]
            return n
        n = _number(_host.receive(self.id, most, self.wait))
        if n:
            _wire.readinto(buf, n)
        return n

    def read(self, most):
        buf = bytearray(most)
        n = self.readinto(buf)
        return None if n is None else bytes(buf[:n])

    recv = read

    def readline(self, most=1 << 30):
        """As much of a line as is there, as a socket does that does not block."""
        if not self.ahead:
            self.ahead = self.read(256)
            if not self.ahead:
                line, self.ahead = self.ahead, b""
                return line
        end = self.ahead.find(b"\n") + 1 or len(self.ahead)
        end = min(end, most)
        line, self.ahead = self.ahead[:end], self.ahead[end:]
        return line

    def close(self):
        if self.id is not None:
            _host.close(self.id)
            self.id = None


def getaddrinfo(host, port, *args):
    return [(2, 1, 0, "", (host, port))]


# What Node.js says of a certificate, as Mbed TLS says it.
_CERTIFICATE = {
    "ERR_TLS_CERT_ALTNAME_INVALID": "The certificate Common Name (CN) does not match with the expected CN\n",
    "CERT_HAS_EXPIRED": "The certificate validity has expired\n",
    "CERT_NOT_YET_VALID": "The certificate validity starts in the future\n",
}
_UNKNOWN = "The certificate is not correctly signed by the trusted CA\n"

NONE, OPTIONAL, REQUIRED = 0, 1, 2


class Context:
    """Of a firmware that cannot check certificates."""

    def __init__(self, protocol):
        self.verify_mode = NONE

    def wrap_socket(self, sock, server_side=False, server_hostname=None, do_handshake_on_connect=True):
        sock = Secured(sock, self, server_hostname)
        if do_handshake_on_connect:
            sock.shake()
        return sock


class Secured(Socket):
    """A socket under TLS. Unless it was to be at once, its handshake is part of the first write, and
    that is where a certificate is found to be bad."""

    def __init__(self, sock, context, host):
        self.id, self.wait, self.ahead = sock.id, sock.wait, b""
        self.context, self.host = context, host

    def shake(self):
        authorities = getattr(self.context, "authorities", [])
        check = self.context.verify_mode == REQUIRED
        what = {"host": self.host, "check": check, "authorities": authorities}
        self.context = None
        answer = _host.secure(self.id, json.dumps(what))
        if answer != 0:
            raise ValueError(_CERTIFICATE.get(answer, _UNKNOWN))

    def write(self, data):
        if self.context:
            self.shake()
        return super().write(data)

    send = write


class Context122(Context):
    """`ssl` of 1.22: the first argument is a path, the certificate has a name."""

    def __init__(self, protocol):
        super().__init__(protocol)
        self.authorities = []

    def load_verify_locations(self, cafile=None, *, cadata=None):
        if cafile:
            with open(cafile, "rb") as f:
                cadata = f.read()
        self._trust(cadata)

    def _trust(self, der):
        # One certificate: where more of them are in a row Mbed TLS takes the first and says nothing.
        if der[:1] != b"\x30":
            raise ValueError("invalid cert")
        self.authorities.append("".join(["%02x" % b for b in der]))


class Context123(Context122):
    """`tls` of 1.23 and later: the bytes, and checked unless somebody says otherwise."""

    def __init__(self, protocol):
        super().__init__(protocol)
        self.verify_mode = REQUIRED

    def load_verify_locations(self, cadata):
        self._trust(cadata)


class Wrapper123(Context122):
    """`ssl` of 1.23 and later, Python around `tls`."""

    def load_verify_locations(self, cafile=None, cadata=None):
        super().load_verify_locations(cafile, cadata=cadata)


def modules(tls):
    """socket, and what a firmware of this version has for TLS."""
    constants = {"PROTOCOL_TLS_CLIENT": 0, "PROTOCOL_TLS_SERVER": 1}
    constants.update({"CERT_NONE": NONE, "CERT_OPTIONAL": OPTIONAL, "CERT_REQUIRED": REQUIRED})
    socket = Module("socket", socket=Socket, getaddrinfo=getaddrinfo, SOCK_STREAM=1, AF_INET=2)
    found = {"socket": socket, "ssl": None, "tls": None}
    if tls == "1.21":
        found["ssl"] = Module("ssl", SSLContext=Context, **constants)
    elif tls == "1.22":
        found["ssl"] = Module("ssl", SSLContext=Context122, **constants)
    elif tls == "1.23":
        found["ssl"] = Module("ssl", SSLContext=Wrapper123, **constants)
        found["tls"] = Module("tls", SSLContext=Context123, **constants)
    return found
