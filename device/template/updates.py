# Whose releases, and the look for one: by the app, and by main.py where the app is broken.
import machine
import ota_main
import ota_updater
import wifi

CONFIG = {
    "owner": "octo",  # https://github.com/octo/weather
    "repo": "weather",
    "token": None,  # a private repository: fine-grained token, Contents: read
    "tag": None,  # None: the latest release; "v1.2.0": that one
    "channel": None,  # None: stable releases; "beta": what `mpota publish --channel beta` put there
    "base_url": None,  # None: GitHub; else a server that answers its paths, as `mpota serve`
    "keys": [],  # "ota_keys": that file, one "ssh-ed25519 AAAA..." a line: only what they signed is taken
    "ca": "ota_ca",  # the folder with the CA certificates, *.der
    "limits": {
        "trial_resets": 5,  # resets of a new version before confirm(); with one more it is undone
        "trial_s": 600,  # seconds without a sign of life, after which it is undone
        "retries": 3,
    },
}
WINDOW = None  # (2, 5): install() restarts between these hours only, UTC; None: at any time

# What must not be part of a release, like a token, stands in secrets.py on the board: CONFIG = {...}
CONFIG.update(getattr(wifi.secrets, "CONFIG", {}))

staged = None  # the version that a restart installs
wait = 0  # for how many seconds the server wants to be left alone


def look():
    """Look for a release; returns its version where one is staged. Raises OtaError, which says why not."""
    global staged, wait
    wifi.connect(feed=CONFIG.get("feed"))
    try:
        wait = 0
        staged = ota_updater.update(CONFIG)
    except ota_updater.OtaError as e:
        wait = e.wait
        raise
    prove()
    return staged


def prove():
    """After an update(): the server was reached in this start. Where the app runs, its version is kept."""
    ota_main.reached = True
    if ota_main.running:
        ota_updater.confirm()


def install():
    """Restart into the staged release, where there is one and the time is right. A power cut installs it at any
    time."""
    if staged and (not WINDOW or ota_updater.window(*WINDOW)):
        machine.reset()
