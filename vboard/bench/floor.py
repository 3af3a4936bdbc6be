# The floor: a plain download of the changed files with one request. The body has a line "SIZE PATH" and the content of
# each changed file. Files are overwritten; nothing is checked or kept. URL is set in front of this.
import socket

scheme, _, at, path = URL.split("/", 3)
host, port = at.split(":")
s = socket.socket()
s.connect(socket.getaddrinfo(host, int(port))[0][-1])
if scheme == "https:":
    import tls

    context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
    context.verify_mode = tls.CERT_NONE
    s = context.wrap_socket(s, server_hostname=host)
s.write("GET /%s HTTP/1.0\r\nHost: %s\r\n\r\n" % (path, at))
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
