"""mpota: the id of this board, for rollouts and reports."""

import os
from ota_files import kind
from ota_updater import HOME, ROOT, use


def _hex(data):
    return "".join(["%02x" % b for b in data])


def id():
    """That of the chip, in hex; or a random one that is kept, where the firmware tells none. None where it cannot be
    kept: another one each time would be many boards to a server, and many draws in a rollout."""
    try:
        own = use("machine").unique_id()
        if own:
            return _hex(own)
    except (ImportError, AttributeError):
        pass
    try:
        with open(HOME + "id", "rb") as f:
            own = f.read(17)
        if len(own) == 16 and not [c for c in own if c not in b"0123456789abcdef"]:
            return own.decode()
    except OSError:
        pass
    own = _hex(os.urandom(8))
    try:
        if not kind(ROOT + ".ota"):
            os.mkdir(ROOT + ".ota")
        with open(HOME + "id", "w") as f:
            f.write(own)
    except OSError:
        return None
    return own
