# One update() on a folder of the host: ask, fetch and stage. BASE, the address of the server, is set in front of this.
import standin
import ota_updater
import secrets

print("staged", ota_updater.update(dict(secrets.CONFIG, base_url=BASE)))
