//! The limits of `spec/manifest.md`, `spec/rollout.md`, `spec/journal.md` and `spec/report.md`.

/// Most bytes of a manifest.
pub const MANIFEST: usize = 4_194_304;
/// Most bytes of the header line, its `\n` included.
pub const HEADER_LINE: usize = 1024;
/// Most bytes of a file line, its `\n` included.
pub const FILE_LINE: usize = 512;
/// Most bytes of the signature line, its `\n` included.
pub const SIGNATURE_LINE: usize = 512;
/// Most bytes of one file on the board.
pub const FILE: u64 = 16_777_216;
/// Most bytes of a pack.
pub const PACK: u64 = 68_719_476_736;
/// Bytes of a file in one piece of it. A file that is not larger has no pieces.
pub const PIECE: usize = 16_384;
/// The same in a file of more than [`LARGE`] bytes.
pub const LARGE_PIECE: usize = 32_768;
/// Most bytes of a file with pieces of [`PIECE`] bytes.
pub const LARGE: usize = 8_388_608;
/// Most bytes of a path.
pub const PATH: usize = 128;
/// Most entries of an array in the header: words, platforms, boards.
pub const LIST: usize = 16;
/// Most characters of a word of `needs`, of a platform, and of a key that is not known yet.
pub const WORD: usize = 32;
/// Most characters of a board's name, and of its id.
pub const BOARD: usize = 64;
/// The largest number in `created` and in `more`.
pub const NUMBER: u64 = 9_999_999_999;
/// Most characters of an asset's name.
pub const ASSET: usize = 100;
/// Most characters of a version, its `v` included.
pub const VERSION: usize = 64;
/// Most digits of a number in a version.
pub const VERSION_DIGITS: usize = 9;
/// Most bytes of the window that a compressed file may need.
pub const WINDOW: usize = 4096;
/// Most bytes of a journal record, its `\n` included.
pub const RECORD: usize = 640;
/// Most bytes of a rollout; its lines have the limits of [`HEADER_LINE`] and [`SIGNATURE_LINE`].
pub const ROLLOUT: usize = HEADER_LINE + SIGNATURE_LINE;
/// Most stages of a rollout.
pub const STAGES: usize = 8;
/// Most boards that a rollout names.
pub const BOARDS: usize = 32;
/// Most bytes of a report.
pub const REPORT: usize = 768;
/// Most characters of the id of a board.
pub const ID: usize = 64;
/// Most characters of the state in a report.
pub const STATE: usize = 16;
/// Most characters of the reason in a report.
pub const WHY: usize = 200;
/// The largest number in a report: the largest that every JSON reader keeps exactly.
pub const REPORT_NUMBER: u64 = 9_007_199_254_740_991;
