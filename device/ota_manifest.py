"""mpota: reads a manifest line by line, by the rules of spec/manifest.md, and compares versions."""

import gc
import json
import os
from micropython import const
from ota_updater import Damaged, OtaError
from ota_version import is_name, is_number, parse_version

_MANIFEST = const(1048576)
_HEADER_LINE = const(2048)
_FILE_LINE = const(512)
_SIGNATURE_LINE = const(1024)
_FILES = const(4096)
_FILE = const(16777216)
_PATH = const(128)
_NESTED = const(32)  # brackets outside of strings; a header has six


class ManifestError(OtaError):
    """The manifest breaks the rule `code` of spec/manifest.md in line `line`."""

    def __init__(self, code, line=0):
        super().__init__("manifest refused: %s in line %d" % (code, line))
        self.code = code


def asset_ok(s):
    return is_name(s, 100) and s[0] != "." and s != "manifest.json"


def path_ok(p):
    if not p or len(p.encode()) > _PATH:
        return False
    for c in p:
        if c < " " or c in '\\"*:<>?|\x7f':
            return False
    parts = p.split("/")
    for part in parts:
        if not part or part[-1] in ". ":  # "." and ".." end in a dot too
            return False
    return parts[0].lower() not in (".ota", "version.json")


def sort_key(p):
    return p.lower().replace("/", "\0").encode()


def _text(line):
    """The line as text. MicroPython takes overlong forms and surrogates for UTF-8; this does not."""
    if line.count(b"[") + line.count(b"{") > _NESTED:  # read as JSON it would take 50 times its size
        quoted = escaped = False
        n = 0
        for c in line:
            if escaped:
                escaped = False
            elif c == 0x5C:
                escaped = True
            elif c == 0x22:
                quoted = not quoted
            elif not quoted and c in b"[{":
                n += 1
        if n > _NESTED:
            raise ValueError
    s = str(line, "utf-8")
    if len(s) != len(line):
        for c in s:
            if 0xD800 <= ord(c) < 0xE000 or ord(c) > 0x10FFFF:
                raise ValueError
        if "".join([chr(ord(c)) for c in s]) != s:
            raise ValueError
    return s


def _header(h):
    """The header line built again from its values; raises what a wrong type raises."""
    out = ['{"mpota":1']

    def text(key, value):
        if not isinstance(value, str) or not value:
            raise ValueError
        out.append(',"%s":%s' % (key, json.dumps(value)))

    if "project" in h:
        parts = h["project"].split("/")
        if len(parts) != 2 or not is_name(parts[0], 64) or not is_name(parts[1], 64):
            raise ValueError
        text("project", h["project"])
    if not isinstance(h["version"], str):
        raise ValueError
    out.append(',"version":%s' % json.dumps(h["version"]))
    if "created" in h:
        if not 0 < h["created"] <= 9999999999:
            raise ValueError
        out.append(',"created":%d' % h["created"])
    for group, keys in (
        ("requires", ("micropython", "platform", "mpy")),
        ("pack", ("asset", "size")),
        ("hooks", ("post_update", "rollback")),
    ):
        if group not in h:
            continue
        g = h[group]
        at = len(out)
        for key in keys:
            if key == "platform" and key in g:
                names = g[key]
                if not 0 < len(names) <= 16 or len(set(names)) != len(names):
                    raise ValueError
                if not all([is_name(x, 32) for x in names]):
                    raise ValueError
                out.append(',"platform":["%s"]' % '","'.join(names))
            elif key == "size":
                if not 0 <= g[key] <= _FILES * _FILE:
                    raise ValueError
                out.append(',"size":%d' % g[key])
            elif key in g:
                text(key, g[key])
                if key == "micropython" or key == "mpy":
                    n = g[key].split(".")
                    most = 3 if key == "micropython" else 2
                    if len(n) > most or len(n) < most - 1 or not all([is_number(x) for x in n]):
                        raise ValueError
        if at == len(out) or (group == "pack" and not asset_ok(g["asset"])):
            raise ValueError
        out[at] = ',"%s":{%s' % (group, out[at][1:])
        out.append("}")
    return "".join(out) + ',"files":['


