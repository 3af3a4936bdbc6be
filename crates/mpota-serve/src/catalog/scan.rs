//! Listing folders without leaving the root.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::digest::Stamp;

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
pub(crate) fn entries(root: &Path, folder: &Path) -> impl Iterator<Item = Entry> + use<> {
    let root = root.to_owned();
    fs::read_dir(folder).into_iter().flatten().flatten().filter_map(move |entry| {
        let name = entry.file_name().into_string().ok()?;
        if name.starts_with('.') {
            return None;
        }
        let mut path = entry.path();
        if entry.file_type().ok()?.is_symlink() {
            path = path.canonicalize().ok()?;
            if !path.starts_with(&root) {
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
    })
}

/// Whether these names lead to a folder below `root`, found by listing.
pub(crate) fn is_folder(root: &Path, names: &[&str]) -> bool {
    let mut folder = root.to_owned();
    for name in names {
        let found =
            entries(root, &folder).find(|entry| entry.is_dir && entry.name.eq_ignore_ascii_case(name));
        match found {
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
pub(crate) fn manifest_in(root: &Path) -> Option<Header> {
    let found = entries(root, root).find(|entry| !entry.is_dir && entry.name == MANIFEST)?;
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
