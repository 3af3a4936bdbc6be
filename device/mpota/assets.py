"""mpota: the assets of a release that the API did not name with it: the ids of all of them go into a
file, 4 bytes CRC32 of the name and 8 of the id each."""

import os
from mpota.api import address, asset, get, look_up
from mpota.body import drop, readinto
from mpota import HttpError
from ota_files import crc32, kind
from ota_updater import HOME, ROOT, OtaError, use

_IDS = HOME + "new/ids"


def find(crc):
    """The id of the asset whose name has this CRC32, or None."""
    entry = bytearray(12)
    with open(_IDS, "rb") as f:
        while f.readinto(entry) == 12:
            if int.from_bytes(entry[:4], "big") == crc:
                return int.from_bytes(entry[4:], "big")


def search(net, name):
    """Where this asset of a release is asked for, wherever in the list it stands."""
    if net.api.tag != net.tag:
        look_up(net, net.tag)
    url = address(net, name)
    if not url and not net.api.listed:
        _list(net)
        url = address(net, name)
    if not url:
        raise OtaError("release %s of %s has no asset %s" % (net.tag, net.config.name, name))
    return url


def _list(net):
    for name in (".ota", ".ota/new"):
        if not kind(ROOT + name):
            os.mkdir(ROOT + name)
    with open(_IDS, "wb") as f:

        def take(name, id):
            f.write(crc32(name).to_bytes(4, "big") + id.to_bytes(8, "big"))

        for page in range(1, 11):  # of 100: GitHub's limit for a release
            if _page(net, page, take) < 100:
                break
    net.api.listed = True


def _page(net, page, take):
    """How many assets a page of the list has."""
    status = get(net, "/%d/assets?per_page=100&page=%d" % (net.api.id, page))
    if status != 200:
        host = net.at and net.at[1]
        drop(net)
        e = HttpError("%s answers %d for the list of assets" % (host, status))
        e.status = status
        raise e
    seen = {}
    count = [0]

    def found(depth, key, value):
        if depth == 2:
            count[0] += key is None
            if count[0] > 100:
                raise HttpError("more assets on a page than were asked for")
            asset(key, value, seen, take)

    use("mpota.scan").scan(net, readinto, found)
    drop(net)
    return count[0]
