"""mpota: what an app may ask of the journal, see ota_updater."""

import json
import ota_updater
from ota_files import line
from ota_journal import forget, record, write
from ota_updater import HOME, OtaError, log, use


def confirm():
    forget()
    if record()["state"] != "trial":
        return False
    if ota_updater.in_hook:  # nothing of the app has run yet
        log("W", "a hook cannot confirm")
        return False
    write(state="confirmed")
    ota_updater.confirmed = True
    try:
        write()  # in both places, before anything is removed: one damaged record must not undo it
        use("ota_swap").finish()
    except (OSError, OtaError, ValueError, ImportError, MemoryError) as e:  # boot() finishes it
        log("W", "confirmed, to be finished at the next start: %r" % e)
    return True


def rollback(why):
    forget()
    r = record()
    if r["state"] == "trial":
        write(state="undoing", boots=0, bad=r["next"], why=str(why))
    elif r["state"] == "staged":
        write(state="idle", next="", plan="", why=str(why))
    else:
        raise OtaError("nothing to go back to: %s is confirmed; install an older one by tag" % r["version"])


def early(ask):
    was = record()["early"] == 1
    if was or ask:
        write(early=1 if ask else 0)
    return was


def status():
    r = {k: record()[k] for k in ("state", "version", "next", "boots", "bad", "why")}
    r["created"] = 0
    try:
        with open(HOME + "manifest.json", "rb") as f:
            r["created"] = json.loads(line(f, 1024) + b"]}").get("created", 0)
    except (OSError, ValueError):
        pass
    return r
