"""mpota: where the API has the assets of a release. Two it has named with the release. For others the ids of
all go into a file, 4 bytes CRC32 of the name and 8 of the id each."""

import os
from mpota.body import drop, readinto
from mpota import HttpError
from ota_files import crc32, kind
from ota_updater import HOME, ROOT, OtaError, use

_IDS = HOME + "new/ids"


def address(net, name):
    """Where an asset is asked for; None where its id is not known."""
    crc = crc32(name.encode())
    id = net.api.ids.get(crc) or (net.api.listed and _find(crc))
    return ["%s/assets/%d" % (net.api.url, id)] if id else None


def _find(crc):
    entry = bytearray(12)
    with open(_IDS, "rb") as f:
        while f.readinto(entry) == 12:
            if int.from_bytes(entry[:4], "big") == crc:
                return int.from_bytes(entry[4:], "big")


def search(net, name):
    """In steps: where this asset of a release is asked for, wherever in the list it stands."""
    yield from _look_up(net)
    url = address(net, name)
    if not url and not net.api.listed:
        yield from _list(net)
        url = address(net, name)
    if not url:
        raise OtaError("release %s of %s has no asset %s" % (net.tag, net.config.name, name))
    return url


def prepare(net):
    """In steps: learn where all assets are, while there is room for it: before the files are fetched."""
    yield from _look_up(net)
    if not net.api.listed:
        yield from _list(net)


def _look_up(net):
    if net.api.tag != net.tag:
        yield from use("mpota.api").look_up(net, net.tag)


def _list(net):
    for name in (".ota", ".ota/new"):
        if not kind(ROOT + name):
            os.mkdir(ROOT + name)
    with open(_IDS, "wb") as f:

        def take(name, id):
            f.write(crc32(name).to_bytes(4, "big") + id.to_bytes(8, "big"))

        for page in range(1, 11):  # of 100: GitHub's limit for a release
            if (yield from _page(net, page, take)) < 100:
                break
    net.api.listed = True


def _page(net, page, take):
    """In steps: how many assets a page of the list has."""
    status = yield from use("mpota.api").get(net, "/%d/assets?per_page=100&page=%d" % (net.api.id, page))
    if status != 200:
        host = net.at and net.at[1]
        yield from use("mpota.refused").limited(net, host)
        yield from drop(net)
        e = HttpError("%s answers %d for the list of assets" % (host, status))
        e.status = status
        raise e
    seen, count, asset = {}, [0], use("mpota.api").asset

    def found(depth, key, value):
        if depth == 2:
            count[0] += key is None
            if count[0] > 100:
                raise HttpError("more assets on a page than were asked for")
            asset(key, value, seen, take)

    yield from use("mpota.scan").scan(net, readinto, found)
    yield from drop(net)
    return count[0]
