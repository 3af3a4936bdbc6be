"""The manifest that was checked is the one that is used. Run from the root of the repository."""

import sys

sys.path.insert(0, "device")

from mpota.check import Check
from mpota.manifest import Manifest
from ota_files import Damaged, file_hash
import os

passed = failed = 0
PATH = "/tmp/mpota-sealed-%d" % int.from_bytes(os.urandom(4), "big")


def expect(name, got, want):
    global passed, failed
    if got == want:
        passed += 1
    else:
        failed += 1
        print("FAILED: %s: got %r, want %r" % (name, got, want))


def manifest(version, signed):
    line = '{"path":"a.py","size":1,"sha256":"%s","crc32":"00000000","offset":0,"length":1}' % ("0" * 64)
    head = '{"mpota":1,"version":"%s","pack":{"asset":"p","size":1},"files":[\n' % version
    return head + line + ("\n],\n\"signature\":\"" + signed + "\"}\n" if signed else "\n]}\n")


def put(text):
    with open(PATH, "w") as f:
        f.write(text)


def read(m):
    try:
        return len([e for e in m])
    except Damaged as e:
        return str(e)


CHANGED = "the manifest is not the one that was checked"
# The header is read once, when it is opened: a change there shows at the end of the next pass.
for signed in ("", "AAAA"):
    good = manifest("v1.0.0", signed)
    for name, other, want in (
        ("the same", good, 1),
        ("another header", manifest("v1.0.1", signed), CHANGED),
        ("another hash", good.replace("0" * 64, "0" * 63 + "1"), CHANGED),
        ("another size", good.replace('"size":1,"sha', '"size":2,"sha'), CHANGED),
    ):
        put(good)
        for check in (None, Check):
            m = Manifest(PATH, None, check)
            expect(name + ", read first", read(m), 1)
            put(other)
            expect(name + ", sealed by the first reading", read(m), want)
            expect(name + ", not sealed", read(Manifest(PATH, None, check)), 1)
            put(good)
            m = Manifest(PATH, file_hash(PATH), check)
            put(other)
            expect(name, read(m), want)
            put(good)
os.remove(PATH)
print("%d passed, %d failed" % (passed, failed))
sys.exit(1 if failed else 0)
