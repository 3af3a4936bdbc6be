# Starts the app, and keeps it within reach of an update when it is broken: see docs/look.md.
import ota_updater

ota_updater.boot()  # boot.py did this already, unless a power cut on FAT has emptied it

import ota_main
import updates

ota_main.run("app", updates.look)  # imports app.py and calls its run()
