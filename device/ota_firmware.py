"""mpota: the modules of the firmware that the updater's files import, past what an app has under their names."""

# A test compares them with the code. The last is for firmware without the one before it.
FIRMWARE = "array binascii builtins deflate gc hashlib io json machine micropython network os select socket sys time tls ssl"


def load(sys):
    """{name: module}, of those that this firmware has; sys.path is the caller's to restore."""
    sys.path[:] = [".frozen"]
    found = {}
    for name in FIRMWARE.split():
        if name != "ssl" or "tls" not in found:
            try:
                found[name] = __import__(name)
            except ImportError:
                pass
    return found
