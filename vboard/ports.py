"""How the ports of MicroPython differ in what the virtual board stands in for: what machine.reset_cause() says
after which start, and which watchdogs there are. Evidence: docs/boards.md, "What a reset says"."""

# What a board was started by; vboard.py tells it to each boot.
POWER, RESET, SOFT, WAKE, WATCHDOG, BROWNOUT, PIN = range(7)
STARTS = ("power", "reset", "soft", "wake", "watchdog", "brownout", "pin")

_ALL = ("PWRON_RESET", "HARD_RESET", "WDT_RESET", "DEEPSLEEP_RESET", "SOFT_RESET")

# {port: (its constants, the cause after each of STARTS, default and longest timeout of a watchdog, what is
# said of a longer one)}. The cause after a soft reset is None where it stays what it was before.
_PORTS = {
    "esp32": (dict(zip(_ALL, (1, 2, 3, 4, 5))), (1, 2, 5, 4, 3, 1, 1), 5000, None, ""),
    # machine.reset() is a watchdog that bites at once, and deepsleep() ends in machine.reset().
    "rp2": ({"PWRON_RESET": 1, "WDT_RESET": 3}, (1, 3, None, 3, 3, 1, 1), 5000, 8388, "timeout exceeds 8388"),
    # The cause is the number of the SDK: 3, its software watchdog, which machine.WDT is, has no name here.
    "esp8266": (dict(zip(_ALL, (0, 6, 1, 5, 4))), (0, 4, None, 5, 3, 0, 6), 3200, None, ""),
    "stm32": (dict(zip(_ALL, (1, 2, 3, 4, 0))), (1, 2, 0, 4, 3, 1, 2), 5000, 32767, "WDT timeout too long"),
}


def machine(port, start, before):
    """What `machine` has of this port: (its constants, the cause of this start). `before`: what the
    board was started by before its soft resets."""
    names, causes = _PORTS[port][:2]
    cause = causes[start]
    return names, causes[before] if cause is None else cause


def watchdog(port):
    """A function that gives the time in ms for the arguments of machine.WDT, or raises as the port does."""
    default, longest, too_long = _PORTS[port][2:]

    def timeout(id=0, timeout=default):
        if id != 0:
            raise ValueError("WDT(%d) doesn't exist" % id)
        if longest and (timeout > longest or timeout < 0 and port == "rp2"):  # unsigned there
            raise ValueError(too_long)
        if timeout <= 0 and port != "rp2":
            raise ValueError("WDT timeout too short")
        return timeout

    return (lambda id=0: timeout(id)) if port == "esp8266" else timeout


def forget():
    """Real firmware has such tables in flash, and not in the heap."""
    _PORTS.clear()
