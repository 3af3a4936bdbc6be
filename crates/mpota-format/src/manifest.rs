//! The manifest: what a release is.
//!
//! [`Manifest::parse`] and [`Manifest::to_bytes`] are each other's inverse: a manifest is written in one way only.

pub mod compiled;
mod error;
mod header;
mod marked;
mod more;
mod read;
mod write;

pub use error::{Code, ManifestError};
pub use more::{More, MoreItem, MoreValue};
pub(crate) use read::signature_line;

use crate::path;
use crate::version::Version;

/// The words of [`Header::needs`] that this library knows.
pub const KNOWN: [&str; 0] = [];

/// A release: its header, its files in order, and who signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// What holds for the whole release.
    pub header: Header,
    /// The files, by ascending [`path::sort_key`]; at least one.
    pub files: Vec<FileEntry>,
    /// The SSH signature in base64 with padding; `None` where the release is unsigned.
    pub signature: Option<String>,
}

/// The first line of a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// What the release is for: `owner/name`.
    pub project: Option<String>,
    /// The release's tag.
    pub version: Version,
    /// When it was made, in seconds since 1970-01-01T00:00:00Z; 1 to 9999999999.
    pub created: Option<u64>,
    /// What a reader must know to take the release; see [`KNOWN`].
    pub needs: Vec<String>,
    /// What a board must have; the default asks for nothing.
    pub requires: Requires,
    /// The one asset that all files are in; without it each file is an asset.
    pub pack: Option<Pack>,
    /// Files that are run; the default is none.
    pub hooks: Hooks,
    /// What later versions add, and others pass over.
    pub more: More,
}

impl Header {
    /// A header with a version and nothing else.
    #[must_use]
    pub fn new(version: Version) -> Self {
        Self {
            project: None,
            version,
            created: None,
            needs: Vec::new(),
            requires: Requires::default(),
            pack: None,
            hooks: Hooks::default(),
            more: More::new(),
        }
    }
}

/// What a board must have to run a release.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requires {
    /// The lowest MicroPython version: `1.21` or `1.21.0`.
    pub micropython: Option<String>,
    /// Values of `sys.platform`, one of which the board has; empty where any will do.
    pub platform: Vec<String>,
    /// The `.mpy` version of the files: `6` or `6.3`.
    pub mpy: Option<String>,
    /// Names of boards, one of which fits; empty where any will do.
    pub board: Vec<String>,
}

/// The asset that holds all files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pack {
    /// The asset's name.
    pub asset: String,
    /// Its size in bytes.
    pub size: u64,
}

/// Files of the release that the updater runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hooks {
    /// The path of the file to run on the first boot of the new files.
    pub post_update: Option<String>,
    /// The path of the file to run after the release was undone.
    pub rollback: Option<String>,
}

/// One file of a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileEntry {
    /// Where it lies on the board, below `/`; see [`path::check_path`].
    pub path: String,
    /// Bytes on the board.
    pub size: u64,
    /// Of the file on the board.
    pub sha256: [u8; 32],
    /// Of the file on the board, as zlib and PNG have it.
    pub crc32: u32,
    /// Where its bytes are to be had.
    pub place: Place,
    /// Whether a board that has a file at this path leaves it as it is: it is the owner's.
    pub keep: bool,
    /// What later versions add, and others pass over.
    pub more: More,
}

/// Where a file's bytes are. All files of a release are in the same kind of place.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// In the pack.
    Packed {
        /// Where it begins in the pack, in bytes.
        offset: u64,
        /// Bytes in the pack: as many as the file has when it is stored, fewer when it is compressed; see [`crate::pack`].
        length: u64,
    },
    /// In an asset of its own, stored.
    Asset {
        /// The asset's name.
        name: String,
    },
}

/// Puts files into the order that a manifest needs.
pub fn sort_files(files: &mut [FileEntry]) {
    files.sort_by_cached_key(|file| sort_key(&file.path));
}

/// The key by which files are ordered; the same as [`path::sort_key`].
#[must_use]
pub fn sort_key(path: &str) -> Vec<u8> {
    path::sort_key(path)
}

/// What the signature of a signed manifest covers: everything before the last line.
#[must_use]
pub fn signed_part(bytes: &[u8]) -> &[u8] {
    let body = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    &bytes[..body.iter().rposition(|&b| b == b'\n').map_or(0, |at| at + 1)]
}

/// The signature of a signed manifest, in base64, judged by its last two lines alone.
pub(crate) fn signature_of(bytes: &[u8]) -> Option<&str> {
    let signed = signed_part(bytes);
    let line = bytes[signed.len()..].strip_suffix(b"\n")?;
    if signed.ends_with(b"\n],\n") { signature_line(line) } else { None }
}

#[cfg(test)]
mod tests;
