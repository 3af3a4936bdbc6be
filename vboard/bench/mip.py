# The same files from the same server with MicroPython's own installer. In front of this stands PACKAGE, the address of
# its package.json.
import mip

mip.install(PACKAGE, target=".")
