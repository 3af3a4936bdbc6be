# The interpreter's own part in the largest allocation: its table of names (qstr) doubles, whatever module
# brings them. This makes COUNT of them (set in front of this), and keeps nothing else.
for n in range(COUNT):
    getattr(gc, "n%d" % n, None)
print("named", COUNT)
