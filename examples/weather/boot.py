# The updater's guard. Keep these lines first in boot.py.
import sys

try:
    import ota_updater

    ota_updater.boot
except Exception as e:  # an update brought an updater that does not load: use the one before it
    sys.print_exception(e)
    sys.modules.pop("ota_updater", None)
    sys.path.insert(0, ".ota/old")
    import ota_updater
ota_updater.boot()

# Your own lines go here.
