# An app that Home Assistant updates: it shows there as an update entity, and installs a release when somebody presses
# "Install".
import time

import home_assistant
import updates
import wifi

NAME = "Greenhouse"  # what Home Assistant calls the board
HOURS = 24  # from one look for a new release to the next


def run():
    entity = home_assistant.Entity(wifi.secrets.BROKER, NAME, HOURS)
    while True:
        work()
        entity.turn()
        updates.install()
        time.sleep_ms(100)


def work():
    pass  # your code
