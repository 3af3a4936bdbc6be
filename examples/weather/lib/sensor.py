"""A temperature sensor that always feels the same weather."""


class Sensor:
    def __init__(self, offset=0):
        self.offset = offset

    def celsius(self):
        return 21.5 + self.offset
