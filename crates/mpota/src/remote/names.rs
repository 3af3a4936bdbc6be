//! The names of projects and of packs.

use mpota_format::path::asset_name;
pub use mpota_format::path::is_project;
use mpota_format::version::Version;

/// What the pack of a release is called, or that of its form which is compiled for this version of `.mpy` files.
/// The board knows it too: a right guess saves a connection.
pub fn pack(project: &str, version: &Version, compiled: Option<u8>) -> String {
    let repository = project.rsplit('/').next().unwrap_or(project);
    let form = compiled.map(|version| format!("-mpy-{version}")).unwrap_or_default();
    asset_name(&format!("{repository}-{version}{form}.pack"))
}
