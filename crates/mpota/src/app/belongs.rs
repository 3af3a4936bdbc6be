//! What lies in an ordinary repository, and not on a board.

use std::path::Path;

use crate::release::input::Input;

/// Folders that tools make and no board reads, wherever they lie.
const FOLDERS: [&str; 14] = [
    "node_modules",
    "__pypackages__",
    "site-packages",
    ".venv",
    ".git",
    ".github",
    ".vscode",
    ".idea",
    ".micropico",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    ".tox",
    ".vs",
];
/// Files of the same kind.
const FILES: [&str; 4] = [".ds_store", "thumbs.db", "desktop.ini", ".gitignore"];
/// Folders with descriptions of types for editors, where there is a `.pyi` in them.
const TYPES: [&str; 4] = ["typings", "stubs", "typestubs", "type-stubs"];
/// Folders with tests, where there is one in them.
const TESTS: [&str; 2] = ["tests", "test"];
/// Names of copies.
const COPIES: [&str; 7] = ["~", ".bak", ".backup", ".orig", ".save", ".old", ".swp"];
/// Ends of files that are for a computer.
const ARCHIVES: [&str; 7] = [".zip", ".whl", ".gz", ".tar", ".tgz", ".7z", ".code-workspace"];

/// The smallest firmware there is, about.
const FIRMWARE: u64 = 100_000;

/// Whether a release is without this, unless a pattern of `include` names it.
pub(crate) fn is_left_out(path: &Path) -> bool {
    let Some(name) = path.file_name().map(|name| name.to_string_lossy().to_lowercase()) else { return false };
    if !path.is_dir() {
        return FILES.contains(&&*name) || name.ends_with(".pyi");
    }
    FOLDERS.contains(&&*name)
        || path.join("pyvenv.cfg").is_file()
        || TYPES.contains(&&*name) && holds(path, &|name| name.ends_with(".pyi"), 6)
        || TESTS.contains(&&*name) && holds(path, &is_test, 3)
}

fn is_test(name: &str) -> bool {
    name == "conftest.py"
        || name.ends_with(".py") && (name.starts_with("test_") || name.ends_with("_test.py"))
}

/// Whether there is such a file in the folder, so many folders deep.
fn holds(folder: &Path, wanted: &dyn Fn(&str) -> bool, depth: usize) -> bool {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.into_iter().any(|entry| match entry.file_type() {
        Ok(kind) if kind.is_dir() => depth > 0 && holds(&entry.path(), wanted, depth - 1),
        _ => wanted(&entry.file_name().to_string_lossy().to_lowercase()),
    })
}

/// Whether one of the patterns says the name of this, or of what it lies in and that is left out else: then it
/// is meant.
pub(crate) fn is_named(patterns: &[String], root: &Path, path: &Path) -> bool {
    let below = path.ancestors().take_while(|above| *above != root);
    below.filter(|above| is_left_out(above)).any(|above| {
        let name = above.file_name().map(|name| name.to_string_lossy().into_owned());
        patterns.iter().any(|pattern| pattern.split('/').any(|part| Some(part) == name.as_deref()))
    })
}

/// Why a file of the release may not be meant for a board.
pub(crate) fn doubt(file: &Input) -> Option<&'static str> {
    let path = file.path.to_lowercase();
    let is = |ends: &[&str]| ends.iter().any(|end| path.ends_with(end));
    let first = path.split('/').next().filter(|_| path.contains('/'));
    let image =
        is(&[".bin", ".img"]) && file.facts.size > FIRMWARE && file.facts.begin.first() == Some(&0xe9);
    if is(&[".uf2", ".hex", ".dfu", ".elf"]) || image {
        Some("a firmware image: an update brings files, and no firmware")
    } else if is(&COPIES) {
        Some("a copy that an editor or a person left")
    } else if is(&ARCHIVES) {
        Some("made for a computer")
    } else if first.is_some_and(|first| ["docs", "doc"].contains(&first)) {
        Some("in the folder of the documentation")
    } else {
        None
    }
}

/// Bytes for files on a Pico, and on an ESP32 with 4 MB of flash.
const SMALL: u64 = 1_400_000;
const COMMON: u64 = 2_000_000;

/// What has no room on common boards, in words.
pub(crate) fn too_large(files: &[Input]) -> Option<String> {
    let sum: u64 = files.iter().map(|file| file.facts.size).sum();
    if sum <= SMALL {
        return None;
    }
    let who = match sum > COMMON {
        true => "a Pico has about 1.4 MB for files, a common ESP32 about 2 MB",
        false => "a Pico has about 1.4 MB for files",
    };
    Some(format!("the files take {sum} bytes on the board, compressed or not: {who}"))
}

/// The largest five files, the largest first.
pub fn largest<'a>(files: impl Iterator<Item = (&'a str, u64)>) -> Vec<(&'a str, u64)> {
    let mut files: Vec<_> = files.collect();
    files.sort_by(|(a, small), (b, large)| large.cmp(small).then(a.cmp(b)));
    files.truncate(5);
    files
}
