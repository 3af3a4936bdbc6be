"""mpota: reads CONFIG, once, into what the modules need. A misspelt key is an error that names the
right one: signatures are never off by a typing error."""

from binascii import a2b_base64
from micropython import const
from mpota import Bag, Refused
from mpota.rules import is_name
from ota_updater import ROOT, OtaError

# Where nothing else is said a text is None, a flag is False. "ssid" and "password" are the template's.
_TEXTS = const("owner repo tag channel token base_url api_url latest project query ca ssid password")
_FLAGS = const(
    "repair allow_downgrade report insecure_token_over_http insecure_token_without_certificate"
    " insecure_skip_tls_verification"
)
# Name, usual value, least value: whole numbers.
_COUNTS = const((("trial_resets", 5, 1), ("trial_starts", 300, 1), ("trial_s", 600, 0), ("trial_wait_s", 7200, 0), ("retries", 3, 1)))
# Seconds, and bytes a second: any number.
_AMOUNTS = const((("timeout_s", 20), ("deadline_s", 1800), ("min_rate", 50)))
_MOST = const(1000000)


def _nearest(key, known):
    """The name that shares the most letters with `key`, and pairs of them: two may be exchanged."""
    best, most = "", -100
    key = str(key).lower()
    for name in known:
        n = (name[:1] == key[:1]) - 2 * abs(len(name) - len(key))
        for i in range(len(name)):
            n += 2 if name[i : i + 2] in key else 1 if name[i] in key else 0
        if n > most:
            best, most = name, n
    return best


def _check_keys(given, known, where):
    if not isinstance(given, dict):
        raise OtaError("%s is not a dict" % where)
    for key in given:
        if key not in known:
            raise OtaError("%s: no such key: %r; did you mean %r?" % (where, key, _nearest(key, known)))


def start(given):
    """(CONFIG, the trusted keys), both checked before anything else: a version that cannot say whom it
    trusts is not to be confirmed."""
    config = read(given)
    config.keys_file = config.keys.lstrip("/") if isinstance(config.keys, str) else None
    return config, _trusted(config)


def read(given):
    """CONFIG, checked. The attributes of what comes back are the keys of docs/config.md, and `name`:
    OWNER/REPO."""
    c = Bag()
    _check_keys(given, (_TEXTS + " " + _FLAGS + " keys limits headers feed progress").split(), "CONFIG")
    for key in _TEXTS.split():
        value = given.get(key)
        if value is not None and not isinstance(value, str):
            raise OtaError("CONFIG: %s is not a text" % key)
        if value:
            setattr(c, key, value)
    if not c.owner or not c.repo:
        raise OtaError("CONFIG: owner and repo are needed: https://github.com/OWNER/REPO")
    for key in _FLAGS.split():
        value = given.get(key)
        if value not in (None, False, True):  # a text "False" would be true
            raise OtaError("CONFIG: %s is neither True nor False" % key)
        if value:
            setattr(c, key, True)
    c.told = given  # "progress" is looked up there
    for key in ("feed", "progress"):
        if given.get(key) is not None and not callable(given[key]):
            raise OtaError("CONFIG: %s cannot be called: a function is needed" % key)
    c.keys = given.get("keys")
    if c.keys == [] or c.keys == ():
        c.keys = None  # said so; anything else is meant to be keys
    _limits(c, given.get("limits") or {})
    if given.get("headers"):
        c.headers = given["headers"]  # see own.py
    c.name = "%s/%s" % (c.owner, c.repo)
    c.latest = c.latest or "latest/download"
    c.base_url = c.base_url and c.base_url.rstrip("/")
    if c.channel and (c.tag or not is_channel(c.channel)):
        raise OtaError("channel: a word like beta, and no tag beside it")
    return c


def is_channel(s):
    """Whether s names a channel: a word of a-z 0-9 -, and none that means something else."""
    if not is_name(s, 32, b"-") or s.lower() != s or s[:1] == "-" or s[:1].isdigit():
        return False
    return s not in ("latest", "stable", "main", "master", "rollout")


def _limits(c, given):
    _check_keys(given, [x[0] for x in _COUNTS + _AMOUNTS], "limits")
    for key, usual, least in _COUNTS:
        n = given.get(key, usual)
        if not isinstance(n, int) or not least <= n <= _MOST:
            raise OtaError("limits: %s is not a number from %d to %d" % (key, least, _MOST))
        setattr(c, key, n)
    for key, usual in _AMOUNTS:
        n = given.get(key, usual)
        if not isinstance(n, (int, float)) or not 0 <= n <= _MOST:
            raise OtaError("limits: %s is not a number from 0 to %d" % (key, _MOST))
        setattr(c, key, n)


def _trusted(config):
    """The public keys, lines as in authorized_keys; None where no signature is asked for. Raises
    Refused where keys are set and none is found: no keys would mean to take anything."""
    if config.keys is None:
        return None
    keys = config.keys
    try:
        if isinstance(keys, str):
            with open(ROOT + config.keys_file) as f:
                keys = _good(f)
        else:
            keys = _good(keys)
    except (OSError, UnicodeError, TypeError, AttributeError):
        keys = None
    if not keys:
        raise Refused("no keys in %s: every release is refused" % (config.keys,))
    return keys


def _good(lines):
    """Those of the lines that are keys."""
    out = []
    for line in lines:
        parts = line.split()
        try:
            if len(parts) > 1 and parts[0] == "ssh-ed25519" and len(a2b_base64(parts[1])) == 51:
                out.append(line)
        except ValueError:
            pass
    return out
