"""mpota: what ota_main needs at the beginning and at the end of an app's life."""

from ota_updater import log, use


def now():
    return use("time").ticks_ms()


def wait(began):
    """Before a restart: a crash at each start must not ask the server every few seconds, nor all boards at
    once."""
    time = use("time")
    s = 10 if time.ticks_diff(now(), began) >= 600000 else 60 + use("os").urandom(1)[0] % 30
    log("I", "restart in %d s, Ctrl-C leads to the prompt" % s)
    time.sleep_ms(s * 1000)


def arm(tick):
    """A timer that calls `tick` each minute. False where there is none."""
    timer = use("ota_cause").timer(60000, tick)
    if not timer:
        log("W", "no Timer here: nothing helps an app that never looks for an update")
    return timer or False
