//! Lays a release out in a folder as it lies on a board.

use std::path::{Path, PathBuf};

use miette::Diagnostic;
use mpota_format::journal::{JournalError, Record, State};
use mpota_format::manifest::{FileEntry, Manifest, ManifestError};
use thiserror::Error;

use crate::files::{self, FileError};
use crate::release::contents::{self, Finding};
use crate::release::dist::{self, DistError, MANIFEST};
use crate::remote::source::{Folder, SourceError};

/// The updater's own folder on a board.
pub(crate) const HOME: &str = ".ota";

/// The number of the first record. No board gets there by itself, so that a copy which ends after one of
/// the two files wins as well; and it is one that 32-bit firmware counts without the heap.
pub(crate) const FIRST: u64 = 1_000_000_000;

/// Most bytes of a release that is held in memory, to be compared with a board: more than its flash has.
pub const HELD: u64 = 128 << 20;

/// Why the folder is not a board now.
#[derive(Debug, Error, Diagnostic)]
#[non_exhaustive]
pub enum InstallError {
    /// Something of the release, or of the updater, is there already.
    #[error("{} is there already", .0.display())]
    #[diagnostic(code(install::exists))]
    #[diagnostic(help(
        "--force overwrites the release's files, but not those that it keeps, and begins the updater's records anew"
    ))]
    Exists(PathBuf),
    /// The release is damaged.
    #[error("the release is damaged: {about}: {fault}")]
    #[diagnostic(code(install::damaged))]
    #[diagnostic(help("`mpota verify` tells all about it; build it again"))]
    Damaged {
        /// The file or asset.
        about: String,
        /// What is wrong with it.
        fault: contents::Fault,
    },
    /// The release is more than a board that is reached by its port can have.
    #[error("the release has {size} bytes unpacked: {max} at most are copied to a board by its port", max = HELD)]
    #[diagnostic(code(install::too_much))]
    #[diagnostic(help("`mpota install --dir` lays it out in a folder, to be copied onto a card"))]
    TooMuch {
        /// How many bytes.
        size: u64,
    },
    /// The manifest cannot be read.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Dist(#[from] DistError),
    /// An asset cannot be read.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Source(#[from] SourceError),
    /// A file cannot be written.
    #[error(transparent)]
    #[diagnostic(transparent)]
    File(#[from] FileError),
    /// The manifest cannot be written.
    #[error("cannot write the manifest")]
    #[diagnostic(code(internal::manifest), help("report this: it is a fault of mpota"))]
    Manifest(#[from] ManifestError),
    /// The journal cannot be written.
    #[error("cannot write the journal")]
    #[diagnostic(code(internal::journal), help("report this: it is a fault of mpota"))]
    Journal(#[from] JournalError),
}

/// What was laid out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// The release's version.
    pub version: String,
    /// How many files it has.
    pub files: usize,
    /// The files that were there and stay as they were: the release keeps them.
    pub kept: Vec<String>,
}

/// Unpacks the release in `dist` into `board`, with all that the updater keeps beside it.
pub fn install(dist: &Path, board: &Path, force: bool) -> Result<Installed, InstallError> {
    let manifest = dist::read_manifest(&dist.join(MANIFEST))?;
    let source = Folder(dist.to_owned());
    // Once to be sure, and once to write: the whole release is right, or nothing is touched.
    contents::check(&source, &manifest, &mut |finding| good(finding).map(drop))?;
    if force {
        remove_home(board)?;
    } else {
        check_free(board, &manifest)?;
    }
    let mut kept = Vec::new();
    contents::check(&source, &manifest, &mut |finding| {
        if let Some((file, bytes)) = good(finding)? {
            let path = board.join(&file.path);
            if file.keep && path.symlink_metadata().is_ok() {
                kept.push(file.path.clone());
            } else {
                put(&path, &bytes)?;
            }
        }
        Ok::<_, InstallError>(())
    })?;
    let version = manifest.header.version.to_string();
    let home = board.join(HOME);
    put(&home.join(MANIFEST), &manifest.to_bytes()?)?;
    put(&board.join("version.json"), version_json(&version).as_bytes())?;
    // The journal comes last: with it the board counts as installed. Both records, as the folder may be
    // copied over a board that has been used: a record of its own that stayed would be the newer one, and
    // the board would go on with an update, or an undo, of files that are no longer there.
    for seq in [FIRST, FIRST + 1] {
        let mut record = Record::new(seq, State::Idle);
        record.version.clone_from(&version);
        put(&home.join(format!("state.{}", seq % 2)), &record.to_bytes()?)?;
    }
    Ok(Installed { version, files: manifest.files.len(), kept })
}

/// What the board's own updater writes when it confirms a version.
pub(crate) fn version_json(version: &str) -> String {
    format!("{{\"version\": \"{version}\", \"confirmed\": true}}")
}

pub(crate) fn good(finding: Finding<'_>) -> Result<Option<(&FileEntry, Vec<u8>)>, InstallError> {
    match finding {
        Finding::Good(file, bytes) => Ok(Some((file, bytes))),
        Finding::Bad(file, fault) => Err(InstallError::Damaged { about: file.path.clone(), fault }),
        Finding::Release(fault) => Err(InstallError::Damaged { about: "the release".to_owned(), fault }),
        Finding::Pack(fault) => Err(InstallError::Damaged { about: "the pack".to_owned(), fault }),
    }
}

fn check_free(board: &Path, manifest: &Manifest) -> Result<(), InstallError> {
    let files = manifest.files.iter().filter(|file| !file.keep).map(|file| file.path.as_str());
    for path in files.chain([HOME, "version.json"]) {
        let path = board.join(path);
        if path.symlink_metadata().is_ok() {
            return Err(InstallError::Exists(path));
        }
    }
    Ok(())
}

/// An older journal with a higher number would count more than the new one.
fn remove_home(board: &Path) -> Result<(), FileError> {
    let home = board.join(HOME);
    match std::fs::remove_dir_all(&home) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(FileError::new("remove", &home, error))
        }
        _ => Ok(()),
    }
}

pub(crate) fn put(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    if let Some(folder) = path.parent() {
        files::make_folders(folder)?;
    }
    files::replace(path, bytes)
}
