//! What a test or the demo needs around a board: releases made by the real `mpota`, and boards that
//! have one of them installed.

use crate::clients::{self, MPY_CROSS};
use crate::{Error, agent_files, repository, tools};
use mpota::release::build::{BuildOptions, build};
use mpota::release::keys::SigningKey;
use mpota_format::digest::{hex, sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The repository that all releases of a bench belong to.
pub const OWNER: &str = "octo";
/// Its name.
pub const REPO: &str = "weather";

/// `main.py` of [`App::tiny`].
pub const TINY_MAIN: &str = "import ota_updater
ota_updater.boot()
import machine
import network
network.probe()
import app
import secrets
print('app', app.V, ota_updater.status()['state'])
if network.WLAN(0).isconnected():
    config = dict(secrets.CONFIG)
    if network.base_url:
        config['base_url'] = network.base_url
    try:
        staged = ota_updater.update(config)
        ota_updater.confirm()
        if staged:
            machine.reset()
    except ota_updater.OtaError as e:
        print('refused:', e)
machine.deepsleep(1)
";

/// `secrets.py` of a board: what it needs to find its releases, as Python.
#[must_use]
pub fn config(entries: &[(&str, &str)]) -> String {
    let mut text = format!("CONFIG = {{'owner': '{OWNER}', 'repo': '{REPO}'");
    for (key, value) in entries {
        text.push_str(&format!(", '{key}': {value}"));
    }
    text + "}\n"
}

/// The files of an app, by path.
#[derive(Debug, Clone, Default)]
pub struct App(pub BTreeMap<String, Vec<u8>>);

impl App {
    /// The sample app in `examples/weather`.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn weather() -> Result<Self, Error> {
        let mut app = Self::default();
        read_folder(&repository().join("examples/weather"), "", &mut app.0)?;
        app.0.remove("mpota.toml");
        Ok(app)
    }

    /// The smallest app that does all: it says its version, looks for an update, confirms, sleeps.
    /// Its settings are in the board's own `secrets.py` ([`config`]).
    ///
    /// # Errors
    /// When the template of `boot.py` cannot be read.
    pub fn tiny(version: &str) -> Result<Self, Error> {
        let template = repository().join("device/template/boot.py");
        let boot = std::fs::read(&template).map_err(io(&template))?;
        Ok(Self::default()
            .with("boot.py", boot)
            .with("main.py", TINY_MAIN)
            .with("app.py", format!("V = '{version}'\n"))
            .with("lib/util.py", "# helpers\n".repeat(40))
            .with("assets/logo.bin", (0..9000_u32).map(|i| ((i * i) >> 5) as u8).collect::<Vec<u8>>()))
    }

    /// The same app with one file more, or another one.
    #[must_use]
    pub fn with(mut self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.0.insert(path.into(), content.as_ref().to_vec());
        self
    }

    /// The same app without a file.
    #[must_use]
    pub fn without(mut self, path: &str) -> Self {
        self.0.remove(path);
        self
    }

    /// The same app with every `from` in a file replaced.
    #[must_use]
    pub fn replacing(mut self, path: &str, from: &str, to: &str) -> Self {
        if let Some(content) = self.0.get_mut(path) {
            *content = String::from_utf8_lossy(content).replace(from, to).into_bytes();
        }
        self
    }
}

/// One release to make.
#[derive(Debug, Clone)]
pub struct Release {
    /// Its tag.
    pub version: String,
    /// Its files.
    pub app: App,
    /// More lines for `mpota.toml`.
    pub toml: String,
    /// One asset per file.
    pub plain: bool,
    /// Whether the pack is compressed.
    pub compress: bool,
    /// Who signs.
    pub key: Option<SigningKey>,
    /// What it is a release of.
    pub project: String,
}

impl Release {
    /// An unsigned release in one compressed pack.
    #[must_use]
    pub fn new(version: &str, app: App) -> Self {
        Self {
            version: version.into(),
            app,
            toml: String::new(),
            plain: false,
            compress: true,
            key: None,
            project: format!("{OWNER}/{REPO}"),
        }
    }
}

/// How the updater lies on a board.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Agent {
    /// As source.
    Py,
    /// Compiled with `mpy-cross`.
    Mpy,
}

/// A folder of releases, and of what they are made from.
#[derive(Debug)]
pub struct Bench {
    dir: tempfile::TempDir,
    /// Replacements in the updater's source, each of which must apply: how a test breaks it on purpose.
    pub sabotage: Vec<(&'static str, &'static str, &'static str)>,
}

impl Bench {
    /// An empty one.
    ///
    /// # Errors
    /// When there is no room for temporary files.
    pub fn new() -> Result<Self, Error> {
        let dir = tempfile::tempdir().map_err(|source| Error::Io { path: std::env::temp_dir(), source })?;
        let bench = Self { dir, sabotage: Vec::new() };
        std::fs::create_dir_all(bench.releases())
            .map_err(|source| Error::Io { path: bench.releases(), source })?;
        Ok(bench)
    }

