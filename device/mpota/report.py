"""mpota: what a board tells its server with a check, where CONFIG has "report" (spec/report.md)."""

import gc
import json
import os
import sys
from ota_updater import ROOT, use


def line(config):
    """The header line, in ASCII; None for a board without an id."""
    r, out = config.record, {}
    out["id"] = use("mpota.who").id()
    if not out["id"]:
        return None
    for key in ("version", "state", "bad", "why", "boots"):
        if r[key]:
            out[key] = r[key]
    out["micropython"] = "%d.%d.%d" % sys.implementation.version[:3]
    board = getattr(sys.implementation, "_build", "") or getattr(sys.implementation, "_machine", "")
    if board:
        out["board"] = board[:64]
    stat = os.statvfs(ROOT)
    out["flash"] = stat[3] * (stat[1] or stat[0])
    if hasattr(gc, "mem_free"):
        gc.collect()
        out["memory"] = gc.mem_free()
    text = json.dumps(out)
    # As bytes: a loop over a text makes each character a name that MicroPython keeps.
    return "Mpota-Report: " + bytes([c if 32 <= c < 127 else 63 for c in text.encode()]).decode()
