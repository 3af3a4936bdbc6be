//! A release folder while it is being written: beside its later place, and gone again unless it was moved there.

use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::files::{self, FileError};
use crate::release::dist::{self, DistError, MANIFEST};

/// What is between the name of a folder and the number of the process that writes it.
const NEW: &str = "new";

/// Such a folder.
#[derive(Debug)]
pub(crate) struct Staging {
    path: PathBuf,
    /// The folder where it shall lie.
    folder: PathBuf,
    /// The asset that is being written.
    open: Option<Open>,
    /// Holds the lock of `path`, which tells others that it is in use.
    _lock: Option<File>,
}

#[derive(Debug)]
struct Open {
    name: String,
    path: PathBuf,
    file: BufWriter<File>,
}

impl Drop for Staging {
    fn drop(&mut self) {
        // After the move there is nothing at this path any more.
        let _ = fs::remove_dir_all(&self.path);
    }
}

impl Staging {
    /// An empty one for `folder`, which must be one of ours.
    pub fn new(folder: &Path) -> Result<Self, DistError> {
        dist::check_ours(folder)?;
        if let Some(parent) = folder.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            files::make_folders(parent)?;
        }
        sweep(folder);
        let path = files::sibling(folder, NEW);
        fs::create_dir(&path).map_err(FileError::at("make the folder", &path))?;
        let lock = File::open(&path).ok().filter(|lock| lock.try_lock().is_ok());
        Ok(Self { path, folder: folder.to_owned(), open: None, _lock: lock })
    }

    /// Writes to the end of an asset. One is written after the other.
    pub fn put(&mut self, asset: &str, bytes: &[u8]) -> Result<(), FileError> {
        if self.open.as_ref().is_none_or(|open| open.name != asset) {
            self.close()?;
            let path = self.path.join(asset);
            let file = OpenOptions::new().write(true).create_new(true).open(&path);
            let file = BufWriter::new(file.map_err(FileError::at("make", &path))?);
            self.open = Some(Open { name: asset.to_owned(), path, file });
        }
        let Some(open) = &mut self.open else { return Ok(()) };
        open.file.write_all(bytes).map_err(FileError::at("write", &open.path))
    }

    fn close(&mut self) -> Result<(), FileError> {
        let Some(open) = self.open.take() else { return Ok(()) };
        let failed = FileError::at("write", &open.path);
        let file = open.file.into_inner().map_err(std::io::IntoInnerError::into_error);
        file.and_then(|file| file.sync_all()).map_err(failed)
    }

    /// Adds the manifest and puts all of it into its place, over the release before it. `last_check` runs before
    /// anything is replaced.
    pub fn finish<E: From<DistError>>(
        mut self,
        manifest: &[u8],
        last_check: impl FnOnce() -> Result<(), E>,
    ) -> Result<(), E> {
        self.put(MANIFEST, manifest).and_then(|()| self.close()).map_err(DistError::from)?;
        last_check()?;
        self.move_in().map_err(DistError::from)?;
        Ok(())
    }

    fn move_in(&self) -> Result<(), FileError> {
        let folder = &self.folder;
        if !folder.exists() {
            return fs::rename(&self.path, folder).map_err(FileError::at("make", folder));
        }
        let old = files::sibling(folder, "old");
        fs::rename(folder, &old).map_err(FileError::at("replace", folder))?;
        if let Err(error) = fs::rename(&self.path, folder) {
            // What was there comes back; if that fails too, it lies at `old` and the error names it.
            let back = fs::rename(&old, folder);
            let failed = FileError::new("replace", folder, error);
            return Err(match back {
                Ok(()) => failed,
                Err(_) => failed.hint(format!("what was there is now {}", old.display())),
            });
        }
        fs::remove_dir_all(&old).map_err(FileError::at("remove", &old))
    }
}

/// Removes what builds have left that were killed: nobody holds the lock.
fn sweep(folder: &Path) {
    let mine = files::sibling(folder, NEW);
    let Some(name) = mine.file_name().and_then(|name| name.to_str()) else { return };
    let beside = name.trim_end_matches(|digit: char| digit.is_ascii_digit());
    let Ok(names) = mine.parent().map_or(Ok(Vec::new()), crate::remote::source::list) else { return };
    for other in names.iter().filter(|other| other.starts_with(beside)) {
        let path = mine.with_file_name(other);
        // Windows opens no folder as a file: there they stay.
        if File::open(&path).is_ok_and(|lock| path.is_dir() && lock.try_lock().is_ok()) {
            let _ = fs::remove_dir_all(&path);
        }
    }
}
