"""What the readers of fuzzed inputs share: the conversation with crates/mpota-fuzz over standard
input and output, and a heap that is nearly used up."""

import gc
import sys

ballast = []


def leave(free):
    """Use up the heap, so that so many bytes are left, in pieces as small as any."""
    gc.collect()
    while gc.mem_free() > free + 1024:
        ballast.append(bytes(512))


def converse(answer, free=None):
    """Read "KIND LENGTH\\n" and so many bytes, print "= " and what answer(KIND, bytes) says, until
    the input ends; with so much of the heap, in bytes, where `free` is given."""
    if free is not None:
        leave(int(free))
    stdin = sys.stdin.buffer
    while True:
        line = stdin.readline().split()
        if not line:
            break
        try:
            said = answer(line[0], stdin.read(int(line[1])))
        except Exception as e:
            said = "raises %s: %s" % (type(e).__name__, str(e)[:90].replace("\n", " "))
        print("=", said)
        gc.collect()
