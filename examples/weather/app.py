# A weather station: wakes up, measures, stores the reading, looks for an update, sleeps.
import machine
import ota_main
import updates
from station import Station


def run():
    Station("settings.json", "assets/station.txt").measure()
    ota_main.look()  # at each wake; with `if ota_updater.due(24, 600):` before it once a day
    updates.install()
    machine.deepsleep(1000 * max(600, updates.wait))
