"""mpota: what time it is."""

import time


def now():
    """Seconds since 1970, 0 where the clock is not set. Ports count from 1970 or from 2000. ota_journal has this
    too: the end of a trial is to need as few files as can be."""
    now = int(time.time()) + (946684800 if time.gmtime(0)[0] == 2000 else 0)
    return now if now > 1700000000 else 0
