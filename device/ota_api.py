"""mpota: looks a release up in GitHub's REST API. Its JSON is scanned as it comes in: what is
kept does not grow with the number of assets."""

import os
from micropython import const
from ota_url import HttpError, NotFound, follow, split
from ota_updater import HOME, ROOT, OtaError, buffer, crc32, kind, log, record

_IDS = "new/ids"
_ETAG = "etag"
_PAGES = const(10)  # of 100 assets: GitHub's limit for a release


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


def _is_etag(s):
    """Whether it is one ETag, and not "*" or a list: GitHub answers those with 304 for ever."""
    s = s[2:] if s[:2] == "W/" else s
    if not 2 < len(s) < 256 or s[0] != '"' or s[-1] != '"':
        return False
    return not [c for c in s[1:-1] if not "!" <= c <= "~" or c == '"']


class Api:
    """The releases of a repository that only a token may read. Of all the assets the ids of two are
    kept in memory; those of a release with one asset per file go into a file."""

    def __init__(self, source, config):
        get = config.get
        url = get("api_url")
        if not url:
            url = "https://api.github.com" if not get("base_url") else source.base + "/api/v3"
        self.url = "%s/repos/%s/releases" % (url.rstrip("/"), source.repo)
        at = split(self.url)[:3]
        if at[0] != "https":
            if not get("insecure_token_over_http"):
                raise OtaError("the token is not sent over http (insecure_token_over_http is not set)")
        else:
            from ota_tls import checks

            if not checks(config) and not get("insecure_token_without_certificate"):
                raise OtaError("no certificates are checked, so the token is not sent (insecure_token_without_certificate is not set)")
        self.auth = ("Authorization: Bearer " + get("token"), at)
        self.source = source
        self.ids = {}  # of the manifest and the pack, by the CRC32 of the name
        self.tag = self.id = None
        self.listed = False  # whether the ids of all assets are in the file

    def _get(self, rest, etag=None):
        headers = ["Accept: application/vnd.github+json", "X-GitHub-Api-Version: 2022-11-28"]
        if etag:
            headers.append("If-None-Match: " + etag)
        http = self.source.http
        follow(http, self.url + rest, headers, self.auth)
        return http.status

    def look_up(self, which, done=None):
        """Find the release with this tag, None: the latest. False where it is the one of which
        `done(tag)` says that it is not needed: an answer that costs nothing of the token's limit."""
        source, http = self.source, self.source.http
        saved = None if which or not done else self._saved()
        if saved:
            r = record()
            if saved[1] != source.repo or saved[2] not in (r["version"], r["bad"]) or not done(saved[2]):
                saved = None
        status = self._get("/tags/" + which if which else "/latest", saved and saved[0])
        if status == 304 and saved:
            return False
        if status != 200:
            http.drop()
            if saved and status == 400:  # what was noted may be what it does not understand
                os.remove(HOME + _ETAG)
            if status == 404:
                raise NotFound("no release %s in %s, or the token may not read it (Contents: read)" % (
                    which or "(latest)", source.repo))
            if status == 401:
                raise OtaError("the token is not accepted by " + http.host)
            if status == 403:
                raise OtaError("the token may not read %s (Contents: read)" % source.repo)
            raise HttpError("%s answers %d for the release" % (http.host, status), status)
        self.etag = http.etag
        self.tag = self.id = None
        self.ids.clear()
        self.listed = False
        seen = {}
        inside = [False]

        def found(depth, key, value):
            if depth == 1 and key:
                inside[0] = key == b"assets" and value is None
                if value:
                    if key == b"tag_name":
                        self.tag = str(value, "utf-8")
                    elif key == b"id" and value.isdigit():
                        self.id = int(value)
            elif inside[0] and depth == 3:
                self._asset(key, value, seen, self._keep)

        try:
            scan(http.readinto, found)
        except UnicodeError:
            raise HttpError("the answer of the API is not a release")
        http.drop()
        if which and self.tag != which:
            raise HttpError("asked for %s, was given %r" % (which, self.tag))
        if not self.tag or not self.id:
            raise HttpError("the answer of the API is not a release")
        return True

    def _asset(self, key, value, seen, use):
        """Take in one pair of an asset's; at its end call use(name, id) if it is whole."""
        if key in (b"id", b"name", b"state"):
            seen[key] = value
        elif key is None:
            name, id = seen.get(b"name"), seen.get(b"id", b"")
            if name and id.isdigit() and len(id) < 18 and seen.get(b"state") == b"uploaded":
                use(name, int(id))
            seen.clear()

    def _keep(self, name, id):
        if name == b"manifest.json" or (self.tag and name == self.source.pack_name(self.tag).encode()):
            self.ids[crc32(name)] = id

    def address(self, name):
        """Where an asset is asked for; None where its id is not known."""
        crc = crc32(name.encode())
        id = self.ids.get(crc)
        if not id and self.listed:
            record = bytearray(12)
            with open(HOME + _IDS, "rb") as f:
                while not id and f.readinto(record) == 12:
                    if int.from_bytes(record[:4], "big") == crc:
                        id = int.from_bytes(record[4:], "big")
        return "%s/assets/%d" % (self.url, id) if id else None

    def search(self, name, tag):
        """Where this asset of a release is asked for, wherever in the list it stands."""
        if self.tag != tag:
            self.look_up(tag)
        url = self.address(name)
        if not url and not self.listed:
            self._list()
            url = self.address(name)
        if not url:
            raise NotFound("release %s of %s has no asset %s" % (tag, self.source.repo, name))
        return url

    def _list(self):
        """Write down the ids of all assets, page by page: 4 bytes CRC32 of the name, 8 of the id."""
        http = self.source.http
        for name in (".ota", ".ota/new"):
            if not kind(ROOT + name):
                os.mkdir(ROOT + name)
        with open(HOME + _IDS, "wb") as f:

            def use(name, id):
                f.write(crc32(name).to_bytes(4, "big") + id.to_bytes(8, "big"))

            for page in range(1, _PAGES + 1):
                status = self._get("/%d/assets?per_page=100&page=%d" % (self.id, page))
                if status != 200:
                    http.drop()
                    raise HttpError("%s answers %d for the list of assets" % (http.host, status), status)
                seen = {}
                count = [0]

                def found(depth, key, value):
                    if depth == 2:
                        count[0] += key is None
                        if count[0] > 100:
                            raise HttpError("more assets on a page than were asked for")
                        self._asset(key, value, seen, use)

                scan(http.readinto, found)
                http.drop()
                if count[0] < 100:
                    break
        self.listed = True

    def _saved(self):
        """What remember() wrote: [ETag, repository, tag], or None."""
        try:
            with open(HOME + _ETAG) as f:
                parts = f.read(512).split("\n")
            return parts if len(parts) == 3 and _is_etag(parts[0]) else None
        except (OSError, UnicodeError):
            return None

    def remember(self):
        """The latest release is not needed: note its ETag, where it is a new one."""
        try:
            parts = [str(self.etag or b"", "utf-8"), self.source.repo, self.tag]
            if _is_etag(parts[0]) and self._saved() != parts:
                with open(HOME + _ETAG, "w") as f:
                    f.write("\n".join(parts))
        except (OSError, UnicodeError) as e:
            log("W", "etag: %s" % e)
