# MicroPython's mip, in a folder that is the board's flash.
import mip

GITHUB = "https://raw.githubusercontent.com/"
real = mip._rewrite_url


def here(url, branch=None):
    if RELATIVE and ":" not in url:
        url = WHAT + "/" + url
    url = real(url, branch)
    if url.startswith(GITHUB):
        return HOST + "/" + url[len(GITHUB) :]
    return url


mip._rewrite_url = here
mip.install(WHAT, target="lib", version=VERSION or None)
