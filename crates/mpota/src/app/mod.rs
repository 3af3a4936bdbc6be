//! The app, as it lies on the computer's disk.
//!
//! - [`config`]: what stands in `mpota.toml`
//! - [`scaffold`]: what `mpota init` writes
//! - [`select`], [`gather`], [`snapshot`]: which files belong to a release, read once
//! - [`belongs`]: what no board needs
//! - [`survey`]: what `mpota init` finds in a folder
//! - [`keep`]: which files belong to the owner of a board
//! - [`git`]: what the app's repository says

pub mod belongs;
pub mod config;
pub mod gather;
pub mod git;
pub mod keep;
pub(crate) mod python;
pub mod scaffold;
pub mod select;
pub mod snapshot;
pub mod survey;
