"""Reads inputs on standard input and says what the board's readers make of each: one line that
begins with "= ". crates/mpota-fuzz/src/verdict.rs says the same of the Rust readers. Arguments: the
folder of the device's modules, a file to write inputs to, the file with the trusted keys, and how
many bytes of the heap to leave free (else all)."""

import sys

sys.path.insert(0, sys.argv[1])
import ota_files
import ota_journal
from fuzz_loop import converse

import mpota.update

mpota.update.done = lambda *names: None  # what is loaded stays

from mpota import HttpError, ed25519, sign
from mpota.check import Check
from mpota.manifest import Manifest
from mpota.rules import ManifestError
from mpota.header import parse_version
from mpota.want import compare

INPUT = sys.argv[2]
with open(sys.argv[3]) as f:
    KEYS = f.read().strip().split("\n")


def crc(text):
    return ota_files.crc32(text.encode())


def manifest(keys):
    m = Manifest(INPUT, None, Check)
    files = total = 0
    sums = 0
    for e in m:
        files += 1
        total += e["size"]
        place = "%d %d" % (e["offset"], e["length"]) if "pack" in m.header else e["asset"]
        sums = ota_files.crc32(("%s %d %s %d\n" % (e["path"], e["size"], place, "keep" in e)).encode(), sums)
    blob, digest, seal = ota_files.run(sign.read(INPUT))
    if seal != ota_files.file_hash(INPUT):
        return "two readings differ"
    if keys:
        if not ota_files.run(ed25519.verify(*sign.check(blob, digest, KEYS))):
            sign.bad()
    project = m.header.get("project", "-")
    return "valid %s %s %d %d %d %08x" % (m.header["version"], project, files, total, blob is not None, sums)


def record():
    r = ota_journal.read_record(INPUT)
    if not r:
        return "none"
    numbers = " ".join(["%d" % r.get(k, 0) for k in "boots wakes tries most secs wait again since".split()])
    flags = "%d %d %d" % (r["hook"], r["repair"], r["early"])
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
    from binascii import hexlify
    from mpota import Bag, fetch

    fetch.HOME = INPUT[: INPUT.rfind("/") + 1]
    try:
        os.mkdir(fetch.HOME + "new")
    except OSError:
        pass
    try:
        os.remove(fetch.HOME + "new/0")  # what is left of another input is not of this file
    except OSError:
        pass
    body = Body(data[36:])
    fetch.readinto = lambda _, buf: body.readinto(buf)
    manifest = Bag()
    manifest.header = {"pack": {"asset": "x"}}
    net = Bag()
    net.config = Bag()
    net.config.told = {}
    one = fetch.Fetch(net, manifest, b"", 0)
    one.at, one.until, one._before = 0, len(data) - 36, 0
    e = {"path": "x", "size": int.from_bytes(data[32:36], "little"), "offset": 0, "length": len(data) - 36}
    e["sha256"] = str(hexlify(data[:32]), "ascii")
    try:
        ota_files.run(one._one(0, e))
        return "valid"
    except (ota_files.Damaged, HttpError):
        return "refused"


def answer(kind, data):
    global INPUT
    if kind == b"pack":
        return pack(data)
    if kind == b"ed25519":  # key, signature, message, one behind the other
        from mpota.ed25519 import verify

        return "valid" if ota_files.run(verify(data[:32], data[96:], data[32:96])) else "sig-bad"
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
    except (ManifestError, sign.SignatureError) as e:
        return e.code


converse(answer, *sys.argv[4:])
