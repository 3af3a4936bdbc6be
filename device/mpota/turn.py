"""mpota: reads the rollout of a version, and decides whether this board takes it now (spec/rollout.md). It asks
nobody: what it has to know it is given."""

import json
from binascii import a2b_base64, b2a_base64
from micropython import const
from mpota import Refused
from ota_files import Hash

_MOST = const(1536)  # bytes of a file
_FIRST = const(1024)  # bytes of its first line
_SECOND = const(512)  # bytes of its signature line
_TIME = 9999999999  # the largest number


class RolloutError(Refused):
    """The rollout is refused for the reason `code` of spec/rollout.md."""

    def __init__(self, code):
        super().__init__("its rollout is refused: " + code)
        self.code = code


def read(first, rest, size, knows):
    """(the rollout as a dict, its signature or None). `first` is the first line of a file of `size` bytes, or the
    beginning of it where it is too long, `rest` the beginning of what follows. `knows` is what this board knows:
    version, project, keys (whether it has some), now and number. Raises RolloutError."""
    if size > _MOST:
        raise RolloutError("too-large")
    if first[:17] != b'{"mpota-rollout":':
        raise RolloutError("not-a-rollout")
    form = first[17 : first.find(b",")]
    if form != b"1" and form.isdigit():
        raise RolloutError("format-version")
    if len(first) > _FIRST or first[-1:] != b"\n":
        raise RolloutError("line-too-long")
    signed = first[-2:-1] == b","
    r = _values(first, signed)
    signature = _signature(rest) if signed else None
    if rest and not signed:
        raise RolloutError("ending")
    if r["version"] != knows["version"]:
        raise RolloutError("version")
    project = r.get("project")
    if project.lower() != knows["project"].lower() if project is not None else knows["keys"]:
        raise RolloutError("project")
    if knows["now"] > r["until"]:
        raise RolloutError("expired")
    if r["number"] < knows["number"]:
        raise RolloutError("older")
    return r, signature


def _values(first, signed):
    """The dict of the first line, which has the one form that it can have."""
    try:
        if first.count(b"[") + first.count(b"{") > 16:  # read as JSON each takes 50 times its size
            raise ValueError
        r = json.loads(first[:-2] + b"}" if signed else first)
        at = 0
        for part in _spelt(r, signed):
            part = part.encode()
            if first[at : at + len(part)] != part:
                raise ValueError
            at += len(part)
        if at != len(first):
            raise ValueError
        return r
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
        raise RolloutError("form")


def _number(n, least, most):
    if type(n) is not int or not least <= n <= most:
        raise ValueError
    return n


def _text(s):
    if not isinstance(s, str):
        raise ValueError
    return json.dumps(s)


def _spelt(r, signed):
    """The first line anew, in pieces. Raises ValueError where a value has another type or is out of its bounds."""
    yield '{"mpota-rollout":%d' % _number(r["mpota-rollout"], 1, 1)
    if "project" in r:
        yield ',"project":' + _text(r["project"])
    yield ',"version":' + _text(r["version"])
    yield ',"number":%d,"until":%d' % (_number(r["number"], 1, _TIME), _number(r["until"], 1, _TIME))
    if "halted" in r:
        if r["halted"] is not True:
            raise ValueError
        yield ',"halted":true'
    before = ',"stages":['
    least = 0
    for begin, percent in r["stages"]:
        yield "%s[%d,%d]" % (before, _number(begin, least, _TIME), _number(percent, 0, 100))
        before = ","
        least = begin + 1
    if not 0 < len(r["stages"]) < 9:
        raise ValueError
    yield "]"
    before = ',"boards":['
    for id in r.get("boards", ()):
        yield before + _text(id)
        before = ","
    if "boards" in r:
        if before != ",":
            raise ValueError
        yield "]"
    yield ",\n" if signed else "}\n"


def _signature(rest):
    """The bytes of the signature in the second line."""
    end = rest.find(b"\n") + 1
    if not rest:
        raise RolloutError("ending")
    if not 0 < end <= _SECOND:
        raise RolloutError("line-too-long")
    blob = b""
    try:
        blob = a2b_base64(rest[13 : end - 3])
    except ValueError:
        pass
    if not blob or rest[:end] != b'"signature":"%s"}\n' % b2a_base64(blob)[:-1]:
        raise RolloutError("signature")
    if end < len(rest):
        raise RolloutError("ending")
    return blob


def share(r, now):
    """The percentage of the boards that take it now."""
    percent = 0
    for begin, value in r["stages"]:
        if begin <= now:
            percent = value
    return percent


def takes(r, id, now):
    """Whether the board with this id takes the version."""
    if "halted" in r:
        return False
    if id in r.get("boards", ()):
        return True
    percent = share(r, now)
    h = Hash()
    if h.key != "sha256":  # then it is all of the boards, or not this one
        return percent == 100
    h.update(("%s\n%s" % (r["version"], id)).encode())
    d = h.value.digest()
    return (d[0] << 8 | d[1]) * 100 < percent << 16