    /// The folder of releases, for `mpota_serve`.
    #[must_use]
    pub fn releases(&self) -> PathBuf {
        self.dir.path().join("releases")
    }

    /// Where a release lies.
    #[must_use]
    pub fn release_dir(&self, version: &str) -> PathBuf {
        self.releases().join(OWNER).join(REPO).join(version)
    }

    /// Build a release with the real `mpota build`.
    ///
    /// # Errors
    /// When it refuses.
    pub fn publish(&self, release: &Release) -> Result<(), Error> {
        let source = tempfile::tempdir_in(self.dir.path()).map_err(io(self.dir.path()))?;
        write_folder(source.path(), &release.app.0)?;
        let toml = format!("project = \"{}\"\ninclude = [\"**\"]\n{}\n", release.project, release.toml);
        write_file(&source.path().join("mpota.toml"), toml.as_bytes())?;
        let mut options = BuildOptions::load(source.path()).map_err(strange)?;
        let output = self.release_dir(&release.version);
        std::fs::create_dir_all(output.parent().unwrap_or(&output)).map_err(io(&output))?;
        options.version = Some(release.version.clone());
        options.output = Some(output);
        options.plain = release.plain;
        options.compress = release.compress;
        options.key = release.key.clone();
        if !options.config.mpy.versions.is_empty() {
            options.mpy_cross = clients::mpy_cross_programs()?.to_vec();
        }
        // Releases that no board can run are what many tests are about.
        options.allow.syntax = release.app.0.keys().filter(|path| path.ends_with(".py")).cloned().collect();
        options.allow.no_updater = true;
        options.allow.modules = true;
        build(&options).map_err(strange)?;
        Ok(())
    }

    /// Take a release away again.
    ///
    /// # Errors
    /// When it is not there.
    pub fn withdraw(&self, version: &str) -> Result<(), Error> {
        let dir = self.release_dir(version);
        std::fs::remove_dir_all(&dir).map_err(io(&dir))
    }

    /// A folder with all that lies on a board that runs this release: its files, the updater, and
    /// the board's own files.
    ///
    /// # Errors
    /// When the release was not published, or cannot be unpacked.
    pub fn board_folder(&self, version: &str, agent: Agent, own: &[(&str, &[u8])]) -> Result<PathBuf, Error> {
        let dir = tempfile::tempdir_in(self.dir.path()).map_err(io(self.dir.path()))?.keep();
        mpota::board::install::install(&self.release_dir(version), &dir, false).map_err(strange)?;
        self.add_agent(&dir, agent)?;
        for (path, content) in own {
            write_file(&dir.join(path), content)?;
        }
        Ok(dir)
    }

    /// Put the updater into `lib/` below a folder, unless its files are there already.
    fn add_agent(&self, folder: &Path, agent: Agent) -> Result<(), Error> {
        let mut files = if agent == Agent::Py { agent_files()? } else { compiled_agent()?.clone() };
        let mut sources = agent_files()?;
        for (file, from, to) in &self.sabotage {
            let source = sources.iter_mut().find(|(name, _)| name == file);
            let text =
                source.as_ref().map(|(_, c)| String::from_utf8_lossy(c).into_owned()).unwrap_or_default();
            let Some(source) = source.filter(|_| text.contains(from)) else {
                return Err(Error::Strange(format!("{file} has no {from:?} to sabotage")));
            };
            source.1 = text.replace(from, to).into_bytes();
            files.retain(|(name, _)| name.split('.').next() != file.split('.').next());
            files.push(source.clone());
        }
        for (name, content) in files {
            let stem = name.split('.').next().unwrap_or_default();
            let there = ["py", "mpy"].iter().any(|e| folder.join("lib").join(format!("{stem}.{e}")).exists());
            if !there {
                write_file(&folder.join("lib").join(name), &content)?;
            }
        }
        Ok(())
    }
}

/// The updater as `.mpy` files, with short private names, compiled once in a process.
///
/// # Errors
/// When Python or `mpy-cross` cannot be had or refuses.
pub fn compiled_agent() -> Result<&'static Vec<(String, Vec<u8>)>, Error> {
    static DONE: OnceLock<Vec<(String, Vec<u8>)>> = OnceLock::new();
    if let Some(done) = DONE.get() {
        return Ok(done);
    }
    let mut files = Vec::new();
    for (name, content) in shortened_agent()? {
        let stem = name.strip_suffix(".py").unwrap_or(&name);
        files.push((format!("{stem}.mpy"), compile(&content)?));
    }
    Ok(DONE.get_or_init(|| files))
}

