//! Releases for MicroPython boards, made and checked on the computer.
//!
//! The binary `mpota` is a thin command line over this library: whatever it does can be called
//! from here.
//!
//! # Layout
//!
//! From the app to the board:
//!
//! - [`app`]: the app on the computer's disk, and `mpota.toml`
//! - [`check`]: what must not go into a release
//! - [`release`]: a release is built, signed and verified
//! - [`publish`]: a release folder becomes a GitHub release, and is put into channels
//! - [`mirror`]: the releases of a repository go into a bucket of objects
//! - [`remote`]: where releases are, and how they are read
//! - [`board`]: what lies on a board
//! - [`diagnostics`]: what the codes of errors and warnings mean
//! - [`files`]: reading and writing files, with errors that name them
//!
//! What computer and board must agree on is not here but in the crate `mpota-format`.

pub mod app;
pub mod board;
pub mod check;
pub mod diagnostics;
pub mod files;
pub mod mirror;
pub mod publish;
pub mod release;
pub mod remote;
