# How much of the heap an ordinary boot keeps for good. The names exist before, so that the dictionary
# they stand in does not grow in between; what stands in for `machine` is in the firmware on a board.
# names.py comes before: the interpreter's table of names, which doubles, is then large enough for all.
before = ota_updater = ota_main = None
import time

gc.collect()
before = gc.mem_alloc()
import standin

gc.collect()
print("stand-in", gc.mem_alloc() - before)
us = time.ticks_us()
before = gc.mem_alloc()
import ota_updater

ota_updater.boot()
us = time.ticks_diff(time.ticks_us(), us)
gc.collect()
print("kept", gc.mem_alloc() - before)
print("us", us)
before = gc.mem_alloc()
import ota_main

gc.collect()
print("main", gc.mem_alloc() - before)
