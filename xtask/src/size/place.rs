//! What is measured in: releases, a server that has them, and a folder that is the board's flash.

use anyhow::{Context, Result};
use mpota::release::keys::{self, SigningKey};
use mpota_serve::{Options, Server, Tls};
use mpota_vboard::bench::{Agent, App, Bench, OWNER, REPO, Release, compile, config, write_file};
use mpota_vboard::repository;
use std::path::{Path, PathBuf};

/// The version that the board has, and the one that it is to get.
const VERSIONS: [&str; 2] = ["v1.0.0", "v1.1.0"];
/// Files of the small app besides `boot.py` and `main.py`.
const PARTS: usize = 8;

/// What is special about a place.
#[derive(Debug, Clone)]
pub struct Kind {
    /// How the updater lies on the board.
    pub agent: Agent,
    /// Whether the releases are signed, and the board wants that.
    pub signed: bool,
    /// Files of the app: 10, or so many.
    pub files: usize,
    /// Whether the pack is compressed.
    pub compress: bool,
    /// Whether the board has the newest release already.
    pub current: bool,
    /// Over https, with the certificates checked.
    pub https: bool,
    /// A repository that only a token may read.
    pub private: Option<Private>,
}

impl Default for Kind {
    fn default() -> Self {
        Self {
            agent: Agent::Mpy,
            signed: true,
            files: PARTS + 2,
            compress: true,
            current: false,
            https: false,
            private: None,
        }
    }
}

/// How a private repository's release looks.
#[derive(Debug, Clone, Copy)]
pub struct Private {
    /// How many assets it has besides its own.
    pub others: usize,
    /// Whether each file is an asset.
    pub plain: bool,
}

/// A board before it starts, and the server that it asks.
pub struct Place {
    bench: Bench,
    /// Answers as long as this lives.
    _server: Server,
    /// The folder that is its flash; runs work on copies.
    pub board: PathBuf,
}

impl Place {
    /// Build the releases, start the server, lay out the board.
    pub fn new(kind: &Kind) -> Result<Self> {
        let bench = Bench::new()?;
        let keys = tempfile::tempdir()?;
        let line = keys::create(&keys.path().join("key"), "size", None)?.line;
        let key = SigningKey::load(&keys.path().join("key"), &mut |_| Ok(String::new()))?;
        for version in VERSIONS {
            let mut release = Release::new(version, app(version, kind.files)?);
            release.key = kind.signed.then(|| key.clone());
            release.compress = kind.compress;
            release.plain = kind.private.is_some_and(|p| p.plain);
            bench.publish(&release)?;
            for n in 0..kind.private.map_or(0, |p| p.others) {
                std::fs::write(bench.release_dir(version).join(format!("firmware-{n:03}.bin")), "other")?;
            }
        }
        let token = kind.private.map(|_| "tkn-123".to_owned());
        // As GitHub does, the files come from another host than the one that is asked.
        let server = Server::start(Options {
            asset_host: Some("localhost".into()),
            host: kind.https.then(|| "localhost".into()),
            tls: if kind.https { Tls::SelfSigned { names: Vec::new() } } else { Tls::None },
            token: token.clone(),
            ..Options::new(bench.releases())
        })?;
        let base = format!("'{}'", server.base_url());
        let trusted = format!("[{line:?}]");
        let mut entries = vec![("base_url", base.as_str())];
        if kind.signed {
            entries.push(("keys", &trusted));
        }
        if token.is_some() {
            entries.extend([("token", "'tkn-123'"), ("insecure_token_over_http", "True")]);
        }
        let settings = config(&entries);
        let stub = script("standin.py")?;
        let stub = match kind.agent {
            Agent::Py => ("lib/standin.py", stub.into_bytes()),
            Agent::Mpy => ("lib/standin.mpy", compile(stub.as_bytes())?),
        };
        let mut own = vec![("secrets.py", settings.as_bytes()), (stub.0, stub.1.as_slice())];
        if let Some(der) = server.certificate_der() {
            own.push(("ota_ca/own.der", der));
        }
        let board = bench.board_folder(VERSIONS[usize::from(kind.current)], kind.agent, &own)?;
        Ok(Self { bench, _server: server, board })
    }

