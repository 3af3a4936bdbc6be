"""mpota: opens a connection, and sends a request. See http.py."""

import socket
import time
from mpota import HttpError
from mpota.body import close, wait
from ota_updater import OtaError, buffer, use


def connect(net, at):
    """Have a connection to (scheme, host, port). Whether it is a new one."""
    if net.at == at:
        return False
    close(net)
    scheme, host, port = at
    s = None
    try:
        what = "cannot find %s: %s"
        address = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)[0][-1]
        what = "cannot connect to %s: %s"
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
        raise HttpError(what % (host, e))
    net.at = at
    return True


def ask(net, url, i, headers):
    """The request, put together in the buffer: an address is long, and is not copied as a whole."""
    net.out = 0
    _put(net, "GET ")
    if i == len(url[0]):
        _put(net, "/")
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
