//! Reads the files of a release, and keeps secrets out of it.

use std::fmt;

use miette::Diagnostic;
use mpota_format::limits;
use thiserror::Error;

use crate::app::select::Selected;
use crate::app::snapshot::{Snapshot, SnapshotError};
use crate::check::secrets::{self, Suspicion};
use crate::release::assemble::Input;

/// Why the files were not taken.
#[derive(Debug, Error, Diagnostic)]
#[non_exhaustive]
pub enum GatherError {
    /// They cannot be read, or change.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Snapshot(#[from] SnapshotError),
    /// Things that should not be published, all of them.
    #[error("{}", lines(found))]
    #[diagnostic(code(secret::found))]
    #[diagnostic(help("a release can be read by others: exclude the file, or, if it is meant, {options}"))]
    Secrets {
        /// What was seen.
        found: Vec<Secret>,
        /// The options that would let them in.
        options: String,
    },
}

/// One thing that should not be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secret {
    /// In which file.
    pub path: String,
    /// In which line, from 1, where it is one; and how it was seen.
    pub seen: Suspicion,
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        if let Some(line) = self.seen.line {
            write!(f, ", line {line}")?;
        }
        write!(f, " looks like a secret: {}", self.seen)
    }
}

fn lines(found: &[Secret]) -> String {
    found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n  ")
}

/// Reads every file once. `seen` is called with each.
pub(crate) fn gather(
    selected: &[Selected],
    allowed: &[String],
    seen: &mut dyn FnMut(&Selected),
) -> Result<(Vec<Input>, Snapshot), GatherError> {
    let mut snapshot = Snapshot::default();
    let mut inputs = Vec::with_capacity(selected.len());
    let mut found = Vec::new();
    for file in selected {
        let bytes = snapshot.read(&file.disk, limits::FILE)?;
        if !allowed.contains(&file.path) {
            found.extend(secrets_of(file, &bytes));
        }
        seen(file);
        inputs.push(Input { path: file.path.clone(), bytes, keep: false });
    }
    if found.is_empty() {
        return Ok((inputs, snapshot));
    }
    let mut paths: Vec<&str> = found.iter().map(|secret: &Secret| secret.path.as_str()).collect();
    paths.dedup();
    let options: Vec<String> = paths.iter().map(|path| format!("--allow-secret {path}")).collect();
    let options = options.join(" ");
    Err(GatherError::Secrets { found, options })
}

fn secrets_of(file: &Selected, bytes: &[u8]) -> Vec<Secret> {
    // A link may have a harmless name and lead to a file that has not.
    let disk = file.disk.to_string_lossy();
    let last = |path: &str| path.rsplit(['/', std::path::MAIN_SEPARATOR]).next().map(str::to_owned);
    let (name, behind) =
        (last(&file.path), last(&disk).filter(|behind| Some(behind) != last(&file.path).as_ref()));
    let names: Vec<String> = name.into_iter().chain(behind).collect();
    let mut seen: Vec<Suspicion> = names.iter().find_map(|name| secrets::by_name(name)).into_iter().collect();
    for name in &names {
        let more = secrets::by_content(name, bytes);
        let new: Vec<Suspicion> = more.into_iter().filter(|one| !seen.contains(one)).collect();
        seen.extend(new);
    }
    seen.into_iter().map(|seen| Secret { path: file.path.clone(), seen }).collect()
}

/// The path on the board of a file that was named on the command line, seen from the root.
pub(crate) fn normal(path: &str) -> String {
    path.replace(std::path::MAIN_SEPARATOR, "/").trim_start_matches("./").to_owned()
}
