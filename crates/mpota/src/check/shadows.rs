//! Files of a release that an import on the board finds before something else: before a module of the
//! firmware, before the updater, or before another file of the release.
//!
//! An import looks into `/`, then into what the firmware has frozen, then into `/lib`, and only then at
//! what is built in. In each folder it takes a package before a `.py`, and that before a `.mpy`.

use std::collections::{BTreeMap, BTreeSet};

use miette::Diagnostic;
use thiserror::Error;

use crate::board::updater;

/// Where an import looks for files on a board.
const ROOTS: [&str; 2] = ["lib/", ""];

/// The module by which the updater is found.
const GUARD: &str = "ota_updater";

/// Started by the firmware by their paths, so that a folder does not come before them.
const STARTED: [&str; 2] = ["boot.py", "main.py"];

/// Why a board would not import what somebody meant it to.
#[derive(Debug, Error, Diagnostic)]
#[non_exhaustive]
pub enum ShadowError {
    /// A file in the place of a module of the firmware.
    #[error(
        "{path} hides the firmware's module {module}: an app that imports {module} gets this file instead"
    )]
    #[diagnostic(code(shadow::firmware))]
    #[diagnostic(help(
        "rename or exclude it; the updater itself imports past it. If the app shall get this file: --allow-shadow {module}, or shadow = [\"{module}\"] under [allow] in mpota.toml"
    ))]
    Firmware {
        /// Which file.
        path: String,
        /// The module.
        module: String,
    },
    /// `--allow-shadow` for a module that nothing hides.
    #[error("--allow-shadow {0}: no file of the release hides a module of this name that the updater needs")]
    #[diagnostic(code(shadow::allow_unused))]
    #[diagnostic(help("name the module, like json, and not the file"))]
    NotHidden(String),
    /// A part of the updater.
    #[error("{path} would take the place of the updater's on the board, but {missing} is not in the release")]
    #[diagnostic(code(shadow::part))]
    #[diagnostic(help(
        "a release holds all of the updater or nothing of it: take every file of device/, or exclude {path}; if that is no part of this updater (others have an ota_updater.py too), rename it"
    ))]
    Part {
        /// A file that is there.
        path: String,
        /// A file that is not.
        missing: String,
    },
    /// A module of the updater in two places or two forms.
    #[error("{one} and {two} are the same module of the updater")]
    #[diagnostic(code(shadow::twice))]
    #[diagnostic(help("exclude one of them"))]
    Twice {
        /// One file.
        one: String,
        /// The other one.
        two: String,
    },
    /// The updater in two folders.
    #[error("{one} and {two} are parts of the updater, which has to be in one folder")]
    #[diagnostic(code(shadow::apart))]
    #[diagnostic(help("put all of it into lib/"))]
    Apart {
        /// One file.
        one: String,
        /// The other one.
        two: String,
    },
    /// A file with a name of the updater's that it does not have.
    #[error("{path} would be found where the updater is imported, and is no file of it")]
    #[diagnostic(code(shadow::stranger))]
    #[diagnostic(help(
        "rename or exclude it; to release another version of the updater use the mpota of that version"
    ))]
    Stranger {
        /// Which file.
        path: String,
    },
    /// A file that no import finds.
    #[error("{by} hides {path}: no import finds that")]
    #[diagnostic(code(shadow::hidden))]
    #[diagnostic(help("exclude one of them, or rename it"))]
    Hidden {
        /// The file that is not found.
        path: String,
        /// The file or folder that is found before it.
        by: String,
    },
}

/// Refuses what would be imported by mistake. `allowed` are modules of the firmware.
pub(crate) fn check<'a>(
    paths: impl Iterator<Item = &'a str> + Clone,
    allowed: &[String],
) -> Result<(), ShadowError> {
    check_updater(paths.clone())?;
    check_forms(paths.clone())?;
    let mut hidden = BTreeSet::new();
    for (path, module) in paths.filter_map(|path| Some((path, hides(path)?))) {
        if !allowed.iter().any(|name| name == module) {
            return Err(ShadowError::Firmware { path: path.to_owned(), module: module.to_owned() });
        }
        hidden.insert(module);
    }
    match allowed.iter().find(|name| !hidden.contains(name.as_str())) {
        Some(name) => Err(ShadowError::NotHidden(name.clone())),
        None => Ok(()),
    }
}

/// The module of the firmware that this file hides, of those that the updater needs.
pub(crate) fn hides(path: &str) -> Option<&'static str> {
    let name = imported(path)?.name.to_ascii_lowercase(); // FAT does not tell the cases apart
    updater::firmware_modules().get(&name).map(String::as_str)
}

/// The name under which an import comes to this file, or to the package that it is in.
pub(crate) fn module(path: &str) -> Option<&str> {
    imported(path).map(|file| file.name)
}

/// What to know where modules in `lib/` come with a release that boards with ROMFS may take.
pub(crate) fn note<'a>(mut paths: impl Iterator<Item = &'a str>, mpy: Option<&str>) -> Option<String> {
    // .mpy files of an older version are for firmware that has no ROMFS yet.
    if mpy.is_some_and(|version| matches!(version, "6.1" | "6.2")) {
        return None;
    }
    let name = paths.find_map(|path| path.strip_prefix("lib/").filter(|name| stem(name) == Some(GUARD)))?;
    Some(format!(
        "on firmware with ROMFS, a module of the same name in /rom/lib hides lib/{name}; the board says so and does not install"
    ))
}

/// A file, as an import sees it.
struct Imported<'a> {
    /// The folder that an import begins in.
    root: &'static str,
    /// The name of the module, or of the package that the file is in.
    name: &'a str,
    /// The file's path from that folder, without its ending where it is a module.
    rest: &'a str,
    /// Whether the file is a module.
    is_module: bool,
}

