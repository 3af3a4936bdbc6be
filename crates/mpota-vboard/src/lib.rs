//! A MicroPython board on the host: MicroPython's Unix port with a real LittleFS or FAT on a flash
//! in memory, the firmware's boot order, and resets that are real restarts of the interpreter.
//!
//! # Layout
//!
//! - [`tools`]: gets a MicroPython (and `mpy-cross`) into the project's directory
//! - [`clients`]: the clients of GitHub's API that the server is tested with
//! - [`board`]: one board: its flash, its boots, its tree of files
//! - [`starts`]: what starts a board, one time after the other
//! - [`broker`]: the MQTT broker and client that a board of Home Assistant needs
//! - [`servers`]: the server and the client that `mpota serve` is measured with
//! - [`wire`]: a board at a serial line, for the programs that talk to one
//! - [`bench`]: releases made by the real `mpota`, and boards that have one of them installed
//!
//! The board's own side is MicroPython and stands in `vboard/` at the root of the repository.

pub mod bench;
pub mod board;
pub mod broker;
pub mod clients;
pub mod servers;
pub mod starts;
pub mod tools;
pub mod wheel;
pub mod wire;

pub use board::{Board, End, FileSystem, Run, Tree};
pub use starts::{Port, Start, Step};
pub use tools::{MicroPython, Word};

use std::path::{Path, PathBuf};

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

/// Every file of the updater itself, by its path below `device/` (`ota_updater.py`, `mpota/http.py`),
/// with its content, in order of the paths: what goes to `lib/` on a board.
///
/// # Errors
/// When the folder cannot be read.
pub fn agent_files() -> Result<Vec<(String, Vec<u8>)>, Error> {
    let mut files = Vec::new();
    agent_files_below(&repository().join("device"), "", &mut files)?;
    files.sort();
    Ok(files)
}

/// What lies in `device/` beside the updater: files to copy to `/`, tests, and a list for builds of
/// firmware.
const NO_AGENT: [&str; 3] = ["template", "tests", "manifest.py"];

fn agent_files_below(dir: &Path, prefix: &str, files: &mut Vec<(String, Vec<u8>)>) -> Result<(), Error> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| Error::Io { path, source }
    };
    for entry in std::fs::read_dir(dir).map_err(io(dir))? {
        let path = entry.map_err(io(dir))?.path();
        let name = format!("{prefix}{}", path.file_name().unwrap_or_default().to_string_lossy());
        if NO_AGENT.contains(&name.as_str()) {
            continue;
        }
        if path.is_dir() {
            agent_files_below(&path, &format!("{name}/"), files)?;
        } else if name.ends_with(".py") {
            files.push((name, std::fs::read(&path).map_err(io(&path))?));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "these are tests")]

    use super::*;

    #[test]
    fn the_updater_is_every_python_file_but_templates_tests_and_the_list_for_firmware() {
        let dir = tempfile::tempdir().unwrap();
        let paths = [
            "manifest.py",
            "mpota/__init__.py",
            "mpota/manifest.py",
            "mpota/tests/x.py",
            "ota_updater.py",
            "package.json",
            "template/boot.py",
            "tests/test_x.py",
        ];
        for path in paths {
            bench::write_file(&dir.path().join(path), path.as_bytes()).unwrap();
        }
        let mut found = Vec::new();
        agent_files_below(dir.path(), "", &mut found).unwrap();
        found.sort();
        let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["mpota/__init__.py", "mpota/manifest.py", "mpota/tests/x.py", "ota_updater.py"]);
        assert!(found.iter().all(|(name, content)| name.as_bytes() == content));
        assert!(agent_files().unwrap().iter().any(|(name, _)| name == "ota_updater.py"));
    }
}
