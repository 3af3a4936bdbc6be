print("libc", brk(0) - first)
