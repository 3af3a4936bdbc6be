"""mpota: semantic versions, and the names of channels."""

from mpota.rules import is_name


def is_number(s):
    """Whether s is a number of at most 9 digits without leading zeros."""
    return 0 < len(s) <= 9 and s.isdigit() and (s == "0" or s[:1] != "0")


def is_channel(s):
    """Whether s names a channel: a word of a-z 0-9 -, and none that means something else."""
    if not is_name(s, 32, b"-") or s.lower() != s or s[:1] == "-" or s[:1].isdigit():
        return False
    return s not in ("latest", "stable", "main", "master")


def parse_version(s):
    """A semantic version as ([major, minor, patch], prerelease parts), or None."""
    if not isinstance(s, str) or len(s) > 64:
        return None
    s = s[1:] if s[:1] == "v" else s
    build = s.split("+", 1)
    pre = build[0].split("-", 1)
    core = pre[0].split(".")
    if len(core) != 3 or not all([is_number(x) for x in core]):
        return None
    pre = pre[1].split(".") if len(pre) > 1 else []
    for part in pre + (build[1].split(".") if len(build) > 1 else []):
        if not is_name(part, 64, b"-"):
            return None
    for part in pre:
        if part.isdigit() and not is_number(part):
            return None
    return [int(x) for x in core], pre


def compare(a, b):
    """-1, 0, 1: the order of two valid versions by semver precedence; "" is below all."""
    if not a or not b:
        return (1 if a else 0) - (1 if b else 0)
    (x, p), (y, q) = parse_version(a), parse_version(b)
    if x != y:
        return -1 if x < y else 1
    if not p or not q:
        return (0 if p else 1) - (0 if q else 1)
    for i in range(min(len(p), len(q))):
        m, n = p[i], q[i]
        if m != n:
            if m.isdigit() and n.isdigit():
                return -1 if int(m) < int(n) else 1
            if m.isdigit() != n.isdigit():
                return -1 if m.isdigit() else 1
            return -1 if m < n else 1
    return (len(p) > len(q)) - (len(p) < len(q))
