# After update.py: how many names the interpreter had to learn.
import micropython

micropython.qstr_info()
