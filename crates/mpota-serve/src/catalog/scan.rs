//! Listing folders without leaving the root.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::digest::Stamp;
use super::known::Seen;

const MANIFEST: &str = "manifest.json";
/// More than a manifest's first line may be.
const MOST_HEADER: u64 = 64 * 1024;

/// Something that lies in a folder: a folder or a regular file.
pub(crate) struct Entry {
    pub name: String,
    pub path: PathBuf,
    pub is_dir: bool,
    pub stamp: Stamp,
}

/// What lies in `folder`: no dot names, nothing but folders and regular
/// files, and of symlinks only those that stay below `root`.
pub(crate) fn entries(root: &Path, folder: &Path, seen: &mut Seen) -> Vec<Entry> {
    // Noted before it is read: what changes meanwhile differs from the note.
    seen.note(folder, Stamp::at(folder));
    let entry = |entry: fs::DirEntry| {
        let name = entry.file_name().into_string().ok()?;
        if name.starts_with('.') {
            return None;
        }
        let mut path = entry.path();
        if entry.file_type().ok()?.is_symlink() {
            seen.elsewhere();
            path = path.canonicalize().ok()?;
            if !path.starts_with(root) {
                return None;
            }
        }
        let metadata = fs::symlink_metadata(&path).ok()?;
        (metadata.is_dir() || metadata.is_file()).then(|| Entry {
            name,
            path,
            is_dir: metadata.is_dir(),
            stamp: Stamp::of(&metadata),
        })
    };
    fs::read_dir(folder).into_iter().flatten().flatten().filter_map(entry).collect()
}

/// Whether these names lead to a folder below `root`, found by listing.
pub(crate) fn is_folder(root: &Path, names: &[&str], seen: &mut Seen) -> bool {
    let mut folder = root.to_owned();
    for name in names {
        let same = |entry: &Entry| entry.is_dir && entry.name.eq_ignore_ascii_case(name);
        match entries(root, &folder, seen).into_iter().find(same) {
            Some(entry) => folder = entry.path,
            None => return false,
        }
    }
    true
}

/// What a manifest's first line says about the whole.
#[derive(Deserialize)]
pub(crate) struct Header {
    #[serde(default)]
    pub project: String,
    pub version: String,
}

/// The header of the manifest in this folder, if there is one that names a
/// version.
pub(crate) fn manifest_in(root: &Path, seen: &mut Seen) -> Option<Header> {
    let found =
        entries(root, root, seen).into_iter().find(|entry| !entry.is_dir && entry.name == MANIFEST)?;
    seen.note(&found.path, Some(found.stamp));
    let file = fs::File::open(found.path).ok()?;
    let mut line = String::new();
    BufReader::new(file.take(MOST_HEADER)).read_line(&mut line).ok()?;
    let line = line.trim_end();
    let header: Header =
        serde_json::from_str(&format!("{line}]}}")).or_else(|_| serde_json::from_str(line)).ok()?;
    let usable = |name: &str| !name.is_empty() && !name.contains(char::is_control);
    let project = if usable(&header.project) { header.project } else { "app".to_owned() };
    usable(&header.version).then_some(Header { project, version: header.version })
}