/// How an import could come to this file. `None`: not at all.
fn imported(path: &str) -> Option<Imported<'_>> {
    let root = ROOTS.into_iter().find(|root| path.starts_with(root))?;
    let rest = &path[root.len()..];
    let stem = stem(rest);
    let name = match rest.split_once('/') {
        Some((package, _)) => package,
        None => stem?,
    };
    Some(Imported { root, name, rest: stem.unwrap_or(rest), is_module: stem.is_some() })
}

/// The path without its ending, where an import takes such files.
fn stem(path: &str) -> Option<&str> {
    path.strip_suffix(".py").or_else(|| path.strip_suffix(".mpy"))
}

/// The updater is in the release whole and once, or not at all.
fn check_updater<'a>(paths: impl Iterator<Item = &'a str>) -> Result<(), ShadowError> {
    let names = updater::modules();
    let wanted: BTreeSet<&str> = updater::files().filter_map(stem).collect();
    let packages: BTreeSet<&str> = wanted.iter().flat_map(|module| folders(module)).collect();
    let mut found: BTreeMap<&str, (&str, &str)> = BTreeMap::new();
    for path in paths {
        let Some(file) = imported(path).filter(|file| names.contains(&*file.name.to_ascii_lowercase()))
        else {
            continue;
        };
        if !file.is_module && packages.contains(file.name) {
            continue; // beside the modules of a package it does no harm
        }
        if !file.is_module || !wanted.contains(file.rest) {
            return Err(ShadowError::Stranger { path: path.to_owned() });
        }
        if let Some((_, one)) = found.insert(file.rest, (file.root, path)) {
            return Err(ShadowError::Twice { one: one.to_owned(), two: path.to_owned() });
        }
    }
    // The guard first: it is what takes the place of another one.
    let Some((root, path)) = found.get(GUARD).or_else(|| found.values().next()).copied() else {
        return Ok(());
    };
    if let Some((_, other)) = found.values().find(|(other, _)| *other != root) {
        return Err(ShadowError::Apart { one: path.to_owned(), two: (*other).to_owned() });
    }
    match wanted.into_iter().find(|module| !found.contains_key(module)) {
        Some(module) => {
            Err(ShadowError::Part { path: path.to_owned(), missing: format!("{root}{module}.py") })
        }
        None => Ok(()),
    }
}

/// No module lies there twice, as `.py` and as `.mpy` or as a package.
fn check_forms<'a>(paths: impl Iterator<Item = &'a str> + Clone) -> Result<(), ShadowError> {
    let hidden = |path: &str, by: String| Err(ShadowError::Hidden { path: path.to_owned(), by });
    let all: BTreeSet<&str> = paths.clone().collect();
    let folders: BTreeSet<&str> = all.iter().flat_map(|path| folders(path)).collect();
    for path in paths {
        let Some(stem) = stem(path) else { continue };
        let source = format!("{stem}.py");
        if source != path && all.contains(source.as_str()) {
            return hidden(path, source);
        }
        if folders.contains(stem) && !STARTED.contains(&path) {
            return hidden(path, format!("{stem}/"));
        }
    }
    Ok(())
}

/// Every folder that a path leads through.
fn folders(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(at, _)| &path[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(paths: &[&str]) -> String {
        match check(paths.iter().copied(), &[]) {
            Ok(()) => "fine".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn of_two_files_for_one_module_the_one_that_is_not_found_is_named() {
        let cases: [(&[&str], &str); 11] = [
            (&["lib/a.py", "lib/a.mpy"], "lib/a.py hides lib/a.mpy"),
            (&["lib/a.mpy", "lib/b.py", "lib/a.py"], "lib/a.py hides lib/a.mpy"),
            (&["a.py", "a.mpy"], "a.py hides a.mpy"),
            (&["lib/p/a.mpy", "lib/p/a.py"], "lib/p/a.py hides lib/p/a.mpy"),
            (&["lib/a.py", "lib/a/x.txt"], "lib/a/ hides lib/a.py"),
            (&["lib/a/b/__init__.py", "lib/a/b.mpy"], "lib/a/b/ hides lib/a/b.mpy"),
            (&["app.py", "app/www/index.html"], "app/ hides app.py"),
            (&["main.py", "main/x.txt", "boot.py", "boot/y.py"], "fine"),
            (&["lib/main.py", "lib/main/x.txt"], "lib/main/ hides lib/main.py"),
            (&["a.py", "lib/a.mpy", "b/a.py", "ab.py", "a.txt"], "fine"),
            (&["a.pyx", "a.py", "lib/a.mp"], "fine"),
        ];
        for (paths, words) in cases {
            assert!(said(paths).starts_with(words), "{paths:?}: {}", said(paths));
        }
        println!("  cases {}: files for one module", cases.len());
    }

    #[test]
    fn only_the_updater_in_lib_is_noted_and_only_for_firmware_that_may_have_romfs() {
        let note = |paths: &[&str], mpy| note(paths.iter().copied(), mpy);
        for path in ["lib/ota_updater.py", "lib/ota_updater.mpy"] {
            let text = note(&["boot.py", path], None).unwrap();
            assert!(text.contains(&format!("/rom/lib hides {path};")), "{text}");
            assert_eq!(note(&[path], Some("6.3")), Some(text));
            assert_eq!(note(&[path], Some("6.2")), None);
        }
        assert_eq!(note(&["ota_updater.py", "lib/util.py", "lib/x/ota_updater.py"], None), None);
    }
}
