# The same files from the same server with MicroPython's own installer.
import mip

mip.install(PACKAGE, target="installed")
