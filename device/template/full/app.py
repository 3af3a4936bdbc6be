# An app that leaves no memory for an update: the look is made at a start, before the app is loaded. On trial the
# second restart confirms the version: it ran, and the server was reached.
import time

import ota_main
import ota_updater
import updates


def run():
    while True:
        work()
        if ota_updater.due(24):
            ota_main.restart()
        updates.install()
        time.sleep(1)


def work():
    print("your code")
