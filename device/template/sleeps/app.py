# An app that wakes up, does its work, looks for an update once a day, and sleeps.
import machine
import ota_main
import ota_updater
import updates

SLEEP = 600  # seconds from one wake to the next


def run():
    work()
    # Leave due() out to look at each wake: that costs Wi-Fi and one small request.
    if ota_updater.due(24, SLEEP):
        ota_main.look()
        updates.install()  # every start does, the next wake too
    machine.deepsleep(1000 * max(SLEEP, updates.wait))


def work():
    print("your code")
