# The app of the virtual board: one that updates, confirms and sleeps. BASE, the address of the server, is set in front
# of this.
import machine
import ota_updater
import secrets

staged = ota_updater.update(dict(secrets.CONFIG, base_url=BASE))
ota_updater.confirm()
if staged:
    machine.reset()
machine.deepsleep(1)
