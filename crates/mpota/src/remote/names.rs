//! The names of projects and of packs.

use mpota_format::path::asset_name;
use mpota_format::version::Version;

/// Whether `text` is `owner/name` as a manifest may hold it.
pub fn is_project(text: &str) -> bool {
    let part = |part: &str| {
        (1..=64).contains(&part.len())
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
    };
    text.split_once('/').is_some_and(|(owner, name)| part(owner) && part(name))
}

/// What the pack of a release is called, or that of its form which is compiled for this version of `.mpy` files.
/// The board knows it too: a right guess saves a connection.
pub fn pack(project: &str, version: &Version, compiled: Option<u8>) -> String {
    let repository = project.rsplit('/').next().unwrap_or(project);
    let form = compiled.map(|version| format!("-mpy-{version}")).unwrap_or_default();
    asset_name(&format!("{repository}-{version}{form}.pack"))
}
