# Makes room for what comes: `gone` are files of an earlier try that are not wanted any more.
import os


def gone(*names):
    for n in names:
        try:
            os.remove(ROOT + n)
        except OSError:
            pass


try:
    os.mkdir(ROOT + ".ota")
except OSError:
    pass
