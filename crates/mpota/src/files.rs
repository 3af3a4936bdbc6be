//! Files on this computer: bounded reads, writes that are whole or not there.

use std::fmt::Display;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use thiserror::Error;

/// Something about a file or folder did not work.
#[derive(Debug, Error)]
#[error("cannot {action} {}", path.display())]
pub struct FileError {
    /// What was tried, as a verb.
    pub action: &'static str,
    /// With which file or folder.
    pub path: PathBuf,
    /// Why it failed.
    #[source]
    pub source: io::Error,
    /// What to do about it; without that it is what `source` leads to.
    pub hint: Option<String>,
}

impl Diagnostic for FileError {
    fn code<'a>(&'a self) -> Option<Box<dyn Display + 'a>> {
        Some(Box::new(match self.source.kind() {
            ErrorKind::NotFound => "file::missing",
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => "file::denied",
            ErrorKind::AlreadyExists => "file::exists",
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "file::full",
            _ => "file::failed",
        }))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn Display + 'a>> {
        let usual = match self.source.kind() {
            ErrorKind::NotFound => "is the path right?",
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                "change its permissions, or use another folder"
            }
            ErrorKind::AlreadyExists => "move it away, or use another name",
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "make room, and run it again",
            _ => return self.hint.as_ref().map(|hint| Box::new(hint) as Box<dyn Display>),
        };
        match &self.hint {
            Some(hint) => Some(Box::new(hint)),
            None => Some(Box::new(usual)),
        }
    }
}

impl FileError {
    pub(crate) fn new(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self { action, path: path.to_owned(), source, hint: None }
    }

    /// A function for `map_err`.
    pub(crate) fn at(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::new(action, path, source)
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Reads a regular file of at most `limit` bytes.
pub fn read(path: &Path, limit: u64) -> Result<Vec<u8>, FileError> {
    // Asked before opening: opening a pipe would wait for its other end.
    let kind = fs::metadata(path).map_err(FileError::at("read", path))?;
    if !kind.is_file() {
        return Err(FileError::new("read", path, io::Error::other("not a regular file")));
    }
    let file = File::open(path).map_err(FileError::at("read", path))?;
    let expected = usize::try_from(kind.len().min(limit)).unwrap_or_default();
    let mut bytes = Vec::with_capacity(expected.saturating_add(1));
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(FileError::at("read", path))?;
    if bytes.len() as u64 > limit {
        let why = format!("more than the {limit} bytes that are allowed");
        return Err(FileError::new("read", path, io::Error::other(why)));
    }
    Ok(bytes)
}

/// Reads a text file of at most `limit` bytes.
pub fn read_text(path: &Path, limit: u64) -> Result<String, FileError> {
    String::from_utf8(read(path, limit)?)
        .map_err(|_| FileError::new("read", path, io::Error::other("not UTF-8 text")))
}

/// Writes a file that was not there before. `mode` counts on Unix.
pub(crate) fn write_new(path: &Path, bytes: &[u8], mode: u32) -> Result<(), FileError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    #[cfg(not(unix))]
    let _ = mode;
    let mut file = options.open(path).map_err(FileError::at("make", path))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(|source| {
        // A half-written file would stop the next try from making it.
        let _ = fs::remove_file(path);
        FileError::new("write", path, source)
    })
}

/// Writes a file beside `path` and moves it there, so that nobody sees half of it.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let temporary = sibling(path, "new");
    write_new(&temporary, bytes, 0o666)?;
    fs::rename(&temporary, path).map_err(|source| {
        let _ = fs::remove_file(&temporary);
        FileError::new("replace", path, source)
    })
}

/// Makes a folder and those above it.
pub(crate) fn make_folders(path: &Path) -> Result<(), FileError> {
    fs::create_dir_all(path).map_err(FileError::at("make the folder", path))
}

/// A hidden name beside `path` that is this process's own.
pub(crate) fn sibling(path: &Path, what: &str) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.mpota-{what}-{}", std::process::id()))
}

/// `~/x` as `x` in the user's home folder, everything else as it is.
pub fn expand_home(path: &Path) -> PathBuf {
    match (path.strip_prefix("~"), std::env::home_dir()) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path.to_owned(),
    }
}

/// A program of another package: from the `PATH`, or from the folder that has this program, which is that of
/// the same venv.
pub fn program(name: &str) -> Option<PathBuf> {
    let mut folders: Vec<PathBuf> =
        std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default();
    folders.extend(std::env::current_exe().ok().and_then(|path| path.parent().map(Path::to_owned)));
    let name = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    folders.iter().map(|folder| folder.join(&name)).find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_at_the_limit_is_read_and_one_above_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        fs::write(&path, [7; 10]).unwrap();
        assert_eq!(read(&path, 10).unwrap(), [7; 10]);
        assert!(read(&path, 9).unwrap_err().source.to_string().contains("9 bytes"));
    }

    #[test]
    fn write_new_leaves_what_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        write_new(&path, b"one", 0o600).unwrap();
        assert!(write_new(&path, b"two", 0o600).is_err());
        assert_eq!(fs::read(&path).unwrap(), b"one");
    }

    #[test]
    fn replace_leaves_no_other_file_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        replace(&path, b"one").unwrap();
        replace(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
