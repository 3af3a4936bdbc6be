"""mpota: the first line of a manifest (spec/manifest.md), and the versions in it."""

import json
from micropython import const
from mpota.rules import ManifestError, asset_ok, is_name, number, path_ok

_REQUIRES = const("micropython platform mpy board")


def read_header(line):
    """The header of a manifest from its first line: a dict, checked."""
    if line[:9] != b'{"mpota":':
        raise ManifestError("not-a-manifest", 1)
    digits = line[9:20].split(b",", 1)[0]
    if digits.isdigit() and digits != b"1":
        raise ManifestError("format-version", 1)
    if len(line) > 1024 or line[-1:] != b"\n":
        raise ManifestError("line-too-long", 1)
    try:
        if line.count(b"[") + line.count(b"{") > 140:  # read as JSON each takes 50 times its size
            raise ValueError
        h = json.loads(line[:-1] + b"]}")
        # Words for what later versions may ask of a reader; this one knows none, nor what else the line has then.
        words = [str(word) for word in h.get("needs", ())]
        words += ["requires." + key for key in h.get("requires", {}) if key not in _REQUIRES.split()]
        if line[:11] != b'{"mpota":1,' or not isinstance(h["version"], str) or (not words and h["files"]):
            raise ValueError
        hooks = () if words else h.get("hooks", {}).values()
        if "pack" in h and not words:
            if number(h["pack"]["size"]) > 68719476736 or not asset_ok(h["pack"]["asset"]):
                raise ValueError
        if not all([isinstance(p, str) for p in hooks]):
            raise ValueError
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
        raise ManifestError("header", 1)
    if not parse_version(h["version"]):
        raise ManifestError("version", 1)
    if words:
        raise ManifestError("needs", 1, words)
    if not all([path_ok(p) for p in hooks]):
        raise ManifestError("hook", 1)
    return h


def _is_number(s):
    """Whether s is a number of at most 9 digits without leading zeros."""
    return 0 < len(s) <= 9 and s.isdigit() and (s == "0" or s[:1] != "0")


def parse_version(s):
    """A semantic version as ([major, minor, patch], prerelease parts), or None."""
    if not isinstance(s, str) or len(s) > 64:
        return None
    s = s[1:] if s[:1] == "v" else s
    build = s.split("+", 1)
    pre = build[0].split("-", 1)
    core = pre[0].split(".")
    if len(core) != 3 or not all([_is_number(x) for x in core]):
        return None
    pre = pre[1].split(".") if len(pre) > 1 else []
    for part in pre + (build[1].split(".") if len(build) > 1 else []):
        if not is_name(part, 64, b"-"):
            return None
    for part in pre:
        if part.isdigit() and not _is_number(part):
            return None
    return [int(x) for x in core], pre
