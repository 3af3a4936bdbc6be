# What boot.py does at every start of the board.
import standin
import ota_updater

ota_updater.boot()
print("started", ota_updater.started)
