//! Releases for MicroPython boards, made and checked on the computer.
//!
//! The binary `mpota` is a thin command line over this library: whatever it does can be called
//! from here.
//!
//! # Layout
//!
//! What the subcommands do:
//!
//! - [`config`]: `mpota.toml`, and `init`, which writes one
//! - [`build`]: an app to a release folder
//! - [`manifest`]: named files to a `manifest.json`
//! - [`keys`], [`keygen`], [`sign`]: Ed25519 keys in the SSH format, and signatures with them
//! - [`verify`], [`compare`]: is a release what it says, and what is new in it
//! - [`publish`]: a release folder to a GitHub release, and to channels
//! - [`ca`], [`roots`]: the certificate authorities that a board trusts
//! - [`install`]: a release to a folder as it lies on a board
//! - [`serve`]: the lines that a board needs to find `mpota serve`
//!
//! What they are made of, from the disk to the release and back:
//!
//! - [`select`], [`secrets`], [`gather`], [`snapshot`]: which files, read once, and which not
//! - [`allow`], [`syntax`], [`starts`], [`shadows`]: what would leave a board without an app or without
//!   updates
//! - [`keep`]: what belongs to the owner of a board
//! - [`updater`]: the updater's own files and imports
//! - [`release`]: files to manifest and assets, in memory
//! - [`dist`]: the release folder, whole or not there
//! - [`target`], [`source`], [`contents`]: where a release is, its assets, its files
//! - [`token`]: where a token for a private repository comes from
//! - [`git`], [`files`], [`names`]: the outside world, and the names in it
//!
//! What computer and board must agree on is not here but in the crate `mpota-format`.

pub mod allow;
mod api;
pub mod build;
pub mod ca;
pub mod compare;
pub mod config;
pub mod contents;
pub mod dist;
pub mod files;
pub mod gather;
pub mod git;
pub mod install;
pub mod keep;
pub mod keygen;
pub mod keys;
mod lookup;
pub mod manifest;
pub mod names;
pub mod publish;
mod python;
pub mod release;
pub mod roots;
pub mod secrets;
pub mod select;
pub mod serve;
pub mod shadows;
pub mod sign;
pub mod snapshot;
pub mod source;
pub mod starts;
pub mod syntax;
pub mod target;
pub mod token;
pub mod updater;
pub mod verify;
mod writes;
