"""mpota: looks a release up in GitHub's REST API. Its JSON is scanned as it comes in: what is
kept does not grow with the number of assets."""

from ota_url import HttpError, follow
from ota_source import NotFound
from ota_updater import OtaError, buffer, crc32


def scan(readinto, found):
    """Walk through JSON text. Calls found(depth, key, value) for each string (its first 128
    bytes) and number that is the value of a key, and found(depth, None, None) at each end of an
    object or array. Raises HttpError where the text ends too soon."""
    b = buffer()[:512]
    depth, key, token = 0, None, bytearray()
    quoted = escaped = False
    n = 1
    while n:
        n = readinto(b)
        for c in b[:n]:
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


def look_up(source, all_names):
    """Find the release of `source`: sets its tag, and the ids of manifest and pack (or of all
    assets, by the CRC32 of the name)."""
    http = source.http
    which = "tags/" + source.pinned if source.pinned else "latest"
    url = "%s/releases/%s" % (source.api, which)
    follow(http, url, ("Accept: application/vnd.github+json", "X-GitHub-Api-Version: 2022-11-28"), source.auth)
    status = http.status
    if status != 200:
        http.drop()
        if status == 404:
            raise NotFound("no release %s in %s, or the token may not read it (Contents: read)" % (
                source.pinned or "(latest)", source.repo))
        if status == 401:
            raise OtaError("the token is not accepted by " + http.host)
        raise HttpError("%s answers %d for the release" % (http.host, status), status)
    seen = {}
    inside = [False]

    def found(depth, key, value):
        if depth == 1 and key:
            inside[0] = key == b"assets" and value is None
            if key == b"tag_name" and value:
                source.tag = str(value, "utf-8")
        elif inside[0] and depth == 3:
            if key in (b"id", b"name", b"state"):
                seen[key] = value
            elif key is None:
                name = seen.get(b"name") or b""
                if seen.get(b"state") == b"uploaded" and seen.get(b"id", b"").isdigit():
                    if len(source.ids) > 1000:
                        raise HttpError("a release of over 1000 assets")
                    if all_names or name == b"manifest.json" or name.endswith(b".pack"):
                        source.ids[crc32(name)] = int(seen[b"id"])
                seen.clear()

    scan(http.readinto, found)
    http.drop()
    if source.pinned and source.tag != source.pinned:
        raise HttpError("asked for %s, was given %r" % (source.pinned, source.tag))
    if not source.tag:
        raise HttpError("the answer of the API is not a release")
