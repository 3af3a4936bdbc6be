//! What must not go into a release: secrets, and what would leave a board without an app or without updates.
//!
//! - [`allow`]: what the owner means to do all the same
//! - [`secrets`]: passwords and keys
//! - [`syntax`]: files that MicroPython cannot read
//! - [`starts`], `looks`: whether the app starts the updater, and ever looks for a release
//! - [`shadows`]: files that come before a module of the firmware or of the updater
//! - `writes`: files that the app writes to
//! - `facts`: what all of these have to know of a file, read once

pub mod allow;
pub(crate) mod facts;
pub(crate) mod looks;
pub mod secrets;
pub mod shadows;
pub mod starts;
pub mod syntax;
pub(crate) mod writes;
