//! Where one case is measured: two releases, servers that have them, and folders that are a board's flash.

use super::corpus::{Change, Corpus, VERSIONS};
use super::wire::{Link, Wire};
use crate::size::place::{package, script, script_of};
use anyhow::Result;
use mpota::release::keys::{self, SigningKey};
use mpota_serve::{Options, Server};
use mpota_vboard::bench::{Agent, Bench, OWNER, Release, compile, config};
use std::net::SocketAddr;
use std::path::PathBuf;

/// What is updated, and what does it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// The updater.
    Updater,
    /// MicroPython's own installer.
    Mip,
    /// A plain download of what has changed.
    Floor,
}

impl Subject {
    /// All of them.
    pub const ALL: [Subject; 3] = [Self::Updater, Self::Mip, Self::Floor];

    /// Its name in JSON and in tables.
    pub fn key(self) -> &'static str {
        match self {
            Self::Updater => "updater",
            Self::Mip => "mip",
            Self::Floor => "floor",
        }
    }
}

/// One case, with its servers.
pub struct Place {
    bench: Bench,
    key: String,
    /// As GitHub: redirects to another host. The updater asks this one.
    github: Server,
    /// As a plain mirror, of the same folder: `mip` follows no redirect whose header is in small letters.
    mirror: Server,
    /// How many files differ, and their bytes.
    pub changed: (u64, u64),
}

impl Place {
    /// Build the releases and start the servers.
    pub fn new(corpus: &Corpus, change: Change) -> Result<Self> {
        let bench = Bench::new()?;
        let keys = tempfile::tempdir()?;
        let key = keys::create(&keys.path().join("key"), "bench", None)?.line;
        let signing = SigningKey::load(&keys.path().join("key"), &mut |_| Ok(String::new()))?;
        let [old, new] = corpus.versions(change)?;
        let releases = if change == Change::Nothing { &VERSIONS[..1] } else { &VERSIONS[..] };
        for (version, app) in releases.iter().zip([&old, &new]) {
            let mut release = Release::new(version, app.clone());
            release.key = Some(signing.clone());
            bench.publish(&release)?;
        }
        let for_mip = bench.releases().join(OWNER).join("mip").join("v1");
        let for_floor = bench.releases().join(OWNER).join("floor").join("v1");
        std::fs::create_dir_all(&for_mip)?;
        std::fs::create_dir_all(&for_floor)?;
        let mut body = Vec::new();
        let mut changed = (0, 0);
        for (path, content) in new.0.iter().filter(|(path, content)| old.0.get(*path) != Some(content)) {
            body.extend_from_slice(format!("{} {path}\n", content.len()).as_bytes());
            body.extend_from_slice(content);
            changed = (changed.0 + 1, changed.1 + content.len() as u64);
        }
        std::fs::write(for_floor.join("changed"), body)?;
        let github = Server::start(Options {
            asset_host: Some(super::wire::ADDRESS.to_string()),
            ..Options::new(bench.releases())
        })?;
        let mirror = Server::start(Options { redirects: false, ..Options::new(bench.releases()) })?;
        let place = Self { bench, key, github, mirror, changed };
        package(&for_mip, &new, "v1", &format!("http://{}{}", at(&place.mirror), path("mip", "")))?;
        Ok(place)
    }

    /// Proxies in front of the servers, without which nobody reaches them.
    pub fn wire(&self, link: Option<Link>) -> Result<Wire> {
        Wire::before(&[self.github.address(), self.github.asset_address(), self.mirror.address()], link)
    }

    /// What runs one update by this subject, on a folder of the host: a script of `vboard/bench`, with its addresses.
    pub fn script(&self, subject: Subject) -> Result<String> {
        let (head, name) = match subject {
            Subject::Updater => (format!("BASE = 'http://{}'\n", at(&self.github)), "update.py"),
            Subject::Mip => {
                let url = format!("http://{}{}", at(&self.mirror), path("mip", "package.json"));
                (format!("PACKAGE = '{url}'\n"), "mip.py")
            }
            Subject::Floor => {
                let (host, port) = (at(&self.mirror).ip(), at(&self.mirror).port());
                let path = path("floor", "changed");
                (format!("HOST, PORT, PATH = '{host}', {port}, '{path}'\n"), "floor.py")
            }
        };
        Ok(head + &script_of("bench", name)?)
    }

    /// A folder with all that lies on the board: the old version, the updater, and the board's own files.
    pub fn folder(&self) -> Result<PathBuf> {
        // What confirms a version on a folder of the host, see size::run::Task::Install.
        let life = "import ota_updater\nota_updater.confirm()\nraise SystemExit(4)\n";
        let stub = compile(script("standin.py")?.as_bytes())?;
        self.lay_out(&[("life.py", life.as_bytes()), ("lib/standin.mpy", &stub)])
    }

    /// The same for a virtual board, which does by itself what the subject does.
    pub fn board(&self, subject: Subject) -> Result<PathBuf> {
        let mut code = self.script(subject)?;
        if subject == Subject::Updater {
            let base = code.lines().next().unwrap_or_default().to_owned();
            code = format!("{base}\n{}", script_of("bench", "life.py")?);
            return self.lay_out(&[("life.py", code.as_bytes())]);
        }
        // The app of the new version is not started: that is no part of an installation by these two.
        code.push_str("import machine\nmachine.deepsleep(1)\n");
        self.lay_out(&[("life.py", code.as_bytes())])
    }

    fn lay_out(&self, own: &[(&str, &[u8])]) -> Result<PathBuf> {
        let trusted = format!("[{:?}]", self.key);
        let settings = config(&[("keys", &trusted)]);
        let mut all = vec![("secrets.py", settings.as_bytes())];
        all.extend_from_slice(own);
        Ok(self.bench.board_folder(VERSIONS[0], Agent::Mpy, &all)?)
    }
}

/// Where a server is reached through its proxy.
fn at(server: &Server) -> SocketAddr {
    SocketAddr::from((super::wire::ADDRESS, server.address().port()))
}

fn path(repo: &str, asset: &str) -> String {
    format!("/{OWNER}/{repo}/releases/download/v1/{asset}")
}
