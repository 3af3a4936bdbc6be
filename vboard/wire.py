"""The prompt of a board that somebody works at by a serial line: crates/mpota-vboard/src/wire.py speaks the
protocol of the raw REPL with that somebody, and has each piece of code run here.

What is for the relay alone is a line that begins with a zero byte.
"""

import sys

SOFT, SOFT_RAW = 11, 18


def tell(text):
    sys.stdout.write("\0" + text + "\n")


def serve(scope):
    """Run what comes, until a restart is asked for. Returns how the board ends."""
    while True:
        try:
            tell("idle")
            end = _one(scope)
            if end:
                return end
        except KeyboardInterrupt:  # nothing runs
            pass


def _one(scope):
    read = sys.stdin.buffer.read
    head = b""
    while head[-1:] != b"\n":
        byte = read(1)
        if not byte:
            return 12
        head += byte
    if head == b"soft\n":
        return SOFT
    if head == b"raw\n":
        return SOFT_RAW
    code, error = read(int(head)), None
    try:
        exec(compile(code, "<stdin>", "exec"), scope)
    except SystemExit:
        return SOFT
    except BaseException as e:
        error = e
    sys.stdout.write("\4")
    if error:
        sys.print_exception(error, sys.stdout)
    sys.stdout.write("\4")
