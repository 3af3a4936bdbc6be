"""mpota: the rules that a manifest's header and lines share (spec/manifest.md).

Characters are looked at as bytes: a loop over a text, or one character of it, would make each of them a
name that MicroPython keeps until the reset.
"""

from ota_updater import OtaError


class ManifestError(OtaError):
    """The manifest breaks the rule `code` of spec/manifest.md in line `line`."""

    def __init__(self, code, line=0, words=()):
        if words:
            super().__init__("needs an updater that knows: " + ", ".join(words))
        else:
            super().__init__("manifest refused: %s in line %d" % (code, line))
        self.code = code


def number(n):
    """A whole number from 0 on; ValueError for anything else."""
    if type(n) is not int or n < 0:
        raise ValueError
    return n


def is_name(s, most, others=b"._-"):
    """Whether s is 1 to `most` characters of A-Z a-z 0-9 and the others."""
    if not isinstance(s, str) or not 0 < len(s) <= most:
        return False
    for c in s.encode():
        if not (48 <= c < 58 or 65 <= c & 0x5F <= 90 and c > 64 or c in others):
            return False
    return True


def asset_ok(s):
    return is_name(s, 100) and s[:1] != "." and s != "manifest.json"


def path_ok(p):
    """Whether this is a path below the root that every file system can have, and nothing of ours."""
    data = p.encode()
    if not 0 < len(data) <= 128:
        return False
    for c in data:
        if c < 32 or c in b'\\"*:<>?|\x7f':
            return False
    for part in p.split("/"):
        if not part or part[-1:] in ". ":  # "." and ".." end in a dot too
            return False
    return p.split("/", 1)[0].lower() not in (".ota", "version.json")
