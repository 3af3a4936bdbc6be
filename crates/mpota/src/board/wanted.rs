//! All that a board needs to run a release and to take the next one: the release, the updater, what starts
//! it, keys, certificate authorities, and whose releases they are.

use std::path::{Path, PathBuf};

use miette::Diagnostic;
use mpota_format::manifest::{Manifest, ManifestError, Requires, compiled};
use thiserror::Error;

use super::install::{self, InstallError};
use super::look::Seen;
use super::roots::{self, DEFAULT, RootError};
use super::updater;
use crate::app::config::{self, Config, ConfigError};
use crate::app::scaffold::Life;
use crate::files::{self, FileError};
use crate::release::contents;
use crate::release::dist::{self, DistError, MANIFEST};
use crate::release::keys::{self, KeyError};
use crate::remote::source::Folder;

/// Where the updater goes.
const LIB: &str = "lib/";
/// The keys that a board trusts.
const KEYS: &str = "ota_keys";
/// The folder of certificate authorities.
const CA: &str = "ota_ca";
/// A port whose TLS checks no certificate.
const NO_CERTIFICATES: &str = "esp8266";

/// Why it is not known what a board needs.
#[derive(Debug, Error, Diagnostic)]
#[non_exhaustive]
pub enum WantedError {
    /// The release is damaged, or cannot be read.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Release(#[from] InstallError),
    /// There is no release.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Dist(#[from] DistError),
    /// `mpota.toml` is not right.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Config(#[from] ConfigError),
    /// The key cannot be read.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Key(#[from] KeyError),
    /// The certificates cannot be had.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Roots(#[from] RootError),
    /// A file cannot be read.
    #[error(transparent)]
    #[diagnostic(transparent)]
    File(#[from] FileError),
    /// The manifest cannot be written.
    #[error("cannot write the manifest")]
    #[diagnostic(code(internal::manifest), help("report this: it is a fault of mpota"))]
    Manifest(#[from] ManifestError),
}

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The release has it.
    Release,
    /// The updater.
    Updater,
    /// All else that a board needs: put where nothing is.
    Setup,
}

/// One file for a board.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Want {
    /// Where it goes, from the board's root.
    pub path: String,
    /// Its content.
    pub bytes: Vec<u8>,
    /// What it is for.
    pub part: Part,
    /// The release keeps what is there.
    pub keep: bool,
}

/// All of them, in the order of writing: what starts the app comes last.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The release's version.
    pub version: String,
    /// `owner/name` of the repository.
    pub project: Option<String>,
    /// What a board must have.
    pub requires: Requires,
    /// The manifest's bytes.
    pub manifest: Vec<u8>,
    /// The files.
    pub files: Vec<Want>,
    /// Whether `boot.py` of the board, where it has one, is to get the lines that start the updater.
    pub guard: bool,
}

/// Where all that comes from.
#[derive(Debug, Clone)]
pub struct Sources {
    /// The release's folder.
    pub dist: PathBuf,
    /// The app's folder, which may have `mpota.toml`.
    pub app: PathBuf,
}

impl Wanted {
    /// Reads the release, in the form for firmware with this `sys.implementation._mpy`; 0 is none, and gets the
    /// modules as they are. Nothing of a damaged one is returned.
    pub fn release(sources: &Sources, mpy: u64) -> Result<Self, WantedError> {
        let mut manifest = dist::read_manifest(&sources.dist.join(MANIFEST))?;
        let loads = u8::try_from(mpy & 0xff).unwrap_or_default();
        if manifest.header.compiled().contains(&loads) {
            manifest = dist::read_manifest(&sources.dist.join(compiled::asset(loads)))?;
        }
        let size = contents::size(&manifest);
        if size > install::HELD {
            return Err(InstallError::TooMuch { size }.into());
        }
        let mut files = Vec::new();
        contents::check(&Folder(sources.dist.clone()), &manifest, &mut |finding| {
            if let Some((file, bytes)) = install::good(finding)? {
                let keep = file.keep;
                files.push(Want { path: file.path.clone(), bytes, part: Part::Release, keep });
            }
            Ok::<_, InstallError>(())
        })?;
        let project = match project(sources, &manifest)? {
            Some(project) => Some(project),
            None => manifest.header.project.clone(),
        };
        let version = manifest.header.version.to_string();
        let bytes = manifest.to_bytes()?;
        Ok(Self {
            version,
            project,
            requires: manifest.header.requires,
            manifest: bytes,
            files,
            guard: false,
        })
    }

    /// Adds what this board needs beside the release.
    pub fn complete(&mut self, sources: &Sources, seen: &Seen) -> Result<(), WantedError> {
        if !["lib/ota_updater", "ota_updater"].iter().any(|stem| self.has_module(stem)) {
            for (path, bytes) in updater::for_board(seen.mpy) {
                self.add(&format!("{LIB}{path}"), bytes.to_vec(), Part::Updater);
            }
        }
        let keys = self.keys(sources)?;
        if let Some(bytes) = keys {
            self.add(KEYS, bytes, Part::Setup);
        }
        if seen.platform != NO_CERTIFICATES && !self.files.iter().any(|file| is_root(&file.path)) {
            for (name, bytes) in certificates(sources)? {
                self.add(&format!("{CA}/{name}"), bytes, Part::Setup);
            }
        }
        self.guard = !self.has_module("boot");
        self.settings(seen);
        self.files.sort_by_key(|file| rank(&file.path));
        Ok(())
    }

