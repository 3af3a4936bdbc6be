# The updater's guard. Keep these lines first in boot.py.
import sys

_path = sys.path[:]
for _places in ([".ota/old"], ["lib"], [""], _path):
    sys.path[:] = _places  # nothing else on the board is taken for the updater
    try:
        import ota_updater

        ota_updater.boot
        break
    except Exception as _e:
        if not isinstance(_e, ImportError):
            sys.print_exception(_e)
        sys.modules.pop("ota_updater", None)
sys.path[:] = _path
try:
    ota_updater.boot()
except Exception as _e:
    sys.print_exception(_e)

# Your own lines go here.
