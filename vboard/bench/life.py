# The app of the virtual board, as the template for an app that sleeps has it. In front of this stands BASE, the server.
import machine
import ota_updater
import secrets

staged = ota_updater.update(dict(secrets.CONFIG, base_url=BASE))
ota_updater.confirm()
if staged:
    machine.reset()
machine.deepsleep(1)
