//! Reads the files of a release, and keeps secrets out of it.

use miette::Diagnostic;
use mpota_format::limits;
use thiserror::Error;

use crate::release::Input;
use crate::secrets::{self, Suspicion};
use crate::select::Selected;
use crate::snapshot::{Snapshot, SnapshotError};

/// Why the files were not taken.
#[derive(Debug, Error, Diagnostic)]
#[non_exhaustive]
pub enum GatherError {
    /// They cannot be read, or change.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Snapshot(#[from] SnapshotError),
    /// Something that should not be published.
    #[error("{path}{} looks like a secret: {why}", at(*line))]
    #[diagnostic(help(
        "a release can be read by others: exclude the file, or, if it is meant, --allow-secret {path}"
    ))]
    Secret {
        /// Which file.
        path: String,
        /// Which line, from 1, where it is one.
        line: Option<usize>,
        /// How that was seen.
        why: String,
    },
}

fn at(line: Option<usize>) -> String {
    line.map(|line| format!(", line {line}")).unwrap_or_default()
}

/// Reads every file once. `seen` is called with each.
pub(crate) fn gather(
    selected: &[Selected],
    allowed: &[String],
    seen: &mut dyn FnMut(&Selected),
) -> Result<(Vec<Input>, Snapshot), GatherError> {
    let mut snapshot = Snapshot::default();
    let mut inputs = Vec::with_capacity(selected.len());
    for file in selected {
        let allowed = allowed.contains(&file.path);
        // A link may have a harmless name and lead to a file that has not.
        let names = [file.path.clone(), file.disk.to_string_lossy().into_owned()];
        let by_name = names.iter().find_map(|name| secrets::by_name(name));
        if let Some(seen) = by_name.filter(|_| !allowed) {
            return Err(secret(file, seen));
        }
        let bytes = snapshot.read(&file.disk, limits::FILE)?;
        if !allowed {
            let by_content = names.iter().find_map(|name| secrets::by_content(name, &bytes));
            by_content.map_or(Ok(()), |seen| Err(secret(file, seen)))?;
        }
        seen(file);
        inputs.push(Input { path: file.path.clone(), bytes, keep: false });
    }
    Ok((inputs, snapshot))
}

fn secret(file: &Selected, seen: Suspicion) -> GatherError {
    GatherError::Secret { path: file.path.clone(), line: seen.line, why: seen.why }
}

/// The path on the board of a file that was named on the command line, seen from the root.
pub(crate) fn normal(path: &str) -> String {
    path.replace(std::path::MAIN_SEPARATOR, "/").trim_start_matches("./").to_owned()
}
