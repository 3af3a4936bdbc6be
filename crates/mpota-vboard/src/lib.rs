//! A MicroPython board on the host: MicroPython's Unix port with a real LittleFS or FAT on a flash
//! in memory, the firmware's boot order, and resets that are real restarts of the interpreter.
//!
//! # Layout
//!
//! - [`tools`]: gets a MicroPython (and `mpy-cross`) into the project's directory
//! - [`clients`]: the clients of GitHub's API that the server is tested with
//! - [`board`]: one board: its flash, its boots, its tree of files
//! - [`bench`]: releases made by the real `mpota`, and boards that have one of them installed
//!
//! The board's own side is MicroPython and stands in `vboard/` at the root of the repository.

pub mod bench;
pub mod board;
pub mod clients;
pub mod tools;

pub use board::{Board, End, FileSystem, Run, Tree};
pub use tools::{MicroPython, Word};

use std::path::PathBuf;

/// What went wrong outside of the board.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A program that is needed is missing, or failed to install.
    #[error("{what}\n  hint: {hint}")]
    Missing {
        /// What is missing.
        what: String,
        /// How to get it.
        hint: String,
    },
    /// A program ended with an error.
    #[error("{program} failed ({status}):\n{output}")]
    Failed {
        /// Which program.
        program: String,
        /// How it ended.
        status: String,
        /// What it said.
        output: String,
    },
    /// The virtual board printed what it should not.
    #[error("the virtual board answered strangely: {0}")]
    Strange(String),
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// The root of the repository.
#[must_use]
pub fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .map_or_else(|| PathBuf::from("."), PathBuf::from)
}

/// Every file of the updater itself (`device/*.py`), name and content, in order of the names.
///
/// # Errors
/// When the folder cannot be read.
pub fn agent_files() -> Result<Vec<(String, Vec<u8>)>, Error> {
    let dir = repository().join("device");
    let io = |path: &std::path::Path| {
        let path = path.to_owned();
        move |source| Error::Io { path, source }
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(&dir).map_err(io(&dir))? {
        let path = entry.map_err(io(&dir))?.path();
        if path.extension().is_some_and(|e| e == "py") {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            files.push((name, std::fs::read(&path).map_err(io(&path))?));
        }
    }
    files.sort();
    Ok(files)
}
