//! The folder of certificate authorities that boards load: one DER file each.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use mpota_format::digest::{hex, sha256};
use thiserror::Error;

use crate::board::roots::Root;
use crate::files::{self, FileError};
use crate::remote::source;

/// What tells our files from others. Hidden: no release takes it along.
const RECORD: &str = ".mpota-ca";
/// No certificate is larger.
const LIMIT: u64 = 1 << 20;

/// Why the folder is not as it should be.
#[derive(Debug, Error, Diagnostic)]
#[non_exhaustive]
pub enum CaError {
    /// A name is taken by something that is not ours.
    #[error("{} is there already, and mpota did not write it", .0.display())]
    #[diagnostic(code(ca::taken))]
    #[diagnostic(help("move it away, or write to another folder with --dir"))]
    Taken(PathBuf),
    /// It cannot be read or written.
    #[error(transparent)]
    #[diagnostic(transparent)]
    File(#[from] FileError),
}

/// What was done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// The certificates that are in the folder now, by file name.
    pub files: Vec<String>,
    /// Files of ours that were removed.
    pub removed: Vec<String>,
    /// Files of ours that are not in the set any more, and stay.
    pub old: Vec<String>,
    /// Files that are not ours, and stay.
    pub others: Vec<String>,
}

/// Puts the certificates into the folder. Of what else is there, only files that an earlier run
/// wrote are removed, and those only if `prune` says so.
pub fn write(folder: &Path, roots: &[Root], prune: bool) -> Result<Written, CaError> {
    files::make_folders(folder)?;
    let before = read_record(folder)?;
    let mut record = BTreeMap::new();
    let mut done = Written::default();
    let wanted: BTreeMap<String, &Root> = roots.iter().map(|root| (root.file(), root)).collect();
    for (name, root) in &wanted {
        // All of it is looked at before the first file is written.
        let path = folder.join(name);
        if let Some(there) = digest(&path)? {
            let ours = there == root.sha256() || before.get(name) == Some(&there);
            if !ours {
                return Err(CaError::Taken(path));
            }
        }
    }
    for name in source::list(folder)?.into_iter().filter(|name| name != RECORD) {
        if wanted.contains_key(&name) {
            continue;
        }
        let path = folder.join(&name);
        match before.get(&name).filter(|wrote| digest(&path).is_ok_and(|d| d.as_ref() == Some(wrote))) {
            None => done.others.push(name),
            Some(_) if prune => {
                fs::remove_file(&path).map_err(FileError::at("remove", &path))?;
                done.removed.push(name);
            }
            Some(wrote) => {
                record.insert(name.clone(), wrote.clone());
                done.old.push(name);
            }
        }
    }
    for (name, root) in wanted {
        files::replace(&folder.join(&name), &root.der)?;
        record.insert(name.clone(), root.sha256());
        done.files.push(name);
    }
    let lines: String = record.iter().map(|(name, digest)| format!("{digest}  {name}\n")).collect();
    files::replace(&folder.join(RECORD), lines.as_bytes())?;
    Ok(done)
}

/// What earlier runs wrote: name and digest, as `sha256sum` writes them.
fn read_record(folder: &Path) -> Result<BTreeMap<String, String>, FileError> {
    let path = folder.join(RECORD);
    if path.symlink_metadata().is_err() {
        return Ok(BTreeMap::new());
    }
    let text = files::read_text(&path, LIMIT)?;
    let entry = |line: &str| line.split_once("  ").map(|(digest, name)| (name.to_owned(), digest.to_owned()));
    Ok(text.lines().filter_map(entry).collect())
}

/// SHA-256 of what lies there, in hex; `None` if nothing does. A folder or link is nobody's file.
fn digest(path: &Path) -> Result<Option<String>, FileError> {
    match path.symlink_metadata() {
        Err(_) => Ok(None),
        Ok(metadata) if !metadata.is_file() => Ok(Some(String::new())),
        Ok(_) => Ok(Some(hex(&sha256(&files::read(path, LIMIT)?)))),
    }
}
