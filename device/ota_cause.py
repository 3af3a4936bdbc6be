"""mpota: what has started the board, chance, a number of this board's own, and its timers."""

from ota_updater import use


def cause():
    """What has started the board: "wake" from deep sleep, "power" on, "watchdog", or a "reset"; that also
    where the port does not tell (docs/boards.md)."""
    try:
        machine = use("machine")
        cause = machine.reset_cause()
    except (ImportError, AttributeError):
        return "reset"
    for name, what in (("DEEPSLEEP_RESET", "wake"), ("PWRON_RESET", "power"), ("WDT_RESET", "watchdog")):
        # rp2 calls every reset one of the watchdog, and has no name for others.
        if getattr(machine, name, None) == cause and (what != "watchdog" or hasattr(machine, "HARD_RESET")):
            return what
    return "reset"


def chance(part, whole):
    """True in `part` of `whole` calls."""
    n = 0
    for b in use("os").urandom(3):
        n = n << 8 | b
    return n * whole < part << 24


def lot(reset, power, wake):
    """Whether this start is the one of so many, by what has caused it; 0: never."""
    n = {"power": power, "wake": wake}.get(cause(), reset)
    return n > 0 and chance(1, n)


def own(span):
    """A number from 0 to below `span` that this board always has. Boards share it out evenly, also where
    they are numbered one after the other."""
    try:
        name = use("machine").unique_id()
    except (ImportError, AttributeError):
        return 0
    h = 2166136261
    for b in bytes(name) + b"mpota":  # without more bytes the last one would change the low bits only
        h = (h ^ b) * 16777619 & 0xFFFFFFFF
    return (h >> 8) * span >> 24


def timer(ms, tick):
    """A soft timer that calls `tick` each `ms`. None where the port has no timers, False where none is free."""
    try:
        Timer = use("machine").Timer
    except (ImportError, AttributeError):
        return None
    for i in (-1, 3, 1, 0):  # -1 is a virtual timer, where the port has those
        try:
            t = Timer(i)
            t.init(mode=Timer.PERIODIC, period=ms, callback=tick)
            return t
        except (ValueError, OSError):
            pass
    return False
