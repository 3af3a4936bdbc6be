//! The limits of `spec/manifest.md` and `spec/journal.md`.

/// Most bytes of a manifest.
pub const MANIFEST: usize = 1_048_576;
/// Most bytes of the header line, its `\n` included.
pub const HEADER_LINE: usize = 2048;
/// Most bytes of a file line, its `\n` included.
pub const FILE_LINE: usize = 512;
/// Most bytes of the signature line, its `\n` included.
pub const SIGNATURE_LINE: usize = 1024;
/// Most files of a release.
pub const FILES: usize = 4096;
/// Most bytes of one file on the board.
pub const FILE: u64 = 16_777_216;
/// Most bytes of a pack: as many of the largest files as there may be.
pub const PACK: u64 = FILES as u64 * FILE;
/// Most bytes of a path.
pub const PATH: usize = 128;
/// Most characters of an asset's name.
pub const ASSET: usize = 100;
/// Most characters of a version, its `v` included.
pub const VERSION: usize = 64;
/// Most digits of a number in a version.
pub const VERSION_DIGITS: usize = 9;
/// Most bytes of the window that a compressed file may need.
pub const WINDOW: usize = 4096;
/// Most bytes of a journal record, its `\n` included.
pub const RECORD: usize = 512;
