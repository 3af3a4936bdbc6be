"""Makes an archive of each wheel: the program, its man pages and completions, README and licence.

    python3 archives.py WHEELS ARCHIVES

For who has no Python. The pages and completions are written by the program for this computer, which is among the
wheels: they are the same for all.
"""

import io
import pathlib
import stat
import subprocess
import sys
import tarfile
import tempfile
import zipfile

# The end of a wheel's name, and what people call that.
SYSTEMS = {
    "manylinux": "linux",
    "musllinux": "linux-musl",
    "macosx": "macos",
    "win": "windows",
}
SHELLS = {"bash": "mpota.bash", "zsh": "_mpota", "fish": "mpota.fish", "powershell": "_mpota.ps1"}


def system(wheel):
    """`linux-x86_64` of `mpota-0.1.0-py3-none-manylinux_2_17_x86_64.whl`."""
    platform = wheel.stem.split("-")[-1].split(".")[0]
    name = next(name for start, name in SYSTEMS.items() if platform.startswith(start))
    processor = "aarch64" if platform.endswith(("aarch64", "arm64")) else "x86_64"
    assert platform.endswith((processor, "arm64", "amd64")), platform
    return name + "-" + processor


def program(wheel):
    """Name and bytes of the program in a wheel."""
    with zipfile.ZipFile(wheel) as z:
        (path,) = [n for n in z.namelist() if ".data/scripts/" in n]
        return path.rsplit("/")[-1], z.read(path)


def shared(wheel):
    """The files that are the same in all archives, by the program in this wheel."""
    files = {name: pathlib.Path(name).read_bytes() for name in ("README.md", "LICENSE", "CHANGELOG.md")}
    with tempfile.TemporaryDirectory() as folder:
        name, content = program(wheel)
        here = pathlib.Path(folder, name)
        here.write_bytes(content)
        here.chmod(0o755)
        subprocess.run([here, "man", pathlib.Path(folder, "man")], check=True)
        for page in sorted(pathlib.Path(folder, "man").iterdir()):
            files["man/man1/" + page.name] = page.read_bytes()
        for shell, file in SHELLS.items():
            files["completions/" + file] = subprocess.run(
                [here, "completions", shell], check=True, capture_output=True
            ).stdout
    return files


def write_tar(path, files, programs):
    with tarfile.open(path, "w:gz") as t:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            info.mode = 0o755 if name in programs else 0o644
            t.addfile(info, io.BytesIO(content))


def write_zip(path, files, programs):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = (stat.S_IFREG | (0o755 if name in programs else 0o644)) << 16
            z.writestr(info, content, zipfile.ZIP_DEFLATED)


def main():
    wheels, out = sorted(pathlib.Path(sys.argv[1]).glob("*.whl")), pathlib.Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    ours = next(w for w in wheels if system(w) == "linux-x86_64")
    rest = shared(ours)
    for wheel in wheels:
        name, content = program(wheel)
        folder = "-".join(["mpota", wheel.name.split("-")[1], system(wheel)])
        files = {folder + "/" + path: data for path, data in {name: content, **rest}.items()}
        write, end = (write_zip, ".zip") if name.endswith(".exe") else (write_tar, ".tar.gz")
        write(out / (folder + end), files, {folder + "/" + name})
        print(out / (folder + end))


main()
