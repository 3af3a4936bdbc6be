"""Reads inputs on standard input and says what the board's readers make of each: one line that
begins with "= ". crates/mpota-fuzz/src/verdict.rs says the same of the Rust readers. Arguments: the
folder of the device's modules, a file to write inputs to, the file with the trusted keys, and how
many bytes of the heap to leave free (else all)."""

import sys

sys.path.insert(0, sys.argv[1])
import ota_manifest
import ota_updater
from fuzz_loop import converse
from ota_sign import SignatureError, check
from ota_url import HttpError
from ota_version import compare, parse_version

INPUT = sys.argv[2]
with open(sys.argv[3]) as f:
    KEYS = f.read().strip().split("\n")


def crc(text):
    return ota_updater.crc32(text.encode())


def manifest(keys):
    m = ota_manifest.Manifest(INPUT)
    files = total = 0
    sums = 0
    for e in m:
        files += 1
        total += e["size"]
        place = "%d %d" % (e["offset"], e["length"]) if "pack" in m.header else e["asset"]
        sums = ota_updater.crc32(("%s %d %s\n" % (e["path"], e["size"], place)).encode(), sums)
    if keys:
        before = m.signature, m.digest
        for _ in m.entries(False):  # the pass that an update checks the signature with
            pass
        if before != (m.signature, m.digest):
            return "two passes differ"
        check(m.signature, m.digest, KEYS)
    project = m.header.get("project", "-")
    return "valid %s %s %d %d %d %08x" % (m.header["version"], project, files, total, m.signature is not None, sums)


def record():
    r = ota_updater.read_record(INPUT)
    if not r:
        return "none"
    numbers = " ".join(["%d" % r.get(k, 0) for k in ("boots", "tries", "secs")])
    flags = "%d %d" % (r.get("hook", 0) == 1, r.get("repair", 0) == 1)
    texts = "".join([r.get(k, "") + "\n" for k in ("version", "next", "plan", "bad", "why")])
    return "valid %d %s %s %s %08x" % (r["seq"], r["state"], numbers, flags, crc(texts))


def versions(data):
    text = str(data, "utf-8")
    i = text.find("\n")
    a, b = (text[:i], text[i + 1 :]) if i >= 0 else (text, "1.0.0")
    x, y = parse_version(a), parse_version(b)
    if x and y:
        return "valid %d %d" % (compare(a, b), bool(x[1]))
    return "none %d %d" % (bool(x), bool(y))


class Body:
    """In the place of the connection: bytes that come in pieces."""

    host = "a.example"

    def __init__(self, data):
        self.data, self.pos = data, 0

    def readinto(self, buf):
        n = min(len(buf), len(self.data) - self.pos, 1 + self.pos % 97)
        buf[:n] = self.data[self.pos : self.pos + n]
        self.pos += n
        return n


def pack(data):
    """A SHA-256, a size in four bytes, and what lies in the pack."""
    import os
    import ota_fetch
    from binascii import hexlify

    ota_fetch.HOME = INPUT[: INPUT.rfind("/") + 1]
    try:
        os.mkdir(ota_fetch.HOME + "new")
    except OSError:
        pass
    fetch = ota_fetch.Fetch(Plan)
    fetch.at = None
    e = {"path": "x", "size": int.from_bytes(data[32:36], "little"), "length": len(data) - 36}
    e["sha256"] = str(hexlify(data[:32]), "ascii")
    try:
        fetch._one(Body(data[36:]), 0, e)
        return "valid"
    except (ota_updater.Damaged, HttpError):
        return "refused"


class Plan:
    manifest = todo = None
    hash_key = "sha256"


def answer(kind, data):
    global INPUT
    if kind == b"pack":
        return pack(data)
    if kind == b"ed25519":  # key, signature, message, one behind the other
        from ota_ed25519 import verify

        return "valid" if verify(data[:32], data[96:], data[32:96]) else "sig-bad"
    if kind == b"version":
        return versions(data)
    if kind == b"file":
        INPUT = str(data, "utf-8")
    else:
        with open(INPUT, "wb") as f:
            f.write(data)
    del data
    try:
        if kind == b"journal":
            return record()
        return manifest(kind == b"signature")
    except (ota_manifest.ManifestError, SignatureError) as e:
        return e.code


converse(answer, *sys.argv[4:])
