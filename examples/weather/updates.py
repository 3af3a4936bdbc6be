# Whose releases, and the look for one: by the app, and by main.py where the app is broken.
import machine
import ota_main
import ota_updater
import wifi

CONFIG = {
    "owner": "octo",
    "repo": "weather",
    "limits": {"trial_resets": 5, "trial_s": 120},
}
WINDOW = None  # (2, 5): install() restarts between these hours only, UTC; None: at any time

# Token and address of the server are this board's own: secrets.py, never released.
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
