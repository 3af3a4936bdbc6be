//! Lays the updater's own files out in a folder as they lie on a board.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use thiserror::Error;

use super::updater::Form;
use crate::files::{self, FileError};

/// Where the updater lies on a board.
const LIB: &str = "lib";
/// No file of a board's `lib/` that can be ours is larger.
const LARGEST: u64 = 1 << 20;
/// So many paths are named in an error.
const NAMED: usize = 5;

/// Why nothing was written.
#[derive(Debug, Error, Diagnostic)]
#[non_exhaustive]
pub enum LayError {
    /// Files that are there are not those of this updater.
    #[error("{} is there and is not of this updater: {}", count(.0), list(.0))]
    #[diagnostic(code(updater::others))]
    #[diagnostic(help(
        "--force replaces what has the name of a file of the updater, and removes what would be loaded in its place"
    ))]
    Others(Vec<PathBuf>),
    /// A file cannot be read or written.
    #[error(transparent)]
    #[diagnostic(transparent)]
    File(#[from] FileError),
}

fn count(paths: &[PathBuf]) -> String {
    if paths.len() == 1 { "1 file".into() } else { format!("each of {} files", paths.len()) }
}

fn list(paths: &[PathBuf]) -> String {
    let mut names: Vec<String> = paths.iter().take(NAMED).map(|path| path.display().to_string()).collect();
    if paths.len() > NAMED {
        names.push("...".into());
    }
    names.join(", ")
}

/// What was done.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Laid {
    /// Files of the updater in the folder, all of them.
    pub files: usize,
    /// Files that were other ones, and are the updater's now.
    pub replaced: Vec<PathBuf>,
    /// Files that would have been loaded in the place of the updater's, and are gone.
    pub removed: Vec<PathBuf>,
}

/// Writes the updater into `lib/` of the folder `board`. With `force` it overwrites what is there; else it
/// refuses, and has changed nothing.
pub fn lay(board: &Path, form: Form, force: bool) -> Result<Laid, LayError> {
    let contents = form.contents();
    let lib = board.join(LIB);
    let (mut missing, mut replaced) = (Vec::new(), Vec::new());
    for (name, bytes) in contents {
        let path = lib.join(name);
        if !is_there(&path) {
            missing.push((path, *bytes));
        } else if files::read(&path, LARGEST)? != *bytes {
            replaced.push((path, *bytes));
        }
    }
    let removed = in_the_way(board, &lib, form);
    let mut others: Vec<PathBuf> = replaced.iter().map(|(path, _)| path.clone()).collect();
    others.extend(removed.iter().cloned());
    if !force && !others.is_empty() {
        return Err(LayError::Others(others));
    }
    for (path, bytes) in missing {
        files::make_folders(path.parent().unwrap_or(&lib))?;
        files::write_new(&path, bytes, 0o666)?;
    }
    for (path, bytes) in &replaced {
        files::replace(path, bytes)?;
    }
    for path in &removed {
        fs::remove_file(path).map_err(FileError::at("remove", path))?;
    }
    let replaced = replaced.into_iter().map(|(path, _)| path).collect();
    Ok(Laid { files: contents.len(), replaced, removed })
}

/// What a board would load before our files, or beside them: the same modules in the other form, and those
/// in the board's first folder.
fn in_the_way(board: &Path, lib: &Path, form: Form) -> Vec<PathBuf> {
    let mut paths = BTreeSet::new();
    for (name, _) in form.contents() {
        let ours = lib.join(name);
        for path in [ours.clone(), board.join(name)] {
            paths.extend(["py", "mpy"].map(|ending| path.with_extension(ending)));
        }
        paths.remove(&ours);
    }
    paths.into_iter().filter(|path| is_there(path)).collect()
}

/// Something is there, be it a link to nowhere.
fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}
