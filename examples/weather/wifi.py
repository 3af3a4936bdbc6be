# Wi-Fi and clock: one way for the app and for the look for an update. The networks stand in secrets.py.
import time

import network
from ota_updater import OtaError, log

try:
    import secrets
except ImportError:
    secrets = None

# How secrets.py may call them, in small or capital letters.
NAMES = ("ssid", "wifi_ssid", "wlan_ssid", "wifi_name")
PASSWORDS = ("password", "wifi_password", "wlan_password", "passwd", "wifi_pass", "pass", "psk", "wifi_psk", "pw", "key")
LISTS = ("networks", "wifi_networks", "known_networks", "wifi", "wlan")


def networks():
    """[(name, password)]: SSID = and PASSWORD =, or a dict with these, or a list of dicts or of pairs."""
    if not secrets:
        raise OtaError("no Wi-Fi: secrets.py is not on the board, with the lines SSID = '...' and PASSWORD = '...'")
    found = []
    _collect(secrets.__dict__, "", found)
    if not found:
        what = "%s, in any case, and a dict or a list (%s) with them" % (" ".join(NAMES), " ".join(LISTS))
        log("E", "secrets.py was searched for " + what)
        raise OtaError("no Wi-Fi: secrets.py has no name of a network (SSID)")
    return found


def _collect(given, called, found):
    if isinstance(given, dict):
        name = password = None
        for key in given:
            value, key = given[key], key.lower() if isinstance(key, str) else ""
            if key in NAMES:
                name = value
            elif key in PASSWORDS:
                password = value
            elif isinstance(value, dict) or (isinstance(value, (list, tuple)) and key in LISTS):
                _collect(value, key, found)
        if name:
            found.append((name, password))
        elif called in LISTS:  # {"name of a network": "its password"}
            found.extend(pair for pair in given.items() if isinstance(pair[1], str) and pair[0].lower() not in PASSWORDS)
    elif len(given) == 2 and isinstance(given[0], str):
        found.append(tuple(given))
    else:
        for each in given:
            if isinstance(each, (dict, list, tuple)):
                _collect(each, "", found)


def joining(seconds=20):
    """Join one of the networks: a generator that says when to wait a moment. Raises OtaError, and says which
    network, and what the port makes of it."""
    wlan = network.WLAN(network.STA_IF)
    wlan.active(True)
    if wlan.isconnected():
        return
    for name, password in networks():
        wlan.connect(name, password)
        until = time.ticks_add(time.ticks_ms(), seconds * 1000)
        while not wlan.isconnected() and time.ticks_diff(until, time.ticks_ms()) > 0:
            yield
        if wlan.isconnected():
            return
        why = "no Wi-Fi: %s: %s" % (name, _status(wlan.status()))
        log("W", why)
        wlan.disconnect()
    raise OtaError(why)


def connect(seconds=20, feed=None):
    """Join one of the networks, and set the clock. `feed` is called meanwhile, for a watchdog."""
    for _ in joining(seconds):
        if feed:
            feed()
        time.sleep_ms(100)
    clock()


def clock():
    """Set the clock, where it is not set: certificates have dates. Without it http goes on, and https says so."""
    if time.gmtime()[0] >= 2024:
        return
    try:
        import ntptime

        ntptime.settime()
    except (OSError, ImportError) as e:
        log("W", "the clock is not set: no answer of the time server (%r); https needs one" % e)


def _status(code):
    """What the port calls it."""
    for name in dir(network):
        if name.startswith("STAT_") and getattr(network, name) == code:
            return name
    return "status %s" % code