class Manifest:
    """A manifest on flash. Iterating gives an Entry for every file, checked; at the end of a
    pass `signature` (bytes or None) and `digest` (SHA-256 of what a signature covers) are set."""

    def __init__(self, path):
        self.path = path
        if os.stat(path)[6] > _MANIFEST:
            raise ManifestError("too-large")
        with open(path, "rb") as f:
            self.header = read_header(f.readline(_HEADER_LINE + 1))
        self.signature = self.digest = self.sealed = None
        self.count = 0

    def seal(self):
        """From now on a pass ends in an error unless it read what the one before read."""
        self.sealed = self.digest

    def __iter__(self):
        return self.entries(True)

    def entries(self, parse):
        """Read it through. Without `parse` only its lines, for the signature: what a stranger wrote
        is then not looked into, and takes no memory; None stands for each entry."""
        self.signature = self.digest = None
        sha = None
        try:
            from hashlib import sha256

            sha = sha256()
        except ImportError:
            pass
        pack = self.header.get("pack")
        hooks = set(self.header.get("hooks", {}).values())
        last, end, number = b"", 0, 0
        assets = set()
        with open(self.path, "rb") as f:
            line = f.readline(_HEADER_LINE + 1)
            more = True
            while more:
                if sha:
                    sha.update(line)
                line = f.readline(_FILE_LINE + 1)
                number += 1
                if line[-1:] != b"\n" or len(line) > _FILE_LINE:
                    raise ManifestError("line-too-long" if line else "ending", number + 1)
                more = line[-2:] == b",\n"
                e = None
                if parse:
                    e = _entry(line[:-2] if more else line[:-1], pack, number + 1)
                    path = e["path"]
                    if not path_ok(path):
                        raise ManifestError("path", number + 1)
                    key = sort_key(path)
                    if key <= last or (last and key.startswith(last + b"\0")):
                        raise ManifestError("path-order", number + 1)
                    last = key
                    hooks.discard(path)
                    if pack:
                        if e["offset"] != end or e["length"] > e["size"]:
                            raise ManifestError("layout", number + 1)
                        end += e["length"]
                    elif e["asset"] in assets:
                        raise ManifestError("layout", number + 1)
                    else:
                        assets.add(e["asset"])
                        if number & 31 == 0:
                            gc.collect()  # or the names lie scattered, and no room in one piece is left
                if number > _FILES:
                    raise ManifestError("too-many-files", number + 1)
                yield e
            if parse and pack and end != pack["size"]:
                raise ManifestError("layout", number + 1)
            if sha:
                sha.update(line)
            self._end(f, sha, number + 2)
        if self.sealed and self.digest != self.sealed:
            raise Damaged("the manifest is not the one that was checked")
        if parse and hooks:
            raise ManifestError("hook", 1)
        self.count = number

    def _end(self, f, sha, number):
        line = f.readline(4)
        signed = line == b"],\n"
        if sha:
            if signed:
                sha.update(line)
            self.digest = sha.digest()
        if signed:
            line = f.readline(_SIGNATURE_LINE + 1)
            number += 1
            if line[-1:] != b"\n" or len(line) > _SIGNATURE_LINE:
                raise ManifestError("line-too-long" if line else "ending", number)
            from binascii import a2b_base64, b2a_base64

            try:
                blob = a2b_base64(line[13:-3])
            except ValueError:
                blob = b""
            if not blob or line != b'"signature":"%s"}\n' % b2a_base64(blob)[:-1]:
                raise ManifestError("signature", number)
            self.signature = blob
        elif line != b"]}\n":
            raise ManifestError("ending", number)
        if f.read(1):
            raise ManifestError("ending", number + 1)


def read_header(line):
    """The header of a manifest from its first line: a dict, checked."""
    if line[:9] != b'{"mpota":':
        raise ManifestError("not-a-manifest", 1)
    digits = line[9:].split(b",", 1)[0]
    if digits.isdigit() and digits != b"1":
        raise ManifestError("format-version", 1)
    if len(line) > _HEADER_LINE or line[-1:] != b"\n":
        raise ManifestError("line-too-long", 1)
    try:
        text = _text(line)
        h = json.loads(text + "]}")
        if _header(h) + "\n" != text:
            raise ValueError
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, UnicodeError):
        raise ManifestError("header", 1)
    if not parse_version(h["version"]):
        raise ManifestError("version", 1)
    for p in h.get("hooks", {}).values():
        if not path_ok(p):
            raise ManifestError("hook", 1)
    return h


def _entry(line, pack, number):
    try:
        text = _text(line)
        e = json.loads(text)
        path, size = e["path"], e["size"]
        if not isinstance(path, str) or not 0 <= size <= _FILE:
            raise ValueError
        for key, n in (("sha256", 64), ("crc32", 8)):
            if len(e[key]) != n or not all([c in "0123456789abcdef" for c in e[key]]):
                raise ValueError
        if pack and (e["offset"] < 0 or e["length"] < 0):
            raise ValueError
        tail = '"offset":%d,"length":%d}' % (e["offset"], e["length"]) if pack else '"asset":"%s"}' % e["asset"]
        if not pack and not asset_ok(e["asset"]):
            raise ValueError
        if text != '{"path":%s,"size":%d,"sha256":"%s","crc32":"%s",%s' % (
            json.dumps(path),
            size,
            e["sha256"],
            e["crc32"],
            tail,
        ):
            raise ValueError
        return e
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, UnicodeError):
        raise ManifestError("entry", number)
