"""mpota: the phases of an update, one or more modules each. update.py goes from one to the next, and drops
what is over: less than half of the package is ever in memory at once.

    seek            the beginning: config, where the board stands, and is there a release?
    seen            what the server said last time; a look asks whether that is still so
    ask, want, fit  the question to the server; is the answer newer, and is it for this board?
    rollout, turn   a version that goes out in stages: is it this board's turn? (who: the board's id)
    source, http    where assets are (api, assets, scan: by token); a request (send, answer, framing, redirect, tls,
                    body)
    own, report     what a server of one's own is told with each question
    accept          checks the manifest and who signed it (sign, ed25519, header, rules)
    compare, plan   what lies on the flash, and what has to change (manifest, check, puts, parts, rom)
    fetch           the download (ranges, inflate, pieces, chunks)
    stage           hands over to the next start
    proof           what a version on trial has to show; pause, refused, trouble: what goes wrong
"""

from ota_updater import OtaError

__version__ = "0.1.0"


class Refused(OtaError):
    """The release is not for this board, or not one that it may take now."""


class HttpError(OtaError):
    """The connection or the server failed; trying again may help."""

    status = 0  # what the server answered, 0 where it did not
    # and `wait`, see OtaError


class Bag:
    """Attributes, and next to no code: what lasts longer than the phase that has made it. The code of a
    class stays in memory as long as there is an object of it. One that was not set is None: it takes no
    memory then, not even for its name."""

    def __getattr__(self, name):
        return None
