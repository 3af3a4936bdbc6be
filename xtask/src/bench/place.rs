//! The releases, servers and boards of one case.

use super::corpus::{Change, Corpus, VERSIONS};
use super::wire::{ADDRESS, Link, Wire};
use crate::size::place::{package, script, script_of};
use anyhow::{Context, Result};
use mpota::release::keys::{self, SigningKey};
use mpota_serve::{Options, Server, Tls};
use mpota_vboard::bench::{Agent, Bench, OWNER, Release, compile, config};
use ssh_key::LineEnding;
use ssh_key::private::{Ed25519Keypair, KeypairData, PrivateKey};
use std::path::PathBuf;

/// What does the update.
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

/// http or https.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Without TLS.
    Http,
    /// With TLS. The updater checks the certificate; `mip` does not.
    Https,
}

/// Two servers of the same folder.
struct Servers {
    /// As GitHub: redirects to another host. The updater asks this one.
    github: Server,
    /// As a plain mirror: `mip` does not follow redirects with a lower-case `location:`.
    mirror: Server,
}

/// One case, with its servers.
pub struct Place {
    bench: Bench,
    key: String,
    http: Servers,
    https: Servers,
    /// How many files differ, and their bytes.
    pub changed: (u64, u64),
}

impl Place {
    /// Build the releases and start the servers.
    pub fn new(corpus: &Corpus, change: Change) -> Result<Self> {
        let bench = Bench::new()?;
        let (signing, key) = fixed_key()?;
        let [old, new] = corpus.versions(change)?;
        let releases = if change == Change::Nothing { &VERSIONS[..1] } else { &VERSIONS[..] };
        for (version, app) in releases.iter().zip([&old, &new]) {
            let mut release = Release::new(version, app.clone());
            release.key = Some(signing.clone());
            bench.publish(&release)?;
        }
        let for_floor = bench.releases().join(OWNER).join("floor").join("v1");
        std::fs::create_dir_all(&for_floor)?;
        let mut body = Vec::new();
        let mut changed = (0, 0);
        for (path, content) in new.0.iter().filter(|(path, content)| old.0.get(*path) != Some(content)) {
            body.extend_from_slice(format!("{} {path}\n", content.len()).as_bytes());
            body.extend_from_slice(content);
            changed = (changed.0 + 1, changed.1 + content.len() as u64);
        }
        std::fs::write(for_floor.join("changed"), body)?;
        let (http, https) = (Servers::start(&bench, Scheme::Http)?, Servers::start(&bench, Scheme::Https)?);
        let place = Self { bench, key, http, https, changed };
        for scheme in [Scheme::Http, Scheme::Https] {
            // The server lists the folder of a repository at each request: small ones keep that out of the times.
            package(&new, "v1", &|n| {
                let repo = scheme.mip(n / 50);
                let folder = place.bench.releases().join(OWNER).join(&repo).join("v1");
                (folder, place.mirror(scheme, &repo, ""))
            })?;
        }
        Ok(place)
    }

    /// Start the proxies. The scripts have their addresses: nothing works without them.
    pub fn wire(&self, link: Option<Link>) -> Result<Wire> {
        let addresses = |s: &Servers| [s.github.address(), s.github.asset_address(), s.mirror.address()];
        Wire::before(&[addresses(&self.http), addresses(&self.https)].concat(), link)
    }

    fn servers(&self, scheme: Scheme) -> &Servers {
        if scheme == Scheme::Http { &self.http } else { &self.https }
    }

    /// The address of an asset on the mirror.
    fn mirror(&self, scheme: Scheme, repo: &str, asset: &str) -> String {
        let base = base(scheme, &self.servers(scheme).mirror);
        format!("{base}/{OWNER}/{repo}/releases/download/v1/{asset}")
    }

    /// The script of `vboard/bench` that runs one update by this subject, with its addresses.
    pub fn script(&self, subject: Subject, scheme: Scheme) -> Result<String> {
        let (head, name) = match subject {
            Subject::Updater => {
                (format!("BASE = '{}'\n", base(scheme, &self.servers(scheme).github)), "update.py")
            }
            Subject::Mip => {
                (format!("PACKAGE = '{}'\n", self.mirror(scheme, &scheme.mip(0), "package.json")), "mip.py")
            }
            Subject::Floor => (format!("URL = '{}'\n", self.mirror(scheme, "floor", "changed")), "floor.py"),
        };
        Ok(head + &script_of("bench", name)?)
    }

    /// A board as a folder of the host: the old version, the updater, and the board's own files.
    pub fn folder(&self) -> Result<PathBuf> {
        // The app of the installation's last start: see `install` in host.rs.
        let life = "import ota_updater\nota_updater.confirm()\nraise SystemExit(4)\n";
        let stub = compile(script("standin.py")?.as_bytes())?;
        let trusted = self.https.github.certificate_der().context("https without a certificate")?;
        self.lay_out(&[("life.py", life.as_bytes()), ("lib/standin.mpy", &stub), ("ota_ca/own.der", trusted)])
    }

    /// The same for a virtual board, with an app that runs the update.
    pub fn board(&self, subject: Subject) -> Result<PathBuf> {
        let mut code = self.script(subject, Scheme::Http)?;
        if subject == Subject::Updater {
            let base = code.lines().next().unwrap_or_default().to_owned();
            code = format!("{base}\n{}", script_of("bench", "life.py")?);
            return self.lay_out(&[("life.py", code.as_bytes())]);
        }
        // mip and the floor have no trial of the new version.
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

/// The key of all releases, and its line for a board. It is always the same, because the instructions of a check of a
/// signature depend on key and signature.
fn fixed_key() -> Result<(SigningKey, String)> {
    let pair = Ed25519Keypair::from_seed(&[7; 32]);
    let text = PrivateKey::new(KeypairData::Ed25519(pair), "bench")?.to_openssh(LineEnding::LF)?;
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("key");
    std::fs::write(&path, text.as_bytes())?;
    let line = keys::show(&path)?.line;
    Ok((SigningKey::load(&path, &mut |_| Ok(String::new()))?, line))
}

impl Scheme {
    /// A repository with files for `mip`; `package.json` in the first one has their addresses, with the scheme.
    fn mip(self, number: usize) -> String {
        format!("{}-{number}", if self == Self::Http { "mip" } else { "mip-https" })
    }
}

impl Servers {
    fn start(bench: &Bench, scheme: Scheme) -> Result<Self> {
        let host = ADDRESS.to_string();
        let options = || Options {
            tls: match scheme {
                Scheme::Http => Tls::None,
                Scheme::Https => Tls::SelfSigned { names: vec![host.clone()] },
            },
            ..Options::new(bench.releases())
        };
        Ok(Self {
            github: Server::start(Options { asset_host: Some(host.clone()), ..options() })?,
            mirror: Server::start(Options { redirects: false, ..options() })?,
        })
    }
}

/// The address of a server's proxy.
fn base(scheme: Scheme, server: &Server) -> String {
    let scheme = if scheme == Scheme::Http { "http" } else { "https" };
    format!("{scheme}://{ADDRESS}:{}", server.address().port())
}
