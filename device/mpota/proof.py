"""mpota: what a version on trial has to prove when its app calls update(): that it can be updated again."""

from mpota import HttpError, Refused
from mpota.update import done
from ota_files import line
from ota_updater import HOME, OtaError, log, use

# Those that a trial may do without, too: what the next update needs depends on the server and the files.
_PHASES = (
    "start config clock pause seen seek ask redirect want fit by_hand header api scan assets refused accept sign ed25519 manifest"
    " check compare parts plan puts aside rom stage take fetch ranges inflate pieces chunks framing trouble tls rollout turn who own report"
)


def prove(config):
    """In steps: the server was reached, by these settings the release is for this board, and every phase loads."""
    # The app may confirm between two steps, and then this file is gone: read it in the first.
    with open(HOME + "new/manifest.json", "rb") as f:
        header = use("mpota.header").read_header(line(f, 1024))
    use("mpota.fit").fits_board(config, header)
    for name in _PHASES.split():
        _load("mpota." + name)
        done()
        yield 0
    try:
        yield from _contact(config)
    except OtaError as e:
        if config.tag or config.offered in (None, header["version"]):
            raise
        # The server named another release, and that one is of no use: somebody else's fault. That these settings
        # find releases of this app is shown by the own one.
        log("W", "%s" % e)
        config.tag = header["version"]
        yield from _contact(config)
    _load("ota_rescue")  # the last: what it imports stays to the end
    return None


def _contact(config):
    """In steps: reach the server. What it says of the release that it has found is no fault of this version."""
    try:
        net = yield from use("mpota.seek").seek(config)
        if net:
            use("mpota.body").close(net)
    except (Refused, HttpError) as e:
        if isinstance(e, HttpError) and not e.wait:
            raise
        log("W", "%s" % e)


def _load(name):
    try:
        use(name)
    except ImportError as e:
        raise OtaError("the updater of the new version does not import: %s" % e)
