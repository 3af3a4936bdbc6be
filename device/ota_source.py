"""mpota: where releases are: GitHub's download addresses, its API for private repositories, or
any server that answers the same paths."""

from ota_http import Http
from ota_url import HttpError, follow, join, split
from ota_updater import OtaError, crc32


class NotFound(OtaError):
    """There is no such release or asset, or it may not be seen."""


class Source:
    """One look-up: find the release, then read assets of it. `tag` is known as soon as the
    server has said it."""

    def __init__(self, config):
        get = config.get
        base = get("base_url") or "https://github.com"
        self.base = base.rstrip("/")
        self.repo = "%s/%s" % (config["owner"], config["repo"])
        self.pinned = get("tag")
        self.tag = self.pinned
        self.http = Http(config.get("limits") or config)
        self.http.settings = config
        self.urls = {}  # where assets were found last: addresses that go out of date
        self.ids = {}  # of assets in the API, by the CRC32 of their name
        self.auth = None
        if get("token"):
            api = get("api_url")
            if not api:
                api = "https://api.github.com" if not get("base_url") else self.base + "/api/v3"
            self.api = api.rstrip("/") + "/repos/" + self.repo
            at = split(self.api)[:3]
            lax = "http" if at[0] != "https" else get("insecure_skip_tls_verification") and "unchecked https"
            if lax and not get("insecure_token_over_http"):
                raise OtaError("the token is not sent over %s (insecure_token_over_http is not set)" % lax)
            self.auth = ("Authorization: Bearer " + get("token"), at)

    def close(self):
        self.http.close()

    def pack_name(self):
        """What `mpota build` calls the pack; a good guess saves a connection."""
        return "%s-%s.pack" % (self.repo.split("/")[1], self.tag)

    def find(self, done):
        """Open the manifest of the release, for reading from `http`. False where `done(tag)`
        said, as soon as the tag was known, that it is not needed."""
        if self.auth:
            from ota_api import look_up

            if self.pinned and done(self.pinned):
                return False
            look_up(self, False)
            if not self.pinned and done(self.tag):
                return False
        elif self.pinned and done(self.pinned):
            return False

        def moved(url, to):
            mark = self.repo + "/releases/download/"
            i = to.find(mark)
            if not self.tag and i >= 0:
                self.tag = to[i + len(mark) :].split("/")[0]
                if done(self.tag):
                    return True
            if split(url)[:3] != split(to)[:3] and self.tag:
                self._guess(url)
            return False

        return self.open("manifest.json", moved=moved)

    def _guess(self, url):
        """Before this host is left: learn where the pack is, on the same connection."""
        name = self.pack_name()
        asked = self._address(name)
        if asked and split(asked)[:3] == split(url)[:3]:
            http = self.http
            http.request(asked, self._headers(), self.auth)
            if http.status in (301, 302, 303, 307, 308) and http.location:
                self.urls[name] = join(asked, http.location)
            http.drop()

    def _address(self, name):
        """Where an asset is asked for; None where the API has none of that name."""
        if not self.auth:
            where = "download/" + self.tag if self.tag else "latest/download"
            return "%s/%s/releases/%s/%s" % (self.base, self.repo, where, name)
        id = self.ids.get(crc32(name.encode()))
        return "%s/releases/assets/%d" % (self.api, id) if id else None

    def _headers(self):
        return ("Accept: application/octet-stream",) if self.auth else ()

    def open(self, name, start=0, end=None, moved=None):
        """Open an asset, from byte `start` on (to `end`, not included); False where `moved` stopped it."""
        url = self.urls.get(name) or self._address(name)
        if not url:
            from ota_api import look_up

            look_up(self, True)
            url = self._address(name)
            if not url:
                raise NotFound("release %s of %s has no asset %s" % (self.tag, self.repo, name))
        headers = self._headers()
        if end is not None:
            headers += ("Range: bytes=%d-%d" % (start, end - 1),)
        http = self.http
        url = follow(http, url, headers, self.auth, moved)
        if url is None:
            return False
        if http.status == 404:
            http.drop()
            raise NotFound("not found: %s in release %s of %s%s" % (
                name, self.tag or "(latest)", self.repo,
                "" if self.auth or name != "manifest.json" else "; a private repository needs a token"))
        if http.status == 401:
            raise OtaError("the token is not accepted by " + http.host)
        if http.status in (200, 206) and name != "manifest.json":
            self.urls[name] = url
        if http.status == 206:
            if end is None or not (http.range or b"").startswith(b"bytes %d-%d/" % (start, end - 1)):
                http.close()
                raise HttpError("wrong Content-Range from " + http.host, 206)
        elif http.status == 200:
            if start:
                self._skip(start)
        else:
            status = http.status
            http.close()
            self.urls.pop(name, None)  # it may have gone out of date
            raise HttpError("%s answers %d for %s" % (http.host, status, name), status)
        return True

    def _skip(self, n):
        """The server ignored Range: read over what comes before."""
        from ota_updater import buffer

        b = buffer()
        while n:
            got = self.http.readinto(b[: min(n, len(b))])
            if not got:
                raise HttpError("%s: shorter than promised" % self.http.host)
            n -= got