    /// The same app for MicroPython's own installer, from the same kind of server: the address of
    /// its `package.json`. It knows neither redirects to another host nor anything but whole files.
    pub fn package() -> Result<(Self, String)> {
        let bench = Bench::new()?;
        let version = VERSIONS[1];
        let app = app(version, PARTS + 2)?;
        bench.publish(&Release::new(version, app.clone()))?;
        let server = Server::start(Options { redirects: false, ..Options::new(bench.releases()) })?;
        let base = format!("{}/{OWNER}/{REPO}/releases/download/{version}", server.base_url());
        package(&app, version, &|_| (bench.release_dir(version), format!("{base}/")))?;
        let board = bench.releases().with_file_name("empty");
        write_file(&board.join("secrets.py"), b"")?;
        Ok((Self { bench, _server: server, board }, format!("{base}/package.json")))
    }

    /// Work on another board from now on, as it is after a run.
    pub fn take(&mut self, board: &Path, name: &str) -> Result<()> {
        let kept = self.bench.releases().with_file_name(name);
        copy(board, &kept)?;
        self.board = kept;
        Ok(())
    }
}

/// Write an app as `mip` takes it: its files, and a `package.json` that has their addresses. `of` gives the folder for a
/// file by its number, and the address of that folder; the one of the first file has `package.json`, too.
pub fn package(app: &App, version: &str, of: &dyn Fn(usize) -> (PathBuf, String)) -> Result<()> {
    let mut urls = Vec::new();
    for (n, (path, content)) in app.0.iter().enumerate() {
        let (dir, base) = of(n);
        write_file(&dir.join(format!("file-{n}")), content)?;
        urls.push(serde_json::json!([path, format!("{base}file-{n}")]));
    }
    let package = serde_json::json!({ "urls": urls, "deps": [], "version": version });
    std::fs::write(of(0).0.join("package.json"), package.to_string())?;
    Ok(())
}

/// A script of `vboard/size`.
pub fn script(name: &str) -> Result<String> {
    script_of("size", name)
}

/// A script of a folder of `vboard`.
pub fn script_of(folder: &str, name: &str) -> Result<String> {
    let path = repository().join("vboard").join(folder).join(name);
    std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
}

/// An app of 10 files and 60 KB, or of many small ones. Every file is another one in every version.
fn app(version: &str, files: usize) -> Result<App> {
    let mut app = App::default();
    if files <= PARTS + 2 {
        for i in 0..PARTS {
            app = app.with(&format!("lib/part{i}.py"), text(&format!("{version} {i}"), 7400));
        }
    } else {
        for i in 2..files {
            let path = format!("data/{:02}/item{i:04}.py", i % 20);
            app = app.with(&path, text(&format!("{version} {i}"), 2000));
        }
    }
    // The app comes to its end as one that sleeps does.
    let main = format!(
        "# {version}\nimport ota_updater\nota_updater.boot()\nota_updater.confirm()\nraise SystemExit(4)\n"
    );
    let template = std::fs::read_to_string(repository().join("device/template/boot.py"))?;
    Ok(app.with("main.py", main).with("boot.py", format!("{template}# {version}\n")))
}

/// So many bytes that look like a program: they compress to about a quarter.
pub fn text(seed: &str, size: usize) -> String {
    let mut out = format!("# {seed}\n");
    let mut x = seed.bytes().fold(17_u32, |x, b| x.wrapping_mul(31).wrapping_add(b.into()));
    while out.len() < size {
        x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        out.push_str(&format!("x{} = {}  # some code that says what it does\n", x >> 24, x >> 8 & 0xffff));
    }
    out
}

/// Copy a folder.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}
