//! Which paths a release may hold, their order, and the asset names made from them.

use std::collections::HashSet;

use thiserror::Error;

use crate::limits;

/// Why a path cannot be part of a release.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum PathError {
    /// It has no characters.
    #[error("the path is empty")]
    Empty,
    /// It has more bytes than allowed.
    #[error("the path has {0} bytes, {max} are allowed", max = limits::PATH)]
    TooLong(usize),
    /// It has a character that a board's file system cannot store.
    #[error("the path has the character {0:?}, which not every board can store")]
    Character(char),
    /// It begins or ends with `/`, or has `//`.
    #[error("the path is not relative, or has an empty part between two `/`")]
    EmptyPart,
    /// A part of it is `.` or `..`.
    #[error("the path has the part `{0}`: it must be written without `.` and `..`")]
    Dots(String),
    /// A part of it ends in `.` or a space.
    #[error("the part {0:?} of the path ends in `.` or a space, which FAT drops")]
    Tail(String),
    /// It lies in the updater's own directory.
    #[error("the path lies in `.ota`, the updater's own directory")]
    Updater,
    /// It is `version.json`, or lies below.
    #[error("the updater writes `version.json` itself")]
    VersionJson,
}

impl PathError {
    /// The code of the spec's table.
    #[must_use]
    pub fn code(&self) -> &'static str {
        "path"
    }
}

/// Checks the rules that a path must obey by itself.
///
/// # Errors
/// The first rule that it breaks.
pub fn check_path(path: &str) -> Result<(), PathError> {
    if path.is_empty() {
        return Err(PathError::Empty);
    }
    if path.len() > limits::PATH {
        return Err(PathError::TooLong(path.len()));
    }
    let bad = |c: &char| *c < ' ' || *c == '\x7f' || "\\\"*:<>?|".contains(*c);
    if let Some(c) = path.chars().find(bad) {
        return Err(PathError::Character(c));
    }
    for part in path.split('/') {
        match part {
            "" => return Err(PathError::EmptyPart),
            "." | ".." => return Err(PathError::Dots(part.to_owned())),
            _ if part.ends_with(['.', ' ']) => return Err(PathError::Tail(part.to_owned())),
            _ => {}
        }
    }
    let first = path.split('/').next().unwrap_or_default();
    if first.eq_ignore_ascii_case(".ota") {
        return Err(PathError::Updater);
    }
    if first.eq_ignore_ascii_case("version.json") {
        return Err(PathError::VersionJson);
    }
    Ok(())
}

/// The key by which files are ordered: `A-Z` in lower case, each `/` a zero byte.
#[must_use]
pub fn sort_key(path: &str) -> Vec<u8> {
    path.bytes().map(|b| if b == b'/' { 0 } else { b.to_ascii_lowercase() }).collect()
}

/// Whether `text` has 1 to `most` characters of `A-Z a-z 0-9 . _ -`.
pub(crate) fn is_name(text: &str, most: usize) -> bool {
    (1..=most).contains(&text.len()) && text.bytes().all(is_name_byte)
}

/// Whether `text` is a project: `owner/name` as a manifest may hold it.
#[must_use]
pub fn is_project(text: &str) -> bool {
    text.split_once('/').is_some_and(|(owner, name)| is_name(owner, 64) && is_name(name, 64))
}

fn is_name_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"._-".contains(&b)
}

/// Whether an asset may have this name: one that GitHub leaves as it is, and not `manifest.json`.
#[must_use]
pub fn is_asset_name(name: &str) -> bool {
    is_name(name, limits::ASSET) && !name.starts_with('.') && name != MANIFEST
}

const MANIFEST: &str = "manifest.json";

/// A valid asset name for the file at `path`. Two paths may get the same: see [`asset_names`].
///
/// Every character that GitHub would replace becomes `-`, and of a long path the end is kept.
#[must_use]
pub fn asset_name(path: &str) -> String {
    let flat: String =
        path.chars().map(|c| if c.is_ascii() && is_name_byte(c as u8) { c } else { '-' }).collect();
    let mut name = flat[flat.len().saturating_sub(limits::ASSET)..].to_owned();
    if name.starts_with('.') {
        name.replace_range(..1, "_");
    }
    if name.is_empty() || name == MANIFEST {
        name.insert(0, '_');
    }
    name
}

