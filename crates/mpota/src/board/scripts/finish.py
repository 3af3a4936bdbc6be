# Puts what lies in .ota/put where it belongs. Nothing is touched before all of it was checked.
import os

try:
    from hashlib import sha256
except ImportError:
    sha256 = None

PUT = ROOT + ".ota/put/"
_buf = bytearray(512)


def check(name, size, want):
    h, length = sha256() if sha256 else None, 0
    with open(PUT + name, "rb") as f:
        n = f.readinto(_buf)
        while n:
            length += n
            if h:
                h.update(memoryview(_buf)[:n])
            n = f.readinto(_buf)
    if length != size or (h and "".join(["%02x" % b for b in h.digest()]) != want):
        raise ValueError("%s did not arrive whole" % name)


def place(*names):
    for name in names:
        at = name.find("/")
        while at > 0:
            try:
                os.mkdir(ROOT + name[:at])
            except OSError:
                pass
            at = name.find("/", at + 1)
        os.rename(PUT + name, ROOT + name)


def drop(*names):
    for name in names:
        try:
            os.remove(ROOT + name)
        except OSError as e:
            if e.errno != 2:
                raise


def clear(path):
    try:
        entries = list(os.ilistdir(ROOT + path))
    except OSError:
        return
    for e in entries:
        if e[1] & 0x4000:
            clear(path + "/" + e[0])
        else:
            os.remove(ROOT + path + "/" + e[0])
    os.rmdir(ROOT + path)
