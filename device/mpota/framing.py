"""mpota: how long the body of an answer is, and whether the connection stays. See http.py."""

import time
from mpota import HttpError
from mpota.body import close
from ota_updater import use


def settle(net, host):
    """Take in the headers of an answer. Raises HttpError where they do not say how long it is, or say to wait."""
    head = net.head
    keep = head.get(b"connection", b"").lower()
    net.keep = keep != b"close" and (net.keep or keep == b"keep-alive")
    length = head.get(b"content-length")
    coding = head.get(b"transfer-encoding", b"").lower()
    if coding not in (b"", b"chunked"):
        raise HttpError("unknown Transfer-Encoding from " + host)
    if length is not None and (not length.isdigit() or len(length) > 18):
        raise HttpError("bad Content-Length from " + host)
    packed = head.get(b"content-encoding", b"").lower()  # storage may say "aws-chunked", or nothing, of plain bytes
    for x in (b"gzip", b"deflate", b"br", b"zstd", b"compress"):
        if x in packed and net.status in (200, 206):
            raise HttpError("%s sends it compressed, and was asked not to" % host)
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
