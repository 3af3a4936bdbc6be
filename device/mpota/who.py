"""mpota: the id of this board, for rollouts and reports."""

import os
from ota_files import kind
from ota_updater import HOME, ROOT, use


def _hex(data):
    return "".join(["%02x" % b for b in data])


def id():
    """That of the chip, in hex; or a random one that is kept, where the firmware tells none."""
    try:
        own = use("machine").unique_id()
        if own:
            return _hex(own)
    except (ImportError, AttributeError):
        pass
    try:
        with open(HOME + "id") as f:
            own = f.read(64)
        if len(own) == 16:
            return own
    except (OSError, UnicodeError):
        pass
    own = _hex(os.urandom(8))
    if not kind(ROOT + ".ota"):
        os.mkdir(ROOT + ".ota")
    with open(HOME + "id", "w") as f:
        f.write(own)
    return own
