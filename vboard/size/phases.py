# In front of update.py: what is in use as each module of the updater (OURS, set in front of this) is
# loaded, and what loading it takes by itself. An import that runs inside of another counts for itself.
def watch():
    import builtins
    import gc
    import sys

    import standin

    real = standin.hook  # what is read of builtins is the firmware's own
    inner = [0]
    order = [0]

    def used():
        gc.collect()
        return gc.mem_alloc() - base

    def traced(name, *more):
        if name not in OURS or name in sys.modules:
            return real(name, *more)
        n = order[0]
        order[0] += 1
        before = used()
        inner.append(0)
        module = real(name, *more)
        took = used() - before
        print("load", n, name, before, took - inner.pop())
        inner[-1] += took
        return module

    builtins.__import__ = traced
    gc.collect()
    base = gc.mem_alloc()
    return used


used = watch()
