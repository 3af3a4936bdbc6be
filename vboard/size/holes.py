# Leave no free memory but holes of HOLE bytes each (set in front of this). Allocations go to the lowest
# place that fits, so that a hole and a small object that stays take turns up to the end of the heap.
# HOLE is a multiple of 16, the block of a 32-bit heap: the bytearray's own block and that of the tuple
# that holds it are part of the hole.
def fragment(hole):
    holes = pins = ()
    for _ in range(4000):  # first the gaps that are there, or the small objects would gather in them
        pins = (pins,)
    try:
        while True:
            holes = (holes, bytearray(hole - 32))
            pins = (pins,)
    except MemoryError:
        pass
    try:
        while True:  # what is left is smaller than a hole
            pins = (pins,)
    except MemoryError:
        return pins


import gc

gc.collect()
pins = fragment(HOLE)
gc.collect()
print("holes", HOLE)