/// Valid asset names for all `paths`, in their order, no two alike, not even in letter case.
#[must_use]
pub fn asset_names<P: AsRef<str>>(paths: &[P]) -> Vec<String> {
    let mut taken = HashSet::from([MANIFEST.to_owned()]);
    paths
        .iter()
        .map(|path| {
            let first = asset_name(path.as_ref());
            let mut name = first.clone();
            let mut n = 2;
            while !taken.insert(name.to_ascii_lowercase()) {
                name = numbered(&first, n);
                n += 1;
            }
            name
        })
        .collect()
}

/// `name` with `-n` before its extension, not longer than a name may be.
fn numbered(name: &str, n: usize) -> String {
    let dot = name.rfind('.').filter(|&dot| dot > 0 && name.len() - dot <= 16);
    let (stem, extension) = name.split_at(dot.unwrap_or(name.len()));
    let tail = format!("-{n}{extension}");
    format!("{}{tail}", &stem[..stem.len().min(limits::ASSET - tail.len())])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_paths_are_allowed() {
        for path in
            ["a", "boot.py", "lib/util.py", ".config", "a b/ü.py", "...x", "lib/version.json", "lib/.ota/x"]
        {
            assert_eq!(check_path(path), Ok(()), "{path}");
        }
        assert_eq!(check_path(&"x".repeat(128)), Ok(()));
    }

    #[test]
    fn every_rule_has_its_own_reason() {
        for (path, error) in [
            ("", PathError::Empty),
            ("a\tb", PathError::Character('\t')),
            ("a\x7f", PathError::Character('\x7f')),
            ("a\\b", PathError::Character('\\')),
            ("c:", PathError::Character(':')),
            ("/a", PathError::EmptyPart),
            ("a/", PathError::EmptyPart),
            ("a//b", PathError::EmptyPart),
            ("../a", PathError::Dots("..".into())),
            ("a/./b", PathError::Dots(".".into())),
            ("a./b", PathError::Tail("a.".into())),
            ("a /b", PathError::Tail("a ".into())),
            (".OTA/x", PathError::Updater),
            (".ota", PathError::Updater),
            ("Version.Json", PathError::VersionJson),
            ("version.json/x", PathError::VersionJson),
        ] {
            assert_eq!(check_path(path), Err(error), "{path:?}");
        }
        assert_eq!(check_path(&"ü".repeat(65)), Err(PathError::TooLong(130)));
    }

    #[test]
    fn a_directory_comes_before_its_longer_neighbours() {
        let mut paths = ["b.py", "a/b", "A.py", "a-b", "a"];
        paths.sort_by_key(|p| sort_key(p));
        assert_eq!(paths, ["a", "a/b", "a-b", "A.py", "b.py"]);
    }

    #[test]
    fn asset_names_are_what_github_leaves_alone() {
        for (path, name) in [
            ("boot.py", "boot.py"),
            ("lib/util.py", "lib-util.py"),
            (".config", "_config"),
            ("a b/ü.py", "a-b--.py"),
            ("manifest.json", "_manifest.json"),
            ("", "_"),
        ] {
            assert_eq!(asset_name(path), name);
            assert!(is_asset_name(name));
        }
        assert!(is_asset_name(&asset_name(&format!("{}/x.py", "d".repeat(120)))));
    }

    #[test]
    fn asset_names_are_unique_whatever_the_paths() {
        let long = "d".repeat(120);
        let paths = [
            "lib-util.py",
            "lib/util.py",
            "lib-util-2.py",
            "LIB/util.py",
            "manifest.json",
            "_manifest.json",
            ".x",
            "_x",
            &long,
            &format!("{long}e"),
            &format!("a{long}e"),
            &format!("b{long}e"),
        ];
        let names = asset_names(&paths);
        assert!(names.iter().all(|n| is_asset_name(n)), "{names:?}");
        let lower: HashSet<String> = names.iter().map(|n| n.to_ascii_lowercase()).collect();
        assert_eq!(lower.len(), paths.len(), "{names:?}");
        assert_eq!(names[..3], ["lib-util.py", "lib-util-2.py", "lib-util-2-2.py"]);
    }
}
