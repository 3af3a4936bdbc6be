"""mpota: reads a manifest on the flash line by line (spec/manifest.md).

It may be larger than the memory, and so is read more than once. A pass ends in an error unless it has
read what `seal`, a hash of the whole, is of, or what the first pass has read: what one pass has checked the
next one need not.
"""

import json
from mpota.update import done
from ota_files import Damaged, Hash, line
from ota_updater import use


class Manifest:
    """A manifest on flash. files() gives (number, dict) of every file; with `check`, a function of
    check.py, each is checked before. Of those without a bit in `bits` it gives (number, None)."""

    def __init__(self, path, seal=None, check=None):
        self.path, self._seal, self.check = path, seal, check
        with open(path, "rb") as f:
            self.header = use("mpota.header").read_header(line(f, 1024))
        done("header")

    def __iter__(self):
        for _, e in self.files():
            yield e

    def files(self, bits=None):
        h = Hash()
        number = 0
        check = self.check and self.check(self)
        with open(self.path, "rb") as f:
            row = line(f, 1024)
            more = True
            while more:
                h.update(row)
                row = line(f, 512)
                more = row[-2:] == b",\n"
                if check:
                    yield number, check.entry(row, more)
                elif bits is None or bits[number >> 3] & 1 << (number & 7):
                    yield number, json.loads(row[:-2] if more else row)
                else:
                    yield number, None
                number += 1
            h.update(row)
            if check:
                check.end()
            while row:
                row = line(f, 512)
                h.update(row)
                if check:
                    check.ending(row)
        h = h.hex()
        if self._seal and h != self._seal:
            raise Damaged("the manifest is not the one that was checked")
        self._seal = h
