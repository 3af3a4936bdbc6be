"""mpota: what an app may ask of the journal, see ota_updater."""

import json
import sys
import ota_updater
from ota_files import line
from ota_journal import AGAIN, forget, give_up, record, write
from ota_updater import HOME, OtaError, use


def window(*a, **k):
    """window(first, last, offset_h=0): whether it is between these hours of the day, UTC and `offset_h`. Without
    a clock it always is."""
    return use("ota_due").window(*a, **k)


def rollback(why=None):
    """Give up the version on trial, or drop the staged one; the caller then resets. `why` is for
    status() and the log, and may be anything.

    Raises OtaError where there is nothing to go back to: a confirmed version has no backup.
    """
    why = "asked for by the app" if why is None else why
    forget()
    r = record()
    if r["state"] == "trial":
        give_up(str(why))
    elif r["state"] == "staged":
        write(state="idle", next="", plan="", why=str(why))
    else:
        raise OtaError("nothing to go back to: %s is confirmed; install an older one by tag" % r["version"])


def blame(why):
    forget()
    r = record()
    if r["state"] == "trial":
        write(boots=r["boots"] + 1, why=str(why))


def unblock():
    """Let the version that was undone last be installed again. Returns its name, "" where there is none."""
    bad = record()["bad"]
    if bad:
        write(bad="", again=0, why="")
    return bad


def early(ask):
    was = record()["early"] == 1
    if was or ask:
        write(early=1 if ask else 0)
    return was


def status():
    """What is known, as a dict: state, version, next, boots, wakes, bad, why, blocked (in words, until when
    `bad` is not tried again), changed (files that were changed by hand, as the last look has found them),
    cached_s (for how many seconds a cache may hide a newer release from the last look, 0 where it does not),
    waits (for what the newest version waits that goes out in stages, as the last look has found it), id (of this board,
    for rollouts and reports) and created (of the installed release, seconds since 1970; 0 where it is not said)."""
    r = {k: record()[k] for k in "state version next boots wakes bad why".split()}
    r["blocked"] = ""
    if r["bad"]:
        again = 0 < record()["again"] <= AGAIN
        r["blocked"] = "comes up again after a while" if again else "until another version, a tag or unblock()"
    r["changed"], r["created"] = getattr(ota_updater, "changed", ""), 0
    r["cached_s"] = getattr(ota_updater, "cached", 0)
    r["waits"] = getattr(ota_updater, "waits", "")
    r["id"] = use("mpota.who").id()
    sys.modules.pop("mpota.who").__dict__.clear()
    try:
        with open(HOME + "manifest.json", "rb") as f:
            r["created"] = json.loads(line(f, 1024) + b"]}").get("created", 0)
    except (OSError, ValueError):
        pass
    return r
