"""mpota: parts of an asset, as servers give them: by Range, many at once, or by reading over what comes before.

    to.at, to.until   what comes in next of the asset, and where that ends
    to.whole          the server's ranges are of no use: all of the pack comes in, once
    to.single         it does not give many ranges at once
    to.parts          more ranges come in this answer
    to.asked          the ranges that were asked for last
    to.spans          the runs of the pack that were found and not yet fetched; to.runs finds more
"""

from mpota import HttpError
from mpota.body import close, drop, piece
from ota_files import Damaged
from ota_updater import log, use

_MANY = 16  # ranges in a request: a header of 300 bytes
_LITTLE = 32768  # bytes that cost less than another connection


def name(to, e):
    """(asset, its size) that the file `e` is in."""
    return (to.pack["asset"], to.pack["size"]) if to.pack else (e["asset"], e["size"])


def ask(to, e, at, end):
    """In steps: the header to ask with for the file `e` from byte `at` on: of a pack to `end`, or as much as is needed.
    None where the open answer goes on with it."""
    net = to.net
    if to.parts and not end and at < to.asked[-1][1] and (yield from _next(to, at, name(to, e)[1])):
        return None
    to.parts = False
    if net.sock and net.left:
        yield from drop(net)  # what ends an answer of many parts
    if end or not to.pack:
        end = end or (e["size"] if at else None)
        to.asked = [(at, end)] if end else []
    else:
        # GitHub's storage gives one range at a time; to learn that of another server costs a connection.
        many = _MANY if net.config.base_url and not to.single else 1
        yield from _ahead(to, at, many)
        to.asked = [(at, to.spans[0][1])] + to.spans[1:many]
    if to.whole or not to.asked:
        to.asked = []
        return ()
    return ("Range: bytes=" + ",".join(["%d-%d" % (x[0], x[1] - 1) for x in to.asked]),)


def opened(to, e, at):
    """In steps: take what has come in for that. False where it has to be asked for in another way."""
    net, asked = to.net, to.asked
    asset, size = name(to, e)
    to.at, to.until = 0, size
    if not asked:
        return True
    kind = net.head.get(b"content-type", b"")
    if len(asked) > 1 and net.status == 206 and kind[:20].lower() == b"multipart/byteranges" and net.chunk is None:
        to.parts = True
        if not (yield from _next(to, at, size)):
            _wrong(to)
        return True
    part = _part(net.head.get(b"content-range", b""), size)
    if part and part[0] == at and part[1] >= asked[0][1]:  # with 200, too: some servers say so
        to.at, to.until = part
        return True
    if net.status == 304:
        yield from use("mpota.refused").no_asset(net, asset)
    if net.status != 200 or b"content-range" in net.head:
        _wrong(to)
    if len(asked) > 1 and size - at >= _LITTLE:
        to.single = True
        close(net)
        return False
    log("I", "%s gives no parts of %s: it is read from its beginning" % (_host(net), asset))
    to.whole = True
    return True


def doubt(to, x):
    """After the error `x`: what the next try does without."""
    if to.asked and isinstance(x, Damaged):
        to.whole = True  # other bytes than those that were asked for
    elif to.asked and to.at is None and not x.wait:  # there was no answer, or another one
        if len(to.asked) > 1:
            to.single = True
        elif x.status:
            to.whole = True
    to.at, to.parts = None, False


def _ahead(to, at, count):
    """In steps: have up to `count` runs in to.spans, from the one on that byte `at` of the pack is in."""
    spans = to.spans
    while spans and spans[0][1] <= at:
        spans.pop(0)
    if len(spans) < count:
        for run in to.runs:
            if not run:
                yield 0
            elif run[1] > at:
                spans.append(run)
                if len(spans) == count:
                    break


def _host(net):
    return net.at[1] if net.at else "the server"


def _wrong(to):
    """What came is not what was asked for: the next try does without."""
    host = _host(to.net)
    close(to.net)
    to.whole = True
    e = HttpError("wrong Content-Range from " + host)
    e.status = 206
    raise e


def _part(value, size):
    """(from, to) of a Content-Range, None where it is not one of this asset."""
    value = value.strip()
    i, j = value.find(b"-"), value.find(b"/")
    a, b = value[6:i], value[i + 1 : j]
    if value[:6].lower() != b"bytes " or not 6 < i < j or not a.isdigit() or not b.isdigit() or len(value) > 40:
        return None
    if int(b) >= size or value[j + 1 :] not in (b"*", b"%d" % size):
        return None
    return int(a), int(b) + 1


def _next(to, at, size):
    """In steps: go to the next part of the answer. False where it is not what is needed from byte `at` on."""
    net = to.net
    part, begins = None, True
    try:
        for _ in range(100):
            line = None
            while net.left > 0 and line is None:
                line = piece(net)
                if line is None:
                    yield 2
                elif not line:
                    raise OSError(104)  # ECONNRESET
            if not line:
                return False
            net.left -= len(line)
            if begins and line[:14].lower() == b"content-range:":
                part = _part(line[14:], size)
            elif begins and part and line == b"\r\n":
                to.at, to.until = part
                yield from _ahead(to, at, 1)
                return part[0] <= at and part[1] >= to.spans[0][1]
            begins = line[-1:] == b"\n"
    except OSError as e:
        host = _host(net)
        close(net)
        raise HttpError("connection to %s lost: %s" % (host, e))
    return False
