# Starts the app, and keeps it within reach of an update when it is broken: see docs/look.md.
import ota_updater

ota_updater.boot()  # boot.py did this already, unless a power cut on FAT has emptied it

import ota_main
import updates

# No look before the app after power on or a wake: what works is updated by Home Assistant only.
ota_main.run("app", updates.look, power=0, wake=0)
