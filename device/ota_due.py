"""mpota: when it is time to look for an update, see due() and window() of ota_updater."""

import ota_updater
import time
from micropython import const
from ota_cause import cause, chance, own

_STEP = const(3600)  # seconds: what ticks_ms can still tell apart, and the guard need not ask us for
_AGAIN = const(300)  # seconds between two looks of a version on trial


def due(hours, sleep_s=0):
    period = max(1, int(hours * 3600))
    trial = "ota_trial" in ota_updater._keep and not ota_updater.confirmed
    if sleep_s:
        return trial or _at_wake(period, max(1, int(sleep_s)))
    return _awake(period, trial)


def _at_wake(period, sleep_s):
    """All memory is lost in deep sleep. So the clock decides, or chance, or a person who gives it power."""
    if cause() == "power":
        return ota_updater.asked is False
    if time.gmtime()[0] < 2024:
        return chance(sleep_s, period)
    return (int(time.time()) - own(period)) % period < sleep_s


def _awake(period, trial):
    now, known = time.ticks_ms(), ota_updater._due
    if known:
        left = known[3] - time.ticks_diff(now, known[1]) // 1000
        if known[4] and not trial:  # the trial's own looks were enough
            left += period - _AGAIN
    elif trial:
        left = 0
    elif ota_updater.asked is False:
        left = own(period // 100 + 1)  # boards that a power cut has started at once do not ask at once
    else:  # before the app was started
        left = period
    yes = left <= 0
    if yes:
        left = _AGAIN if trial else period
    step = min(left, _STEP)
    until = time.ticks_add(now, step * 1000)
    ota_updater._due = (time.ticks_diff, until, time.ticks_ms, left - step, trial)
    return yes


def window(first, last, offset_h=0):
    t = time.gmtime()
    if t[0] < 2024:
        return True
    now = (t[3] * 60 + t[4] + int(offset_h * 60)) % 1440
    first, last = int(first * 60), int(last * 60)
    return first <= now < last if first < last else now >= first or now < last
