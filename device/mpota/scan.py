"""mpota: JSON of any size, scanned as it comes in."""

from mpota import HttpError
from ota_updater import buffer


def scan(net, readinto, found):
    """In steps: walk through JSON text. Calls found(depth, key, value) for each string (its first 128
    bytes) and number that is the value of a key, and found(depth, None, None) at each end of an
    object or array. Raises HttpError where the text ends too soon."""
    b = buffer()[:256]
    depth, key, token = 0, None, bytearray()
    quoted = escaped = False
    n = 1
    while n != 0:
        n = readinto(net, b)
        yield 2 if n is None else 0
        for c in b[:n] if n else b"":
            if quoted:
                if escaped:
                    escaped = False
                elif c == 0x5C:
                    escaped = True
                    continue
                elif c == 0x22:
                    quoted = False
                    continue
                if len(token) < 128:
                    token.append(c)
            elif c == 0x22:
                quoted = True
                token = bytearray()
            elif c == 0x3A:  # ":"
                key, token = bytes(token), bytearray()
            elif c in b",]}":
                if key is not None and token:
                    found(depth, key, bytes(token))
                key, token = None, bytearray()
                if c != 0x2C:
                    found(depth, None, None)
                    depth -= 1
                    if not depth:
                        return
            elif c in b"[{":
                if key is not None:
                    found(depth, key, None)
                depth += 1
                key, token = None, bytearray()
                if depth > 20:
                    raise HttpError("the answer of the API is nested too deep")
            elif c > 0x20 and len(token) < 128:
                token.append(c)
    raise HttpError("the answer of the API ends too soon")
