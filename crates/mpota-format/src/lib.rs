//! The formats that the computer and the board share: bytes to facts, and back.
//!
//! Nothing here touches a file, the network or a clock. The rules are those of `spec/manifest.md`
//! `spec/rollout.md` and `spec/journal.md`; the vectors in `spec/vectors` hold this crate and the board's reader to
//! the same answers, down to the error codes.
//!
//! # Layout
//!
//! - [`manifest`]: what a release is: [`manifest::Manifest`], its strict reader and its writer
//! - [`rollout`]: which boards may take a version: [`rollout::Rollout`], its reader, its writer, and the decision
//! - [`sshsig`]: who signed it: SSH signatures by Ed25519 keys
//! - [`path`]: which paths a release may hold, and how assets are named after them
//! - [`version`]: release tags and their order
//! - [`pack`]: one file in a pack: compressed and back
//! - [`digest`]: SHA-256 and CRC32
//! - [`journal`]: where an update stands on a board
//! - [`report`]: what a board tells of itself to the server that it asks
//! - [`limits`]: the numbers that both sides hold to

pub mod digest;
pub mod journal;
pub mod limits;
mod line;
pub mod manifest;
pub mod pack;
pub mod path;
pub mod report;
pub mod rollout;
pub mod sshsig;
pub mod version;
