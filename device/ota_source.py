"""mpota: where releases are: GitHub's download addresses, its API for private repositories, or
any server that answers the same paths."""

from ota_http import Http
from ota_url import HttpError, NotFound, follow, join, split
from ota_updater import OtaError, record
from ota_version import is_channel


class Source:
    """One look-up: find the release, then read assets of it. `tag` is the release's version, known
    as soon as the server has said it."""

    def __init__(self, config):
        get = config.get
        base = get("base_url") or "https://github.com"
        self.base = base.rstrip("/")
        self.repo = "%s/%s" % (config["owner"], config["repo"])
        self.pinned = get("tag")
        self.channel = get("channel")
        if self.channel and (self.pinned or not is_channel(self.channel)):
            raise OtaError("channel: a word like beta, and no tag beside it")
        self.tag = self.pinned
        self.latest = get("latest") or "latest/download"  # Gitea, Forgejo: "download/latest"
        self.http = Http(config.get("limits") or config)
        self.http.settings = config
        self.urls = {}  # where assets were found last: addresses that go out of date
        self.api = None
        self.auth = None
        if get("token"):
            from ota_api import Api

            self.api = Api(self, config)
            self.auth = self.api.auth

    def close(self):
        self.http.close()

    def pack_name(self, tag):
        """What `mpota build` calls the pack; a good guess saves a connection."""
        return ("%s-%s.pack" % (self.repo.split("/")[1], tag)).replace("+", "-")

    def is_version(self, version):
        """The manifest says which version it is: the one that was asked for, or what the channel has."""
        if self.tag and version != self.tag:
            raise OtaError("release %s has a manifest of %s" % (self.tag, version))
        self.tag = version

    def find(self, done):
        """Open the manifest of the release, for reading from `http`. False where `done(tag)`
        said, as soon as the tag was known, that it is not needed."""
        if self.pinned and record()["state"] != "trial" and done(self.pinned):
            return False
        if self.api:
            if not self.api.look_up(self.channel or self.pinned, done):
                return False
            if not self.channel:
                self.tag = self.api.tag
                if not self.pinned and done(self.tag):
                    self.api.remember()
                    return False

        def moved(url, to):
            mark = "/releases/download/"  # a renamed repository has another name here
            i = to.find(mark)
            if not self.tag and not self.channel and i >= 0:
                # Of what a version may hold, "+" alone comes encoded.
                self.tag = to[i + len(mark) :].split("/")[0].replace("%2B", "+").replace("%2b", "+")
                if done(self.tag):
                    return True
            if split(url)[:3] != split(to)[:3] and self.tag:
                self._guess(url)
            return False

        return self.open("manifest.json", moved=moved)

    def _guess(self, url):
        """Before this host is left: learn where the pack is, on the same connection."""
        name = self.pack_name(self.tag)
        asked = self._address(name)
        if asked and split(asked)[:3] == split(url)[:3]:
            http = self.http
            http.request(asked, self._headers(), self.auth)
            if http.status in (301, 302, 303, 307, 308) and http.location:
                self.urls[name] = join(asked, http.location)
            http.drop()

    def _address(self, name):
        """Where an asset is asked for; None where the API has not told it."""
        if self.api:
            return self.api.address(name)
        at = self.channel if name == "manifest.json" and self.channel else self.tag
        return "%s/%s/releases/%s/%s" % (self.base, self.repo, "download/" + at if at else self.latest, name)

    def _headers(self):
        return ("Accept: application/octet-stream",) if self.api else ()

    def open(self, name, start=0, end=None, moved=None):
        """Open an asset, from byte `start` on (to `end`, not included); False where `moved` stopped it."""
        url = self.urls.get(name) or self._address(name)
        if not url:
            url = self.api.search(name, self.tag)
        headers = self._headers()
        if end is not None:
            headers += ("Range: bytes=%d-%d" % (start, end - 1),)
        http = self.http
        url = follow(http, url, headers, self.auth, moved)
        if url is None:
            return False
        if http.status == 404:
            http.drop()
            where = "channel " + self.channel if self.channel and not self.tag else "release %s" % (self.tag or "(latest)")
            raise NotFound("not found: %s in %s of %s%s" % (
                name, where, self.repo,
                "" if self.auth or name != "manifest.json" else "; a private repository needs a token"))
        if http.status == 401:
            raise OtaError("the token is not accepted by " + http.host)
        if http.status in (200, 206) and name[-5:] == ".pack":
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
