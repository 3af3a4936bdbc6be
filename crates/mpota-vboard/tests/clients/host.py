"""A web server that knows nothing of releases. `gitea`: with the one thing that Gitea's and Forgejo's
download addresses have besides: the tag `latest` stands for the newest release, and there is no
other address for it."""

import os
import sys
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

ROOT, KIND = sys.argv[1:]


class Host(SimpleHTTPRequestHandler):
    def __init__(self, *args):
        super().__init__(*args, directory=ROOT)

    def send_head(self):
        if KIND == "gitea":
            if "/releases/latest/" in self.path:
                return self.send_error(404)
            folder, mark, name = self.path.partition("/releases/download/latest/")
            if mark:
                tags = sorted(os.listdir(ROOT + folder + "/releases/download"))
                self.path = "%s/releases/download/%s/%s" % (folder, tags[-1], name)
        return super().send_head()

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Host)
print(server.server_port, flush=True)
server.serve_forever()
