# What the updater says of itself, found as boot.py finds it.
import sys

_path = sys.path[:]
try:
    if "ota_updater" not in sys.modules:
        sys.path[:] = ["lib"] + _path
    import ota_updater
finally:
    sys.path[:] = _path
_found = ota_updater.status()
for _key in _found:
    print("mpota status", _key, _found[_key])
