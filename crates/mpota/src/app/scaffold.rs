//! The files that `mpota init` puts beside `mpota.toml`: the template of an app of one of four kinds.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::files::{self, FileError};

/// What an app does between two looks for an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// It wakes up, works, and sleeps deeply.
    Sleeps,
    /// It never returns.
    Runs,
    /// It runs on asyncio.
    Asyncio,
    /// It leaves no memory for an update.
    Full,
}

impl Life {
    /// All of them.
    pub const ALL: [Life; 4] = [Self::Sleeps, Self::Runs, Self::Asyncio, Self::Full];

    /// Its name on the command line, and of its folder in `device/template`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sleeps => "sleeps",
            Self::Runs => "runs",
            Self::Asyncio => "asyncio",
            Self::Full => "full",
        }
    }

    fn app(self) -> &'static str {
        match self {
            Self::Sleeps => include_str!("../../../../device/template/sleeps/app.py"),
            Self::Runs => include_str!("../../../../device/template/runs/app.py"),
            Self::Asyncio => include_str!("../../../../device/template/asyncio/app.py"),
            Self::Full => include_str!("../../../../device/template/full/app.py"),
        }
    }

    /// Path and content of each file, for this project.
    pub fn files(self, project: &str) -> [(&'static str, String); 5] {
        let (owner, repo) = project.split_once('/').unwrap_or(("owner", project));
        let updates = include_str!("../../../../device/template/updates.py")
            .replace("github.com/octo/weather", &format!("github.com/{owner}/{repo}"))
            .replace("\"owner\": \"octo\"", &format!("\"owner\": \"{owner}\""))
            .replace("\"repo\": \"weather\"", &format!("\"repo\": \"{repo}\""));
        [
            ("boot.py", include_str!("../../../../device/template/boot.py").to_owned()),
            ("main.py", include_str!("../../../../device/template/main.py").to_owned()),
            ("updates.py", updates),
            ("wifi.py", include_str!("../../../../device/template/wifi.py").to_owned()),
            ("app.py", self.app().to_owned()),
        ]
    }
}

impl fmt::Display for Life {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What was written, and what was there and stays as it was.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Written {
    /// New files.
    pub new: Vec<PathBuf>,
    /// Files that were there.
    pub left: Vec<PathBuf>,
}

/// Writes the files of the template into `folder`, those that are not there.
pub fn write(folder: &Path, life: Life, project: &str) -> Result<Written, FileError> {
    write_those(folder, &life.files(project))
}

/// Writes `boot.py` alone, beside an app of somebody's own.
pub fn write_boot(folder: &Path) -> Result<Written, FileError> {
    write_those(folder, &Life::Sleeps.files("")[..1])
}

fn write_those(folder: &Path, files: &[(&str, String)]) -> Result<Written, FileError> {
    let mut written = Written::default();
    for (name, text) in files {
        let path = folder.join(name);
        match files::write_new(&path, text.as_bytes(), 0o666) {
            Ok(()) => written.new.push(path),
            Err(error) if error.source.kind() == std::io::ErrorKind::AlreadyExists => written.left.push(path),
            Err(error) => return Err(error),
        }
    }
    Ok(written)
}
