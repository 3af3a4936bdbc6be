# Ask, fetch and stage, with nothing else in the interpreter, on a folder of the host. In front of this stands
# BASE, the server.
import standin
import ota_updater
import secrets

print("staged", ota_updater.update(dict(secrets.CONFIG, base_url=BASE)))
