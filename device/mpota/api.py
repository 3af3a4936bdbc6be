"""mpota: looks a release up in GitHub's REST API. Its JSON is scanned as it comes in: what is kept
does not grow with the number of assets.

    net.api.url      of the repository's releases
    net.api.ids      of the manifests and packs that the board may take, by the CRC32 of the name
    net.api.tag, id  of the release that was looked up last
    net.api.listed   whether the ids of all its assets are in a file, see assets.py
"""

import sys
from mpota import Bag, HttpError
from mpota.body import drop, readinto
from mpota.http import follow, split
from mpota.update import done as done_with
from ota_files import crc32
from ota_updater import OtaError, use


def start(net):
    """Settle where the token may be sent: to the API's host, over a connection that is checked."""
    c = net.config
    url = c.api_url
    if not url:
        url = net.base + "/api/v3" if c.base_url else "https://api.github.com"
    net.api = api = Bag()
    api.url = "%s/repos/%s/releases" % (url.rstrip("/"), c.name)
    api.ids = {}
    api.tag = api.id = None
    api.listed = False
    at = split([api.url])[0]
    use("mpota.own").secret(c, at, "the token is")
    net.auth = ("Authorization: Bearer " + c.token, at)


def get(net, rest, lines=()):
    """In steps: ask the API; the status of its answer."""
    lines = ("Accept: application/vnd.github+json", "X-GitHub-Api-Version: 2022-11-28") + lines
    yield from follow(net, [net.api.url + rest], lines)
    return net.status


def look_up(net, which, done=None):
    """In steps: find the release with this tag, None: the latest. False where it is the one of which
    `done(tag)` says that it is not needed: an answer that costs nothing of the token's limit."""
    api = net.api
    saved = () if which or not done else use("mpota.seen").saved(api.url, net.config, done)
    if saved and saved[0][:6] == "Range:":  # an answer of an API has no part that would do
        saved = ()
    done_with("seen")
    status = yield from get(net, "/tags/" + which if which else "/latest", saved)
    if status == 304 and saved:
        return False
    if status != 200:
        if saved and status == 400:
            use("mpota.seen").forget()
        yield from use("mpota.refused").no_release(net, which)
    api.tag = api.id = None
    api.ids.clear()
    api.listed = False
    yield from _read(net)
    yield from drop(net)
    if which and api.tag != which:
        raise HttpError("asked for %s, was given %r" % (which, api.tag))
    if not api.tag or not api.id:
        raise HttpError("the answer of the API is not a release")
    return True


def find(net, done):
    """In steps: look up the release that CONFIG asks for. False where it is not needed, see look_up()."""
    c = net.config
    if not (yield from look_up(net, c.channel or c.tag, done)):
        return False
    if not c.channel:
        net.tag = net.api.tag
        if not c.tag and done(net.tag):
            use("mpota.seen").remember(net.api.url, net.head, net.tag)
            return False
    return True


def _read(net):
    """In steps: take the tag, the id, and the ids of two assets from the answer that comes in."""
    api, seen = net.api, {}
    inside = [False]
    form = "-mpy-%d" % (getattr(sys.implementation, "_mpy", 0) & 0xFF)

    def keep(name, id):
        pack = ("%s-%s" % (net.config.repo, api.tag)).replace("+", "-")
        if name == net.also:  # see rollout.py
            api.ids[crc32(name)] = id
        for x in ("", form):
            if name == ("manifest%s.json" % x).encode() or (api.tag and name == (pack + x + ".pack").encode()):
                api.ids[crc32(name)] = id

    def found(depth, key, value):
        if depth == 1 and key:
            inside[0] = key == b"assets" and value is None
            if value and key == b"tag_name":
                api.tag = str(value, "utf-8")
            elif value and key == b"id" and value.isdigit():
                api.id = int(value)
        elif inside[0] and depth == 3:
            asset(key, value, seen, keep)

    try:
        yield from use("mpota.scan").scan(net, readinto, found)
    except UnicodeError:
        raise HttpError("the answer of the API is not a release")


def asset(key, value, seen, take):
    """Take in one pair of an asset's; at its end call take(name, id) if it is whole."""
    if key in (b"id", b"name", b"state"):
        seen[key] = value
    elif key is None:
        name, id = seen.get(b"name"), seen.get(b"id", b"")
        if name and id.isdigit() and len(id) < 18 and seen.get(b"state") == b"uploaded":
            take(name, int(id))
        seen.clear()
