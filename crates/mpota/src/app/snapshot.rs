//! Reads each file once, and notices the one that changes meanwhile.

use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use miette::Diagnostic;
use thiserror::Error;

use crate::files::{self, FileError};

/// Why the files could not be read as they are.
#[derive(Debug, Error, Diagnostic)]
#[non_exhaustive]
pub enum SnapshotError {
    /// It changed between two looks at it.
    #[error("{} changed while it was being read", .0.display())]
    #[diagnostic(code(select::changed))]
    #[diagnostic(help("wait until it is saved or synchronised, then build again"))]
    Changed(PathBuf),
    /// It cannot be read.
    #[error(transparent)]
    #[diagnostic(transparent)]
    File(#[from] FileError),
}

#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    size: u64,
    modified: Option<SystemTime>,
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self { size: metadata.len(), modified: metadata.modified().ok() }
    }
}

/// A file, and what it looked like when it was read.
#[derive(Debug)]
pub(crate) struct Looked(PathBuf, Stamp);

/// Reads one file of at most `limit` bytes.
pub(crate) fn read(path: &Path, limit: u64) -> Result<(Vec<u8>, Looked), SnapshotError> {
    let before = stamp(path)?;
    let bytes = files::read(path, limit)?;
    if bytes.len() as u64 != before.size || stamp(path)? != before {
        return Err(SnapshotError::Changed(path.to_owned()));
    }
    Ok((bytes, Looked(path.to_owned(), before)))
}

/// Remembers what every file looked like when it was first seen.
#[derive(Debug, Default)]
pub struct Snapshot {
    seen: Vec<Looked>,
}

impl Snapshot {
    /// Remembers one more.
    pub(crate) fn add(&mut self, looked: Looked) {
        self.seen.push(looked);
    }

    /// Looks at every file again: all of them belong to one moment.
    pub fn check(&self) -> Result<(), SnapshotError> {
        for Looked(path, before) in &self.seen {
            if stamp(path)? != *before {
                return Err(SnapshotError::Changed(path.clone()));
            }
        }
        Ok(())
    }
}

fn stamp(path: &Path) -> Result<Stamp, FileError> {
    fs::metadata(path).map(|metadata| Stamp::of(&metadata)).map_err(FileError::at("read", path))
}
