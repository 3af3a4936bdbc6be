# In front of update.py: how far the C library's own heap has grown at the end. Mbed TLS lives there and
# not in MicroPython's heap. Started with tunables under which that heap grows page by page and never shrinks.
import ffi

brk = ffi.open("libc.so.6").func("L", "sbrk", "i")
first = brk(0)
