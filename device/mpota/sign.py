"""mpota: checks the SSH signature of a manifest (spec/manifest.md, PROTOCOL.sshsig).

It needs nothing of the manifest but its bytes. What a stranger wrote is not looked into before.
"""

from binascii import a2b_base64
from micropython import const
from ota_files import Hash
from ota_updater import OtaError, buffer

_LINE = const(512)  # bytes, the longest signature line


class SignatureError(OtaError):
    """The signature is refused for the reason `code` of spec/manifest.md."""

    def __init__(self, code, text):
        super().__init__("signature refused: " + text)
        self.code = code


def _field(blob, at):
    """One length-prefixed string of an SSH blob: (bytes, where the next one begins)."""
    n = int.from_bytes(blob[at : at + 4], "big")
    end = at + 4 + n
    if at + 4 > len(blob) or end > len(blob):
        raise SignatureError("sig-form", "it is cut short")
    return blob[at + 4 : end], end


def _fields(blob, at, count):
    out = []
    for _ in range(count):
        s, at = _field(blob, at)
        out.append(s)
    if at != len(blob):
        raise SignatureError("sig-form", "something left over")
    return out


def check(blob, digest, keys, purpose=b"mpota"):
    """(key, message, signature), which ed25519.verify() has to find right; then `blob` is a signature
    over what has this SHA-256 by one of `keys`, lines as in authorized_keys, in the namespace `purpose`. `blob` is None
    where there is no signature. Raises SignatureError."""
    if blob is None:
        raise SignatureError("unsigned", "this board takes signed releases only")
    if blob[:10] != b"SSHSIG\0\0\0\1":
        raise SignatureError("sig-form", "not an SSH signature of version 1")
    public, namespace, reserved, algorithm, signature = _fields(blob, 10, 5)
    if reserved:
        raise SignatureError("sig-form", "unknown reserved field")
    type_, rest = _field(public, 0)
    stype, srest = _field(signature, 0)
    if type_ != b"ssh-ed25519" or stype != b"ssh-ed25519":
        raise SignatureError("sig-key-type", "only ssh-ed25519 keys are taken")
    key = _fields(public, rest, 1)[0]
    value = _fields(signature, srest, 1)[0]
    if len(key) != 32 or len(value) != 64:
        raise SignatureError("sig-key-type", "wrong length of key or signature")
    if namespace != purpose:
        raise SignatureError("sig-namespace", "made for another purpose than " + purpose.decode())
    if algorithm != b"sha256":
        raise SignatureError("sig-hash", "sign with ssh-keygen -O hashalg=sha256")
    if public not in [a2b_base64(line.split()[1]) for line in keys]:
        raise SignatureError("sig-unknown-key", "by a key that this board does not trust")
    block = b"SSHSIG" + b"".join([len(s).to_bytes(4, "big") + s for s in (namespace, b"", algorithm, digest)])
    return key, block, value


def bad():
    raise SignatureError("sig-bad", "not made over these bytes")


def read(path):
    """In steps: (the signature or None, SHA-256 of what it covers, hash of the whole in hex) of a manifest."""
    b = buffer()
    covered, whole = Hash(), Hash()
    with open(path, "rb") as f:
        size = f.seek(0, 2)
        f.seek(max(0, size - _LINE))
        line = f.read(_LINE)
        end = size - len(line) + line.rfind(b"\n", 0, len(line) - 1) + 1  # where the last line begins
        line = line[line.rfind(b"\n", 0, len(line) - 1) + 1 :]
        f.seek(0)
        at = 0
        while at < size:
            n = f.readinto(b)
            if not n:
                break
            whole.update(b[:n])
            if at < end:
                covered.update(b[: min(n, end - at)])
            at += n
            yield 0
    blob = None
    if line[:13] == b'"signature":"':  # what is not the one form of it does not come through the reading
        try:
            blob = line[-3:] == b'"}\n' and a2b_base64(line[13:-3])
        except ValueError:
            pass
        if not blob:
            raise SignatureError("signature", "the signature is cut short, or not in base64")
    elif line != b"]}\n":
        raise SignatureError("ending", "the manifest is cut short, or something else")
    return blob, covered.value.digest(), whole.hex()
