"""mpota: the second half of a plan: which files and folders are to come, and whether there is room."""

import os
from ota_files import Hash, kind
from ota_updater import ROOT, OtaError, use


def write(p):
    """In steps: the folders and files to come, in the order of the manifest."""
    made = ""
    for number, e in p.manifest.files(p.todo):
        if e or not number & 7:
            yield 0
        if not e:
            continue
        path = e["path"]
        made = _folders(p, path, made)
        had = 1 if p.had[number >> 3] & 1 << (number & 7) else 2 if "keep" in e else 0
        op = ("put", path, str(number), e[Hash.key], had)
        if path == "boot.py":
            p.late = ("late",) + op[1:4]
        else:
            p.line(*op)


def _folders(p, path, made):
    """Make the folders above `path`; `made` is the last one that the plan makes already."""
    i = path.find("/")
    while i > 0:
        folder = path[:i]
        there = kind(ROOT + folder) == 0x4000 and folder not in p.gone
        if not there and not (made + "/").startswith(folder + "/"):
            p.line("mkdir", folder)
            p.blocks += 2
            made = folder
        i = path.find("/", i + 1)
    return made


def check_space(p):
    """In steps: raise OtaError unless there is room, before anything big is written; then copy what was changed."""
    yield from use("ota_moves").clearing("kept")  # of the update before this one
    stat = os.statvfs(ROOT)
    # LittleFS counts blocks twice that two files share: more may be in use than there are.
    free = stat[3] * p.block if stat[3] <= stat[2] else 0
    # LittleFS writes a folder into pairs of blocks that may be half empty.
    need = (p.blocks + 7) * p.block + (0 if p.copies else p.small * 4)
    if free < need:
        raise OtaError("%d KB of flash needed, %d KB free" % (need >> 10, free >> 10))
    if p.aside:
        yield from use("mpota.aside").put()
