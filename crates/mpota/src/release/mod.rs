//! A release: made, signed, and checked.
//!
//! - [`build`]: an app to a release folder
//! - [`manifest`]: named files to a `manifest.json`
//! - [`input`]: a file of an app, and what was learned of it
//! - [`assemble`]: files to manifest and assets, no more of them in memory than a window has (`ordered`)
//! - [`dist`]: the release folder, written whole or not at all (`staging`)
//! - [`keys`], [`keygen`], [`sign`]: Ed25519 keys in the SSH format, and signatures with them
//! - [`contents`], [`verify`], [`compare`]: the files of a release, whether it is what it says, and what is new in it

pub mod assemble;
pub mod build;
pub mod compare;
pub mod compile;
pub mod contents;
pub mod dist;
pub mod input;
pub mod keygen;
pub mod keys;
pub mod manifest;
pub(crate) mod ordered;
pub mod sign;
pub(crate) mod staging;
pub mod verify;
