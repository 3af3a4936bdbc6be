# The least that any update does: one connection, one request, and a body with nothing in it but the files that have
# changed, each behind a line "SIZE PATH". They are written over the old ones; nothing is checked, and nothing can be
# undone. In front of this stand HOST, PORT and PATH.
import socket

s = socket.socket()
s.connect(socket.getaddrinfo(HOST, PORT)[0][-1])
s.write("GET %s HTTP/1.0\r\nHost: %s:%d\r\n\r\n" % (PATH, HOST, PORT))
if b" 200 " not in s.readline():
    raise OSError("the server does not have the changed files")
while s.readline() != b"\r\n":
    pass
b = memoryview(bytearray(1024))
files = 0
while True:
    head = s.readline()
    if not head:
        break
    size, path = head.split(None, 1)
    left = int(size)
    with open(path.rstrip().decode(), "wb") as f:
        while left:
            n = s.readinto(b[: min(left, 1024)])
            if not n:
                raise OSError("the answer is cut short")
            f.write(b[:n])
            left -= n
    files += 1
s.close()
print("written", files)
