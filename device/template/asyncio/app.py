# An asyncio app, which goes on while an update is looked for once a day.
import asyncio

import ota_aio
import ota_main
import ota_updater
import updates
import wifi


def run():
    asyncio.run(main())


async def main():
    looks = asyncio.create_task(look())
    while not looks.done():  # unless something is wrong with it, and then main.py should know
        await work()
        await asyncio.sleep(1)
    await looks


async def look():
    while True:
        if ota_updater.due(24):
            try:
                for _ in wifi.joining():
                    await asyncio.sleep_ms(100)
                wifi.clock()
                updates.staged = await ota_aio.update(updates.CONFIG)
                updates.prove()
            except (ota_updater.OtaError, OSError) as e:
                ota_updater.log("W", "no update: %s" % e)
                if getattr(e, "memory", False):
                    ota_main.restart()  # and looks before the app
        updates.install()
        await asyncio.sleep(10)


async def work():
    print("your code")
