//! What an update from one release to another means for a board.

use std::collections::BTreeMap;

use mpota_format::manifest::{FileEntry, Manifest, Place};
use serde::Serialize;

use crate::app::keep::is_updater;

/// The difference between two releases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Difference {
    /// Where the older one was read.
    pub against: String,
    /// Its version.
    pub version: String,
    /// Whether boards that have it take the other one by themselves.
    pub newer: bool,
    /// Paths that only the new one has.
    pub added: Vec<String>,
    /// Paths with another content.
    pub changed: Vec<String>,
    /// Paths that only the old one has.
    pub removed: Vec<String>,
    /// Paths of the old one that stay as a board has them: what is kept, and what only the old one has but a
    /// board would not start without.
    pub kept: Vec<String>,
    /// Bytes of the manifest, which is always fetched.
    pub manifest: u64,
    /// Bytes of the files that a board fetches besides, if its own are those of the old one. What was changed
    /// on it or damaged, and is not kept, it fetches too.
    pub files: u64,
}

/// Compares `new`, whose manifest has `size` bytes, with `old`, which was read at `against`.
pub(crate) fn compare(new: &Manifest, size: u64, old: &Manifest, against: String) -> Difference {
    let before: BTreeMap<&str, &FileEntry> = old.files.iter().map(|file| (&*file.path, file)).collect();
    let has_updater = new.files.iter().any(|file| is_updater(&file.path));
    let mut difference = Difference {
        against,
        version: old.header.version.to_string(),
        newer: new.header.version > old.header.version,
        added: Vec::new(),
        changed: Vec::new(),
        removed: Vec::new(),
        kept: Vec::new(),
        manifest: size,
        files: 0,
    };
    for file in &new.files {
        match before.get(&*file.path) {
            Some(_) if file.keep && !is_updater(&file.path) => {
                difference.kept.push(file.path.clone());
                continue;
            }
            Some(old) if old.sha256 == file.sha256 => continue,
            Some(_) => difference.changed.push(file.path.clone()),
            None => difference.added.push(file.path.clone()),
        }
        difference.files += match file.place {
            Place::Packed { length, .. } => length,
            _ => file.size,
        };
    }
    for file in &old.files {
        if new.files.iter().any(|other| other.path == file.path) {
            continue;
        }
        let starts = file.path == "boot.py" || file.path == "main.py";
        let stays = if is_updater(&file.path) { !has_updater } else { starts || file.keep };
        if stays {
            difference.kept.push(file.path.clone());
        } else {
            difference.removed.push(file.path.clone());
        }
    }
    difference
}
