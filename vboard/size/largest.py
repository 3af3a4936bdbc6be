# Behind holes.py: the largest allocation that succeeds, to see that the holes are what they should be.
def largest():
    size = 16
    try:
        while True:
            bytearray(size)
            size += 16
    except MemoryError:
        return size - 16


print("largest", largest())
