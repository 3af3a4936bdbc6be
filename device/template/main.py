# The app's main.py, with the updater in it. Copy it, fill in CONFIG, and put your own code below.
import ota_updater

ota_updater.boot()  # boot.py did this already, unless a power cut on FAT has emptied it

import gc
import time

import machine
import network

CONFIG = {
    "ssid": "",  # Wi-Fi name and password: better in secrets.py, see below
    "password": "",
    "owner": "octo",  # https://github.com/octo/weather
    "repo": "weather",
    "token": None,  # a private repository: fine-grained token, Contents: read
    "tag": None,  # None: the latest release; "v1.2.0": that one
    "channel": None,  # None: stable releases; "beta": what `mpota publish --channel beta` put there
    "base_url": None,  # None: GitHub; else a server that answers its paths, as `mpota serve`
    "keys": [],  # "ota_keys": that file, one "ssh-ed25519 AAAA..." a line: only what they signed is taken
    "ca": "ota_ca",  # the folder with the CA certificates, *.der
    "limits": {
        "trial_boots": 3,  # so often a new version may start
        "trial_s": 600,  # and so long each time, until confirm()
        "retries": 3,
    },
}

# Whatever must not be part of a release stands in secrets.py on the board: CONFIG = {...}
try:
    import secrets

    CONFIG.update(secrets.CONFIG)
except ImportError:
    pass


def connect(seconds=20):
    """Join the Wi-Fi and set the clock: certificates have dates. True when the network is there."""
    wlan = network.WLAN(network.STA_IF)
    wlan.active(True)
    if not wlan.isconnected():
        wlan.connect(CONFIG["ssid"], CONFIG["password"])
        until = time.ticks_add(time.ticks_ms(), seconds * 1000)
        while not wlan.isconnected():
            if time.ticks_diff(until, time.ticks_ms()) < 0:
                return False
            time.sleep_ms(100)
    if time.gmtime()[0] < 2024:
        import ntptime

        ntptime.settime()
    return True


reached = False  # whether the update server was, in this start


def update(early=False):
    """Look for a new release; returns for how many seconds to leave the server alone. A version on
    trial proves itself by reaching the update server, once the app has run (not `early`)."""
    global reached
    try:
        staged = connect() and ota_updater.update(CONFIG)
        reached = network.WLAN(network.STA_IF).isconnected()
        if reached and not early:
            ota_updater.confirm()
        if staged:
            machine.reset()  # the new version is put in place at the start
    except (ota_updater.OtaError, OSError) as e:
        ota_updater.log("W", "no update: %s" % e)
        if getattr(e, "memory", False) and not early:
            app.__dict__.clear()  # it is over, and what comes takes some memory too
            gc.collect()
            if reached:  # before the app was loaded, see below
                ota_updater.confirm()
            else:
                ota_updater.early(True)  # at the next start there is all of the memory
                machine.reset()
        return getattr(e, "wait", 0)
    return 0


if ota_updater.early():  # asked for above, or by an app that knows that it leaves no memory
    update(True)

import app  # your code

app.run()
machine.deepsleep(1000 * max(600, update()))
