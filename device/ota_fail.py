"""mpota: what an app is told of an update that failed."""

import gc
from ota_updater import OtaError, _at_rest, _call, leave


def failed(what, e):
    """The OtaError for `e`. A version on trial whose own fault it is counts as one that resets."""
    leave()
    blame, memory = True, isinstance(e, MemoryError)
    if isinstance(e, OtaError):
        # No connection, or a server that is broken: the old version could not reach it either.
        blame = getattr(e, "status", 400) // 100 == 4 and not e.wait
    elif memory:
        e = OtaError("not enough memory: %s, %d KB are free; call early(True) and reset" % (e, gc.mem_free() >> 10))
        e.memory = True
    else:  # whatever a server or the flash made of it: the app knows OtaError only
        e = OtaError("%s failed: %r" % (what, e))
    if blame and not memory and not _at_rest():
        _call("ota_app", "blame", e)
    return e
