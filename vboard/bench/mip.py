# The same files from the same server with MicroPython's own installer. PACKAGE, the address of package.json, is set in
# front of this.
import mip

mip.install(PACKAGE, target=".")
