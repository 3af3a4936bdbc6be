"""mpota: opens a connection, and sends a request. See http.py."""

import socket
from mpota import HttpError
from mpota.body import close, wait
from ota_updater import OtaError, buffer, use

try:
    import select
except ImportError:  # then connect() waits, and nobody has a turn meanwhile
    select = None


def connect(net, at):
    """In steps: have a connection to (scheme, host, port). Whether it is a new one."""
    if net.at == at:
        return False
    close(net)
    scheme, host, port = at
    host = host.strip("[]")  # an address of IPv6
    s = None
    try:
        what = "cannot find %s (%s): is Wi-Fi connected?"
        # ESP-IDF names addresses of IPv6 that its sockets do not take: None.
        found = [x for x in socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM) if x[-1]][:4]
        if not found:
            raise OSError(-2)  # EAI_NONAME
        what = "cannot connect to %s: %s"
        while not s:
            family, address = found[0][0], found.pop(0)[-1]
            s = socket.socket(family, socket.SOCK_STREAM)
            try:
                yield from _reach(net, s, address)
            except OSError:
                s.close()
                s = None
                if not found:  # a name may have an address of IPv6 that leads nowhere, and one of IPv4
                    raise
        if scheme == "https":
            net.sock = yield from use("mpota.tls").wrap(s, host, net.config)
        else:
            net.sock = s
    except (OSError, ValueError, OtaError) as e:
        if isinstance(e, OtaError):
            raise
        raise HttpError(what % (host, e))
    finally:
        if s and not net.sock:
            s.close()
    net.at = at
    return True


def _reach(net, s, address):
    """Connect, and wait until that is done. Reads then return what is there, and every wait has its bounds."""
    if not select:
        s.settimeout(net.config.timeout_s)
        s.connect(address)
        s.setblocking(False)
        return
    s.setblocking(False)
    try:
        s.connect(address)
        return
    except OSError as e:
        if e.errno not in (115, 119, 36):  # EINPROGRESS: lwIP and Linux, ESP-IDF, macOS
            raise
    net.since = None
    poll = select.poll()
    poll.register(s, select.POLLOUT)
    while True:
        for x in poll.poll(0):
            if x[1] & ~select.POLLOUT:
                s.recv(1)  # raises what has gone wrong
                raise OSError(104)  # ECONNRESET
            net.since = None
            return
        wait(net)
        yield 5


def ask(net, url, i, headers):
    """In steps: the request, put together in the buffer: an address is long, and is not copied as a whole."""
    out = buffer()
    n = 0
    for text in _texts(net, url, i, headers):
        at = i if text is url[0] else 0
        while at < len(text):
            data = text[at : at + 64].encode()
            if n + len(data) > len(out):
                yield from _send(net, out[:n])
                n = 0
            out[n : n + len(data)] = data
            n += len(data)
            at += 64
    yield from _send(net, out[:n])


def _texts(net, url, i, headers):
    """What a request consists of. Of the address it is what stands from `i` on."""
    yield "GET "
    if i == len(url[0]):
        yield "/"
    for part in url:
        yield part
    scheme, host, port = net.at
    yield " HTTP/1.1\r\nHost: " + host
    if port != (443 if scheme == "https" else 80):
        yield ":%d" % port
    yield "\r\nUser-Agent: mpota\r\nAccept-Encoding: identity\r\n"
    for line in headers:
        yield line
        yield "\r\n"
    if net.auth and net.auth[1] == net.at:
        yield net.auth[0]
        yield "\r\n"
    if net.home == net.at:
        for text in net.more_lines:
            yield text
        net.more_lines = net.kept_lines
    yield "\r\n"


def _send(net, data):
    net.since = None
    while data:
        n = net.sock.write(data)
        if n:
            data = data[n:]
            net.since = None
        else:
            wait(net)
            yield 2
