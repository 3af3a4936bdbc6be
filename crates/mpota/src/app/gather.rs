//! Reads the files of a release, and keeps secrets out of it.

use std::fmt;

use miette::Diagnostic;
use mpota_format::limits;
use thiserror::Error;

use crate::app::python;
use crate::app::select::Selected;
use crate::app::snapshot::{self, Snapshot, SnapshotError};
use crate::check::secrets::{self, Suspicion};
use crate::release::input::Input;
use crate::release::ordered::ordered;

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

/// Reads every file once, on all cores, and keeps what the checks have to know of it. `seen` is called with each.
pub(crate) fn gather(
    selected: &[Selected],
    allowed: &[String],
    seen: &mut (dyn FnMut(&Selected) + Send),
) -> Result<(Vec<Input>, Snapshot), GatherError> {
    let mut snapshot = Snapshot::default();
    let mut inputs = Vec::with_capacity(selected.len());
    let mut found = Vec::new();
    let size = |file: &Selected| file.disk.metadata().map_or(0, |metadata| metadata.len());
    let work = |file: &Selected| {
        let (bytes, seen) = snapshot::read(&file.disk, limits::FILE)?;
        let input = Input::new(file.clone(), &bytes);
        let secrets = if allowed.contains(&file.path) { Vec::new() } else { secrets_of(&input, &bytes) };
        Ok::<_, GatherError>((input, seen, secrets))
    };
    let mut take = |file: &Selected, (input, looked, secrets)| {
        snapshot.add(looked);
        found.extend::<Vec<Secret>>(secrets);
        inputs.push(input);
        seen(file);
        Ok(())
    };
    python::with_stacks(|| ordered(selected, size, work, &mut take))?;
    if found.is_empty() {
        return Ok((inputs, snapshot));
    }
    let mut paths: Vec<&str> = found.iter().map(|secret: &Secret| secret.path.as_str()).collect();
    paths.dedup();
    let options: Vec<String> = paths.iter().map(|path| format!("--allow-secret {path}")).collect();
    let options = options.join(" ");
    Err(GatherError::Secrets { found, options })
}

fn secrets_of(file: &Input, bytes: &[u8]) -> Vec<Secret> {
    // A link may have a harmless name and lead to a file that has not.
    let disk = file.disk.to_string_lossy();
    let last = |path: &str| path.rsplit(['/', std::path::MAIN_SEPARATOR]).next().map(str::to_owned);
    let (name, behind) =
        (last(&file.path), last(&disk).filter(|behind| Some(behind) != last(&file.path).as_ref()));
    let names: Vec<String> = name.into_iter().chain(behind).collect();
    let mut seen: Vec<Suspicion> = names.iter().find_map(|name| secrets::by_name(name)).into_iter().collect();
    let in_tree = file.facts.python.as_ref().map(|python| &python.secrets);
    for name in &names {
        let more = secrets::by_content_and_tree(name, bytes, in_tree);
        let new: Vec<Suspicion> = more.into_iter().filter(|one| !seen.contains(one)).collect();
        seen.extend(new);
    }
    seen.into_iter().map(|seen| Secret { path: file.path.clone(), seen }).collect()
}

/// The path on the board of a file that was named on the command line, seen from the root.
pub(crate) fn normal(path: &str) -> String {
    path.replace(std::path::MAIN_SEPARATOR, "/").trim_start_matches("./").to_owned()
}
