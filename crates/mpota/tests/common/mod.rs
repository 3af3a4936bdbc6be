//! A scratch app, and the real programs that the tests call.

#![allow(clippy::unwrap_used, reason = "what cannot go on here is a failed test")]
#![allow(dead_code, reason = "each test file uses its part")]

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

pub mod answers;
pub mod hub;

/// `mpota` with nothing of the caller's environment that could change what it does.
pub fn mpota() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mpota"));
    command.env_remove("SOURCE_DATE_EPOCH").env_remove("MPOTA_KEY_PASSPHRASE");
    command.env_remove("SSH_AUTH_SOCK");
    for name in ["MPOTA_TOKEN", "GH_TOKEN", "GITHUB_TOKEN", "GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"]
    {
        command.env_remove(name);
    }
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
    command.stdin(std::process::Stdio::null());
    command
}

/// What a finished program said.
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().expect("ended by a signal"),
            out: String::from_utf8(output.stdout).expect("UTF-8"),
            err: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }
}

impl Said {
    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.code, 0, "{}", self.err);
        self
    }

    /// It ended with exit code 1, an error of one line with a code, and said all of `words`.
    #[track_caller]
    pub fn refused(self, words: &[&str]) -> Self {
        assert_eq!(self.code, 1, "{}{}", self.out, self.err);
        assert_eq!(self.err.matches("error[").count(), 1, "{}", self.err);
        for word in words {
            assert!(self.err.contains(word), "no {word:?} in: {}", self.err);
        }
        self
    }
}

pub trait Run {
    fn said(&mut self) -> Said;
}

impl Run for Command {
    fn said(&mut self) -> Said {
        self.output().expect("it starts").into()
    }
}

/// A program that must be installed.
pub fn program(name: &str, package: &str) -> Command {
    match Command::new(name).arg("-?").output() {
        Ok(_) => Command::new(name),
        Err(error) => panic!("cannot run {name} ({error}): install {package}"),
    }
}

pub fn ssh_keygen() -> Command {
    program("ssh-keygen", "openssh-client")
}

/// A folder with an app in it.
pub struct App {
    folder: TempDir,
}

impl App {
    /// `mpota.toml`, `boot.py`, `main.py` and `lib/util.py`.
    pub fn new() -> Self {
        let app = Self::empty();
        app.write("mpota.toml", "project = \"octo/weather\"\n");
        app.write("boot.py", "import ota_updater\nota_updater.boot()\n");
        let looks = "import ota_updater\nota_updater.update({})\nota_updater.confirm()\n";
        app.write("main.py", "print('hello, this is a line that comes again')\n".repeat(50) + looks);
        app.write("lib/util.py", "def add(a, b):\n    return a + b\n");
        app
    }

    pub fn empty() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    pub fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(path)
    }

    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub fn append(&self, path: &str, content: &str) {
        let before = fs::read_to_string(self.path(path)).unwrap();
        self.write(path, before + content);
    }

    pub fn read(&self, path: &str) -> Vec<u8> {
        fs::read(self.path(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    pub fn text(&self, path: &str) -> String {
        String::from_utf8(self.read(path)).unwrap()
    }

    pub fn remove(&self, path: &str) {
        fs::remove_file(self.path(path)).unwrap();
    }

    /// `mpota` with these arguments, in the app's folder.
    pub fn mpota<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Command {
        let mut command = mpota();
        command.args(arguments).current_dir(self.folder.path());
        command
    }

    pub fn run(&self, arguments: &str) -> Said {
        self.mpota(arguments.split_whitespace()).said()
    }

    /// The paths of the release in `dist`.
    pub fn released(&self) -> Vec<String> {
        let manifest = mpota::release::dist::read_manifest(&self.path("dist/manifest.json")).unwrap();
        manifest.files.into_iter().map(|file| file.path).collect()
    }

    /// The names in the app's folder itself, hidden ones and folders too.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.path(""))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// Every file below a folder, with its content.
    pub fn tree(&self, folder: &str) -> Vec<(String, Vec<u8>)> {
        fn walk(root: &Path, folder: &Path, found: &mut Vec<(String, Vec<u8>)>) {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(root, &path, found);
                } else {
                    let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                    found.push((name, fs::read(&path).unwrap()));
                }
            }
        }
        let mut found = Vec::new();
        walk(&self.path(folder), &self.path(folder), &mut found);
        found.sort();
        found
    }

    pub fn git(&self, arguments: &str) {
        let said = Command::new("git")
            .args(["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"])
            .args(arguments.split_whitespace())
            .current_dir(self.folder.path())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_SYSTEM", "/dev/null")
            .env("GIT_COMMITTER_DATE", "1700000000 +0000")
            .output()
            .unwrap_or_else(|error| panic!("cannot run git ({error}): install git"));
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    }

    /// The app as a git repository with one commit.
    pub fn commit_all(&self) {
        self.git("init -q -b main");
        self.git("add -A");
        self.git("commit -q -m first");
    }
}
