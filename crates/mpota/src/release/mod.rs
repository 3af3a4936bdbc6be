//! A release: made, signed, and checked.
//!
//! - [`build`]: an app to a release folder
//! - [`manifest`]: named files to a `manifest.json`
//! - [`assemble`]: files to manifest and assets, in memory
//! - [`dist`]: the release folder, whole or not there
//! - [`keys`], [`keygen`], [`sign`]: Ed25519 keys in the SSH format, and signatures with them
//! - [`contents`], [`verify`], [`compare`]: the files of a release, whether it is what it says, and what is new in it

pub mod assemble;
pub mod build;
pub mod compare;
pub mod compile;
pub mod contents;
pub mod dist;
pub mod keygen;
pub mod keys;
pub mod manifest;
pub mod sign;
pub mod verify;
