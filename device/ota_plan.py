"""mpota, the plan of an exchange: its steps, one in memory at a time (spec/journal.md), a move, and
what a removed file leaves."""

import json
import os
from ota_files import Damaged, fed, file_hash, kind
from ota_journal import record
from ota_moves import copies, copy
from ota_updater import HOME, ROOT


def plan():
    """The one of the plan's two copies that the journal knows, or None."""
    for path in (HOME + "new/plan", HOME + "old/plan"):
        if file_hash(path) == record()["plan"]:
            return path
    return None


def steps(back=False):
    """The steps of the plan, one in memory at a time."""
    path = plan()
    if not path:
        raise Damaged("the plan is damaged")
    with open(path, "rb") as f:
        if not back:
            for line in f:
                fed()
                yield json.loads(line)
            return
        end = f.seek(0, 2)
        while end:
            at = max(0, end - 512)  # longer than any line
            f.seek(at)
            part = f.read(end - at)
            fed()
            i = part.rfind(b"\n", 0, len(part) - 1) + 1
            yield json.loads(part[i:])
            end = at + i


def move(src, dst, want):
    if copies():
        copy(src, dst)
        if file_hash(dst) != want:
            raise OSError(5)
    else:
        os.rename(src, dst)


def prune(path):
    """Remove the folders that a removed file leaves empty, however many above each other."""
    while "/" in path and kind(ROOT + path) == 0:
        path = path[: path.rfind("/")]
        if kind(ROOT + path) == 0x4000:  # rmdir() of LittleFS removes files too
            try:
                os.rmdir(ROOT + path)
            except OSError:  # not empty
                break
