"""mpota: checks the lines of a manifest (spec/manifest.md).

The computer has held the manifest to its one spelling before it was signed. A board checks what could
harm it: paths, sizes, where things lie, and that nothing stands there that it has to know.
"""

import json
import os
from binascii import a2b_base64, b2a_base64
from micropython import const
from mpota.rules import ManifestError, asset_ok, number, path_ok

_MOST = const(4194304)  # bytes, the largest manifest
_LINE = const(512)  # bytes, the longest line behind the header
_FILE = const(16777216)  # bytes, the largest file


def sort_key(p):
    return p.lower().replace("/", "\0").encode()


class Check:
    """One pass through a manifest. Raises ManifestError."""

    def __init__(self, manifest):
        if os.stat(manifest.path)[6] > _MOST:
            raise ManifestError("too-large")
        self._pack = manifest.header.get("pack")
        self._hooks = set(manifest.header.get("hooks", {}).values())
        self._last = b""
        self._at, self._n, self._left = 0, 1, 1

    def _whole(self, row):
        self._n += 1
        if row[-1:] != b"\n" or len(row) > _LINE:
            raise ManifestError("line-too-long" if row else "ending", self._n)

    def entry(self, row, more):
        """The dict of a file, from its line."""
        self._whole(row)
        try:
            if row.count(b"[") + row.count(b"{") > 140:  # read as JSON each takes 50 times its size
                raise ValueError
            e = json.loads(row[:-2] if more else row)
            if not isinstance(e["path"], str) or number(e["size"]) > _FILE:
                raise ValueError
            if len(e["sha256"]) != 64 or len(e["crc32"]) != 8:
                raise ValueError
            if self._pack:
                number(e["offset"])
                number(e["length"])
            elif not asset_ok(e["asset"]):
                raise ValueError
            if e.get("keep", True) is not True:
                raise ValueError
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
            raise ManifestError("entry", self._n)
        key = sort_key(e["path"])
        if not path_ok(e["path"]):
            raise ManifestError("path", self._n)
        if key <= self._last or (self._last and key.startswith(self._last + b"\0")):
            raise ManifestError("path-order", self._n)
        self._last = key
        if self._pack:
            if e["offset"] != self._at or e["length"] > e["size"]:
                raise ManifestError("layout", self._n)
            self._at += e["length"]
        if "keep" not in e:  # a kept file is the owner's, and not what the release would run
            self._hooks.discard(e["path"])
        return e

    def end(self):
        """The last file was read."""
        if self._pack and self._at != self._pack["size"]:
            raise ManifestError("layout", self._n)

    def ending(self, row):
        """One of the two endings, the signature's line, and nothing behind them."""
        if self._left == 1 and row == b"],\n":
            self._n += 1
            self._left = 2
        elif self._left == 1 and row == b"]}\n":
            self._n += 1
            self._left = 0
        elif self._left == 2:
            self._whole(row)
            self._left = 0
            try:
                blob = a2b_base64(row[13:-3])
            except ValueError:
                blob = b""
            if not blob or row != b'"signature":"%s"}\n' % b2a_base64(blob)[:-1]:
                raise ManifestError("signature", self._n)
        elif self._left or row:
            raise ManifestError("ending", self._n + 1)
        elif self._hooks:
            raise ManifestError("hook", 1)
