"""Reads every vector of spec/vectors that the board has a reader for. Run from the root of the
repository: micropython device/tests/test_vectors.py"""

import json
import os
import sys

sys.path.insert(0, "device")
import mpota.update
import ota_journal

mpota.update.done = lambda *names: None  # what is loaded here stays
from mpota import ed25519, fit, sign
from mpota.check import Check
from mpota.manifest import Manifest
from mpota.rules import ManifestError
from mpota.sign import SignatureError
from mpota.config import is_channel
from mpota.header import parse_version
from mpota.want import compare
from ota_files import run

VECTORS = "spec/vectors/"
passed = failed = 0


def expect(what, got, want):
    global passed, failed
    if got == want:
        passed += 1
    else:
        failed += 1
        print("FAIL %s: got %r, want %r" % (what, got, want))


def text(path):
    with open(path) as f:
        return f.read()


def names(folder):
    found = sorted(os.listdir(VECTORS + folder))
    assert found, folder
    return found


def facts(path):
    m = Manifest(path, None, Check)
    n = total = kept = 0
    for e in m:
        n += 1
        total += e["size"]
        kept += "keep" in e
    h = m.header
    found = {
        "version": h["version"],
        "project": h.get("project"),
        "files": n,
        "bytes": total,
        "kept": kept,
        "signed": run(sign.read(path))[0] is not None,
    }
    loaders = [n for n in range(256) if fit.compiled(h, n)]
    if loaders:
        found["compiled"] = loaders
    if fit.marked(h):
        found["rollout"] = True
    return found


def verdict(path, keys=None):
    try:
        for _ in Manifest(path, None, Check):
            pass
        if keys is not None:
            blob, digest, _ = run(sign.read(path))
            if not run(ed25519.verify(*sign.check(blob, digest, keys))):
                sign.bad()
        return "valid"
    except (ManifestError, SignatureError) as e:
        return e.code


count = may = 0
for name in names("manifest/valid"):
    folder = VECTORS + "manifest/valid/" + name
    expect(name, facts(folder + "/manifest.json"), json.loads(text(folder + "/facts.json")))
    count += 1
for name in names("manifest/invalid"):
    folder = VECTORS + "manifest/invalid/" + name
    got = verdict(folder + "/manifest.json")
    if "board" in os.listdir(folder):  # only the computer holds a manifest to its one spelling
        expect(name + " (board)", text(folder + "/board").strip(), "may accept")
        may += got == "valid"
    else:
        expect(name, got, text(folder + "/error").strip())
    count += 1
assert may > 0
print("vectors manifest", count)
print("of which the board accepts what the computer refuses:", may)

count = 0
keys = text(VECTORS + "signature/keys").strip().split("\n")
for name in names("signature/valid"):
    expect(name, verdict(VECTORS + "signature/valid/" + name + "/manifest.json", keys), "valid")
    count += 1
for name in names("signature/invalid"):
    folder = VECTORS + "signature/invalid/" + name
    expect(name, verdict(folder + "/manifest.json", keys), text(folder + "/error").strip())
    count += 1
print("vectors signature", count)

count = 0
lines = [line.split() for line in text(VECTORS + "version/order").split("\n") if line]
for i, line in enumerate(lines):
    count += 1
    for j, other in enumerate(lines):
        for a in line:
            for b in other:
                expect("%s <> %s" % (a, b), compare(a, b), (i > j) - (i < j))
for line in text(VECTORS + "version/invalid").split("\n"):
    if line:
        count += 1
        expect("version " + line, parse_version(line), None)
print("vectors version", count)

count = 0
for file, expected in (("channel", True), ("no-channel", False)):
    for line in text(VECTORS + "version/" + file).split("\n"):
        if line:
            count += 1
            expect(file + " " + line, is_channel(line), expected)
print("vectors channel", count)

count = 0
for name in names("journal/valid"):
    if name.endswith(".json"):
        continue
    got = ota_journal.read_record(VECTORS + "journal/valid/" + name)
    want = json.loads(text(VECTORS + "journal/valid/" + name + ".json"))
    expect(name, got and {k: got.get(k, want[k]) for k in want}, want)
    count += 1
for name in names("journal/invalid"):
    expect(name, ota_journal.read_record(VECTORS + "journal/invalid/" + name), None)
    count += 1
print("vectors journal", count)
print("%d passed, %d failed" % (passed, failed))
sys.exit(1 if failed or not passed else 0)