/// The sources of the updater with short private names: each name stays in a board's memory.
///
/// # Errors
/// When there is no Python 3.9 or later.
pub fn shortened_agent() -> Result<Vec<(String, Vec<u8>)>, Error> {
    const SCRIPT: &[u8] = include_bytes!("shorten.py");
    let mut files = agent_files()?;
    let mut all = SCRIPT.to_vec();
    for (name, content) in &files {
        all.extend(format!("{name} {}\n", content.len()).bytes());
        all.extend(content);
    }
    let done = compiled()?;
    let short = done.join(hex(&sha256(&all)));
    if !short.exists() {
        let dir = tempfile::tempdir_in(&done).map_err(io(&done))?;
        let (from, to, script) =
            (dir.path().join("from"), dir.path().join("to"), dir.path().join("shorten.py"));
        write_file(&script, SCRIPT)?;
        for (name, content) in &files {
            write_file(&from.join(name), content)?;
        }
        tools::run(std::process::Command::new("python3").arg(&script).arg(&from).arg(&to))?;
        // Where another test was quicker, its result is the same.
        if let Err(source) = std::fs::rename(&to, &short)
            && !short.exists()
        {
            return Err(Error::Io { path: short, source });
        }
    }
    for (name, content) in &mut files {
        let path = short.join(name.as_str());
        *content = std::fs::read(&path).map_err(io(&path))?;
    }
    Ok(files)
}

/// The folder of what was made once, under the hash of all that it was made from.
fn compiled() -> Result<PathBuf, Error> {
    let folder = repository().join(".tools/compiled");
    std::fs::create_dir_all(&folder).map_err(io(&folder))?;
    Ok(folder)
}

/// Compile one module with `mpy-cross`. In tracebacks all are called `mpota`, as each name stays in a
/// board's memory; equal sources give equal bytes, wherever they lie.
///
/// # Errors
/// When `mpy-cross` cannot be had or refuses.
pub fn compile(source: &[u8]) -> Result<Vec<u8>, Error> {
    const OPTIONS: [&str; 4] = ["-O3", "-s", "mpota", "-o"];
    let done = compiled()?;
    let all = [MPY_CROSS.as_bytes(), OPTIONS.concat().as_bytes(), source].concat();
    let path = done.join(hex(&sha256(&all)) + ".mpy");
    if let Ok(mpy) = std::fs::read(&path) {
        return Ok(mpy);
    }
    // Whole or not there: another test may compile the same at this moment.
    let dir = tempfile::tempdir_in(&done).map_err(io(&done))?;
    let (py, mpy) = (dir.path().join("in.py"), dir.path().join("out.mpy"));
    write_file(&py, source)?;
    tools::run(clients::mpy_cross()?.args(OPTIONS).arg(&mpy).arg(&py))?;
    std::fs::rename(&mpy, &path).map_err(io(&path))?;
    std::fs::read(&path).map_err(io(&path))
}

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Io { path, source }
}

fn strange(error: impl std::error::Error) -> Error {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(e) = source {
        text = format!("{text}: {e}");
        source = e.source();
    }
    Error::Strange(text)
}

/// Write a file and the folders that it needs.
///
/// # Errors
/// When the host refuses.
pub fn write_file(path: &Path, content: &[u8]) -> Result<(), Error> {
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(io(parent))?;
    }
    std::fs::write(path, content).map_err(io(path))
}

fn write_folder(folder: &Path, files: &BTreeMap<String, Vec<u8>>) -> Result<(), Error> {
    files.iter().try_for_each(|(path, content)| write_file(&folder.join(path), content))
}

/// Read all files below a folder, by their paths behind `prefix`.
///
/// # Errors
/// When the host refuses.
pub fn read_folder(folder: &Path, prefix: &str, files: &mut BTreeMap<String, Vec<u8>>) -> Result<(), Error> {
    for entry in std::fs::read_dir(folder).map_err(io(folder))? {
        let path = entry.map_err(io(folder))?.path();
        let name = format!("{prefix}{}", path.file_name().unwrap_or_default().to_string_lossy());
        if path.is_dir() {
            read_folder(&path, &format!("{name}/"), files)?;
        } else {
            files.insert(name, std::fs::read(&path).map_err(io(&path))?);
        }
    }
    Ok(())
}
