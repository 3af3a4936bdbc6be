"""mpota for an app of asyncio: an update in small steps, between which every other task has its turn. See
docs/asyncio.md. Whoever does not import this file pays nothing for it."""

import asyncio
import ota_updater


async def update(config):
    """As ota_updater.update(). To cancel it is fine: what was fetched stays, and the next one goes on there."""
    return await _all(ota_updater.steps("update", config, "steps"))


async def check(config):
    """As ota_updater.check()."""
    return await _all(ota_updater.steps("check", config, "steps"))


async def _all(work):
    try:
        while True:
            await asyncio.sleep_ms(next(work))
    except StopIteration as e:
        return e.value
    except MemoryError as e:  # none for ota_fail, which says it better
        e = ota_updater.OtaError("not enough memory: %s; call early(True) and reset" % e)
        e.memory = True
        raise e
    finally:
        work.close()
