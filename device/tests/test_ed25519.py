"""Every Ed25519 vector in spec/vectors/ed25519, and SHA-512 on its own.

From the root of the repository: micropython device/tests/test_ed25519.py
"""

import sys
from binascii import unhexlify

sys.path.insert(0, "device")
from mpota import ed25519
from ota_files import run as at_once

VECTORS = "spec/vectors/ed25519/"
# Messages and the first 8 bytes of their hash
SHA512 = (
    (b"abc", "ddaf35a193617aba"),
    (b"", "cf83e1357eefb8bd"),
    (b"a" * 1000, "67ba5535a46e3f86"),
)

passed = 0
failed = 0
read = 0


def check(name, good):
    global passed, failed
    if good:
        passed += 1
    else:
        failed += 1
        print("FAILED", name)


def field(text):
    return b"" if text == "-" else unhexlify(text)


def run(name, known=None):
    """Verifies each line; the verdict is in the fifth column where it is not known."""
    global read
    counts = {True: 0, False: 0}
    with open(VECTORS + name) as f:
        for line in f:
            case = line.split()
            want = case[4] == "valid" if known is None else known
            assert len(case) == (5 if known is None else 4), line
            assert known is not None or case[4] in ("valid", "invalid"), line
            got = at_once(ed25519.verify(field(case[1]), field(case[2]), field(case[3])))
            check("%s %s: %s" % (name, case[0], got), got is want)
            counts[want] += 1
            read += 1
    # A file cut short must not pass
    for verdict in (True, False):
        if known is None or known is verdict:
            check("%s: no case is %s" % (name, verdict), counts[verdict] > 0)


def known_hash(data):
    yield 0
    return b"\1" + bytes(63)


def run_known_k():
    """What no vector can hold: for a hash known beforehand a signature is there without a key."""
    true_hash = ed25519._sha512
    ed25519._sha512 = known_hash
    order = ed25519._L.to_bytes(32, "little")
    accepted = 0
    for y in range(2, 19):
        # With k = 1 and S = 0, R is -A: the same bytes, but for the sign
        r = bytes([y]) + bytes(30) + b"\x80"
        if at_once(ed25519.verify(r[:31] + b"\0", b"", r + bytes(32))):
            accepted += 1
            public = (ed25519._P + y).to_bytes(32, "little")
            check("key p + %d" % y, at_once(ed25519.verify(public, b"", r + bytes(32))) is False)
            check("S = L, key %d" % y, at_once(ed25519.verify(r[:31] + b"\0", b"", r + order)) is False)
    check("key of a known k", accepted > 0)
    ed25519._sha512 = true_hash


for message, start in SHA512:
    check("sha512 %d" % len(message), at_once(ed25519._sha512(message))[:8] == unhexlify(start))
run("valid", True)
run("invalid", False)
run("wycheproof")
run_known_k()
print("vectors ed25519", read)
print("%d passed, %d failed" % (passed, failed))
sys.exit(1 if failed else 0)
