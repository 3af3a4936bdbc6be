"""mpota: the phases of an update, one module each. update.py goes from one to the next.

    config        what the owner has set, and whom the board trusts
    ask, fit      is there a release, and is it for this board? (source, http, url: the connection)
    accept, sign  its manifest, and who signed it (ed25519)
    stage, plan   what lies on the flash, and what has to change (manifest, check)
    fetch         the download (pieces)
"""

from ota_updater import OtaError

__version__ = "0.1.0"


class Refused(OtaError):
    """The release is not for this board, or not one that it may take now."""


class NotFound(OtaError):
    """There is no such release or asset, or it may not be seen."""


class HttpError(OtaError):
    """The connection or the server failed; trying again may help."""

    status = 0  # what the server answered, 0 where it did not
    # and `wait`, see OtaError


class Bag:
    """Attributes, and no code: what lasts longer than the phase that has made it. The code of a class
    stays in memory as long as there is an object of it."""