    /// `boot.py`, `main.py`, and `CONFIG` where nothing has it.
    fn settings(&mut self, seen: &Seen) {
        let trusts = self.files.iter().any(|file| file.path == KEYS);
        let has = |stem: &str| self.has_module(stem) || seen.has_module(stem);
        let boot = !self.has_module("boot");
        // They are of use to the template's main.py, and to an app that does not look itself.
        let updates = !self.looks() && !has("updates");
        let main = !has("main") && has("app") && (updates || has("updates"));
        let project = self.project.clone().unwrap_or_else(|| "owner/name".to_owned());
        for (path, text) in Life::Sleeps.files(&project) {
            let needed = match path {
                "boot.py" => boot,
                "updates.py" | "wifi.py" => updates,
                "main.py" => main,
                _ => false,
            };
            if needed {
                let keys = if trusts { "\"keys\": \"ota_keys\"" } else { "\"keys\": []" };
                let text = text.replace("\"keys\": []", keys);
                self.add(path, text.into_bytes(), Part::Setup);
            }
        }
    }

    /// Whether a file of the release asks for updates itself.
    fn looks(&self) -> bool {
        let app = self.files.iter().filter(|file| file.part == Part::Release);
        let has = |bytes: &[u8], word: &[u8]| bytes.windows(word.len()).any(|part| part == word);
        app.into_iter().any(|file| {
            let call: &[u8] = if file.path.ends_with(".mpy") { b"update" } else { b".update(" };
            has(&file.bytes, b"ota_updater") && has(&file.bytes, call)
        })
    }

    fn keys(&self, sources: &Sources) -> Result<Option<Vec<u8>>, WantedError> {
        let (root, config) = root(sources)?;
        let path = root.join(KEYS);
        if path.is_file() {
            return Ok(Some(files::read(&path, 1 << 16)?));
        }
        match config.and_then(|config| config.key_path(&sources.app)) {
            Some(path) if path.is_file() => Ok(Some(format!("{}\n", keys::show(&path)?.line).into_bytes())),
            _ => Ok(None),
        }
    }

    fn add(&mut self, path: &str, bytes: Vec<u8>, part: Part) {
        if !self.files.iter().any(|file| file.path == path) {
            self.files.push(Want { path: path.to_owned(), bytes, part, keep: false });
        }
    }

    /// Writes what goes beside the release into a folder that has it, where nothing is.
    pub fn write_beside(&self, folder: &Path, seen: &Seen) -> Result<usize, FileError> {
        let mut written = 0;
        let theirs = seen.has_module("lib/ota_updater");
        for want in self.beside().filter(|want| want.part != Part::Updater || !theirs) {
            let path = folder.join(&want.path);
            if want.path == "boot.py" && self.guard && path.exists() && !seen.guard {
                let lines = files::read(&path, 1 << 20)?;
                install::put(&path, &[&want.bytes[..], b"\n", &lines].concat())?;
            } else if path.exists() {
                continue;
            } else {
                install::put(&path, &want.bytes)?;
            }
            written += 1;
        }
        Ok(written)
    }

    /// What is no part of the release.
    pub fn beside(&self) -> impl Iterator<Item = &Want> {
        self.files.iter().filter(|want| want.part != Part::Release)
    }

    /// Whether there is a module of this name, in any form.
    pub fn has_module(&self, stem: &str) -> bool {
        self.files.iter().any(|file| {
            file.path.strip_prefix(stem).is_some_and(|rest| matches!(rest, ".py" | ".mpy" | "/__init__.py"))
        })
    }
}

/// What starts the app comes last, and of that what starts the updater: a board that was cut off before
/// goes on with what it had.
fn rank(path: &str) -> u8 {
    match path {
        "main.py" | "main.mpy" => 2,
        "boot.py" | "boot.mpy" => 3,
        _ if path.starts_with("lib/ota_updater.") => 1,
        _ => 0,
    }
}

/// Whether a path is that of a certificate authority.
pub fn is_root(path: &str) -> bool {
    path.strip_prefix(CA).is_some_and(|rest| rest.starts_with('/') && rest.ends_with(".der"))
}

fn config(sources: &Sources) -> Result<Option<Config>, ConfigError> {
    if sources.app.join(config::FILE).exists() { Config::load(&sources.app).map(Some) } else { Ok(None) }
}

fn root(sources: &Sources) -> Result<(PathBuf, Option<Config>), ConfigError> {
    let config = config(sources)?;
    let mut root = sources.app.clone();
    root.extend(config.as_ref().and_then(|config| config.root.clone()));
    Ok((root, config))
}

fn project(sources: &Sources, manifest: &Manifest) -> Result<Option<String>, ConfigError> {
    match &manifest.header.project {
        Some(_) => Ok(None),
        None => Ok(config(sources)?.map(|config| config.project)),
    }
}

/// The app's own, or those behind GitHub's hosts.
fn certificates(sources: &Sources) -> Result<Vec<(String, Vec<u8>)>, WantedError> {
    let (root, _) = root(sources)?;
    let folder = root.join(CA);
    if !folder.is_dir() {
        let roots = roots::named(&roots::all(), &DEFAULT)?;
        return Ok(roots.iter().map(|root| (root.file(), root.der.clone())).collect());
    }
    let mut found = Vec::new();
    for entry in std::fs::read_dir(&folder).map_err(FileError::at("read", &folder))? {
        let path = entry.map_err(FileError::at("read", &folder))?.path();
        if path.extension().is_some_and(|form| form == "der") {
            found.push((file_name(&path), files::read(&path, 1 << 16)?));
        }
    }
    found.sort();
    Ok(found)
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
