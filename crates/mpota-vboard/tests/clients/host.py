"""A web server that knows nothing of releases. `gitea`: like Gitea and Forgejo it has no address for
the latest release."""

import sys
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

ROOT, KIND = sys.argv[1:]


class Host(SimpleHTTPRequestHandler):
    def __init__(self, *args):
        super().__init__(*args, directory=ROOT)

    def send_head(self):
        if KIND == "gitea" and "/releases/latest/" in self.path:
            return self.send_error(404)
        return super().send_head()

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Host)
print(server.server_port, flush=True)
server.serve_forever()
