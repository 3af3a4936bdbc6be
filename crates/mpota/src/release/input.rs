//! A file of a release: what was learned of it, and where its content lies. The content is read again when it is
//! needed, so that the memory of a build does not grow with its files.

use std::path::PathBuf;

use mpota_format::digest::sha256;
use mpota_format::limits;

use crate::app::select::Selected;
use crate::app::snapshot::SnapshotError;
use crate::check::facts::Facts;
use crate::files;

/// A file as it shall lie on the board.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// Its path there.
    pub path: String,
    /// Where its content lies.
    pub(crate) disk: PathBuf,
    /// Whether a board that has a file there leaves it as it is.
    pub keep: bool,
    /// What was learned of its content.
    pub(crate) facts: Facts,
}

impl Input {
    /// The file with this content.
    pub(crate) fn new(file: Selected, bytes: &[u8]) -> Self {
        let facts = Facts::of(&file.path, bytes);
        Self { path: file.path, disk: file.disk, keep: false, facts }
    }

    /// Its content: the one that was checked, or none.
    pub(crate) fn read(&self) -> Result<Vec<u8>, SnapshotError> {
        let changed = || SnapshotError::Changed(self.disk.clone());
        let length = self.disk.metadata().map_or(0, |metadata| metadata.len());
        if length != self.facts.size {
            return Err(changed());
        }
        let bytes = files::read(&self.disk, limits::FILE)?;
        if sha256(&bytes) == self.facts.sha256 { Ok(bytes) } else { Err(changed()) }
    }

    /// Whether it is Python that starts the updater.
    pub(crate) fn starts_updater(&self) -> bool {
        self.facts.python.as_ref().is_some_and(|python| python.starts)
    }
}
