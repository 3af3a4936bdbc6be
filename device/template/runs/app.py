# An app that never returns, and looks for an update once a day.
import time

import ota_main
import ota_updater
import updates


def run():
    while True:
        work()
        if ota_updater.due(24):
            ota_main.look()
        updates.install()
        time.sleep(1)


def work():
    print("your code")
