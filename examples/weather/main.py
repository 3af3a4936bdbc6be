# A weather station: wakes up, measures, stores the reading, looks for an update, sleeps.
import ota_updater

ota_updater.boot()  # boot.py did this already, unless a power cut on FAT has emptied it

import time

import machine
import network
from station import Station

CONFIG = {
    "owner": "octo",
    "repo": "weather",
    "limits": {"trial_boots": 3, "trial_s": 120},
}

# Wi-Fi, token and the address of the server are this board's own: secrets.py, never released.
try:
    import secrets

    CONFIG.update(secrets.CONFIG)
except ImportError:
    pass


def connect():
    wlan = network.WLAN(network.STA_IF)
    wlan.active(True)
    wlan.connect(CONFIG.get("ssid"), CONFIG.get("password"))
    for _ in range(200):
        if wlan.isconnected():
            break
        time.sleep_ms(100)
    else:
        return False
    if time.gmtime()[0] < 2024:  # certificates have dates
        import ntptime

        ntptime.settime()
    return True


def update():
    """Returns for how many seconds the server wants to be left alone."""
    try:
        if not connect():
            return 0
        staged = ota_updater.update(CONFIG)
        ota_updater.confirm()  # this version starts, measures and reaches the server
        if staged:
            machine.reset()
    except (ota_updater.OtaError, OSError) as e:
        ota_updater.log("W", "no update: %s" % e)
        return getattr(e, "wait", 0)
    return 0


Station("settings.json", "assets/station.txt").measure()
machine.deepsleep(1000 * max(600, update()))
