"""What the station does each time it wakes up."""

import json

from sensor import Sensor

VERSION = "1.0.0"


class Station:
    def __init__(self, settings, banner):
        with open(settings) as f:
            self.settings = json.load(f)
        with open(banner) as f:
            self.banner = f.readline().strip()

    def measure(self):
        value = Sensor(self.settings["offset"]).celsius()
        print("%s: version %s, %s: %.1f C" % (self.banner, VERSION, self.settings["place"], value))
        with open("readings.csv", "a") as f:
            f.write("%s,%.1f\n" % (VERSION, value))
