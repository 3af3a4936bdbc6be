"""mpota: where releases are: GitHub's download addresses, its API for private repositories, or any
server that answers the same paths. What was found out is kept in `net`, see http.py:

    net.base     the address of the server
    net.tag      the release's version, known as soon as the server has said it
    net.urls     where assets were found last: addresses that go out of date
    net.api      what the API has told, None where it is not asked
"""

from mpota.http import follow
from ota_updater import use


def address(net, name, tag=None):
    """Where an asset is asked for, of the release with this tag; None where the API has not told it."""
    if net.api:
        return use("mpota.assets").address(net, name)
    c = net.config
    at = tag or (c.channel if name == "manifest.json" and c.channel else net.tag)
    first = "%s/%s/releases/%s/%s" % (net.base, c.name, "download/" + at if at else c.latest, name)
    return [first, "?" + c.query] if c.query else [first]  # it may be a secret: a text of its own


def headers(net):
    return ("Accept: application/octet-stream",) if net.api else ()


def open(net, name, lines=(), moved=None):
    """In steps: open an asset, asked for with these header lines too; False where `moved` stopped it. With lines the
    answer may be a part of it (206), or that it is still the same (304)."""
    url = net.urls.get(name) or address(net, name)
    if not url:
        url = yield from use("mpota.assets").search(net, name)
    url = yield from follow(net, url, headers(net) + lines, moved)
    if url is None:
        return False
    if net.status != 200 and not (lines and net.status in (206, 304)):
        yield from use("mpota.refused").no_asset(net, name)
    if name[-5:] == ".pack":
        net.urls[name] = url
    return True
