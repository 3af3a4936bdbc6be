//! Which files of a release belong to the owner of a board: installed where they are missing, and never
//! replaced. What an app writes is one of them, or somebody says that it is not.

use std::collections::BTreeSet;

use miette::Diagnostic;
use thiserror::Error;

use crate::app::config::Config;
use crate::app::select::{SelectError, matching};
use crate::board::updater;
use crate::check::allow::{self, is_python};
use crate::check::shadows;
use crate::release::input::Input;

/// Why what is kept, or what is not, cannot be meant so.
#[derive(Debug, Error, Diagnostic)]
#[non_exhaustive]
pub enum KeepError {
    /// A pattern is none, or matches nothing.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Select(#[from] SelectError),
    /// Boards would stay without an update of what runs on them, or of whom they trust.
    #[error("{path} cannot be kept: {why}")]
    #[diagnostic(code(keep::code))]
    #[diagnostic(help(
        "take it out of the patterns of `keep` in mpota.toml, or exclude it from the release"
    ))]
    Code {
        /// Which file.
        path: String,
        /// Why not.
        why: &'static str,
    },
    /// A file that is to stay, and to be replaced.
    #[error("{0} matches both `keep` and `replace` in mpota.toml")]
    #[diagnostic(code(keep::and_replace))]
    #[diagnostic(help(
        "an update leaves the board's own file in place with `keep`, and overwrites it with `replace`"
    ))]
    Both(String),
    /// The app writes files that every update would overwrite.
    #[error("an update would overwrite what the app writes on the board: {}", lines(writings))]
    #[diagnostic(code(keep::overwritten))]
    #[diagnostic(help(
        "write keep = [{names}] in mpota.toml, and an update leaves the board's own file in place (or exclude the file); if every update shall overwrite it, write replace = [{names}]"
    ))]
    Written {
        /// Where it does so.
        writings: Vec<Writing>,
        /// The files, as `mpota.toml` has them in a list.
        names: String,
    },
}

/// A line of the app that writes a file of the release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Writing {
    /// The file that is written.
    pub path: String,
    /// The file with the line.
    pub code: String,
    /// The line, from 1.
    pub line: usize,
}

fn lines(writings: &[Writing]) -> String {
    let line = |Writing { path, code, line }: &Writing| format!("{path}, in line {line} of {code}");
    writings.iter().map(line).collect::<Vec<_>>().join("; ")
}

fn names(writings: &[Writing]) -> String {
    let paths: BTreeSet<String> = writings.iter().map(|writing| format!("{:?}", writing.path)).collect();
    paths.into_iter().collect::<Vec<_>>().join(", ")
}

/// Marks the files that `mpota.toml` keeps, and refuses what the app writes and nobody has decided on.
pub(crate) fn mark(config: &Config, files: &mut [Input]) -> Result<(), KeepError> {
    let paths = || files.iter().map(|file| file.path.as_str());
    let kept = matching(&config.keep, "keep", paths())?;
    let replaced = matching(&config.replace, "replace", paths())?;
    if let Some(path) = kept.intersection(&replaced).next() {
        return Err(KeepError::Both(path.clone()));
    }
    for path in &kept {
        if let Some(why) = must_change(config, path) {
            return Err(KeepError::Code { path: path.clone(), why });
        }
    }
    let decided: BTreeSet<&String> = kept.union(&replaced).collect();
    let undecided = writings(files).into_iter().filter(|writing| !decided.contains(&writing.path));
    let undecided: Vec<Writing> = undecided.collect();
    if !undecided.is_empty() {
        let names = names(&undecided);
        return Err(KeepError::Written { writings: undecided, names });
    }
    for file in files {
        file.keep = kept.contains(&file.path);
    }
    Ok(())
}

/// Why a file has to change with a release, if it has.
fn must_change(config: &Config, path: &str) -> Option<&'static str> {
    let hooks = [&config.hooks.post_update, &config.hooks.rollback];
    if path == allow::BOOT || path == "main.py" {
        Some("a board starts with it, and an update would not change what the board runs")
    } else if is_updater(path) {
        Some("it is a part of the updater, which is exchanged as a whole")
    } else if path == allow::KEYS || path.starts_with("ota_ca/") {
        Some("it says whom boards trust, and that changes with a release")
    } else if hooks.into_iter().flatten().any(|hook| hook == path) {
        Some("it is a hook, and boards run the one of the release")
    } else {
        None
    }
}

/// Whether a file of the updater is at this path.
pub(crate) fn is_updater(path: &str) -> bool {
    shadows::module(path).is_some_and(|name| updater::modules().contains(name))
}

/// The files of the release that the app writes.
pub(crate) fn written(files: &[Input]) -> Vec<String> {
    writings(files).into_iter().map(|writing| writing.path).collect()
}

/// The lines of the app that write files of the release, by the paths of what they write.
fn writings(files: &[Input]) -> Vec<Writing> {
    let paths: BTreeSet<&str> = files.iter().map(|file| &*file.path).collect();
    let mut found = Vec::new();
    for code in files.iter().filter(|file| is_python(&file.path) && !is_updater(&file.path)) {
        for (path, line) in code.facts.python.iter().flat_map(|python| &python.writes) {
            if paths.contains(&**path) {
                found.push(Writing { path: path.clone(), code: code.path.clone(), line: *line });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}
