//! What `spec/vectors` holds. It is written down as text and does not use the crate's own reader and writer.

use std::collections::BTreeMap;

mod board;
mod broken_files;
mod broken_header;
mod broken_lines;
mod decisions;
mod grow;
mod journal;
pub mod keys;
mod report;
mod rollout;
mod signature;
mod text;
mod valid;
mod version;

/// The folders of `spec/vectors` that are made here.
pub const FOLDERS: [&str; 6] = ["manifest", "rollout", "signature", "version", "journal", "report"];

/// The files below `spec/vectors`, by their path.
pub type Files = BTreeMap<String, Vec<u8>>;

/// All files that are made here.
pub fn all() -> Files {
    let mut files = Files::new();
    valid::add(&mut files);
    broken_header::add(&mut files);
    broken_files::add(&mut files);
    broken_lines::add(&mut files);
    grow::add(&mut files);
    board::add(&mut files);
    signature::add(&mut files);
    rollout::add(&mut files);
    decisions::add(&mut files);
    version::add(&mut files);
    journal::add(&mut files);
    report::add(&mut files);
    files
}

/// Adds a file, of which there must not be one yet.
fn put(files: &mut Files, path: impl Into<String>, bytes: impl Into<Vec<u8>>) {
    let path = path.into();
    assert!(files.insert(path.clone(), bytes.into()).is_none(), "{path} twice");
}

/// Adds a manifest that breaks the rule `code`, in the way that `how` names.
fn broken(files: &mut Files, code: &str, how: &str, manifest: impl Into<Vec<u8>>) {
    let folder = format!("manifest/invalid/{code}-{how}");
    put(files, format!("{folder}/manifest.json"), manifest);
    put(files, format!("{folder}/error"), format!("{code}\n"));
}
