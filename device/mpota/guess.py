"""mpota: a guess where the pack is, made while the server is still connected that knows it."""

from mpota.body import drop
from mpota.http import join, request, split
from mpota.source import address, headers, pack_name


def guess(net, url):
    """In steps: before this host is left, learn where the pack is, on the same connection."""
    name = pack_name(net)
    asked = address(net, name)
    if asked and split(asked)[0] == split(url)[0]:
        yield from request(net, asked, headers(net))
        to = net.head.get(b"location")
        if net.status in (301, 302, 303, 307, 308) and to:
            net.urls[name] = join(asked, to)
        yield from drop(net)
