"""mpota: firmware with ROMFS."""

from mpota import Refused
from ota_files import kind


def look(path):
    """Firmware with ROMFS looks into /rom and /rom/lib before /lib."""
    if path[:4] == "lib/":
        name = path[4:].split("/")[0]
        name = name[: name.rfind(".")] if "." in name else name
        for there in ("/rom/" + name, "/rom/lib/" + name):
            for form in ("", ".py", ".mpy"):
                if kind(there + form) and there + form != "/rom/lib":
                    raise Refused("%s would never be loaded: %s%s comes before it" % (path, there, form))
