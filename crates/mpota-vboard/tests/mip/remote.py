# mpremote's mip; the board at the other end of its line is this folder.
import pathlib

from mpremote import mip

GITHUB = "https://raw.githubusercontent.com/"
real = mip._rewrite_url


def here(url, branch=None):
    url = real(url, branch)
    assert url.startswith(GITHUB), url
    return HOST + "/" + url[len(GITHUB) :]


class Folder:
    def fs_exists(self, path):
        return pathlib.Path(path).exists()

    def fs_mkdir(self, path):
        pathlib.Path(path).mkdir()

    def fs_writefile(self, path, data, progress_callback=None):
        pathlib.Path(path).write_bytes(data)


mip._rewrite_url = here
mip._ALLOWED_MIP_URL_PREFIXES += (HOST,)
mip._install_package(Folder(), WHAT, "", "lib", VERSION or None, True)
