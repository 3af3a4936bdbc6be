//! Where releases are: on GitHub, on another server, in a folder.
//!
//! - [`target`], [`names`]: how people name a release, a repository, a tag
//! - [`access`]: the server, and what is trusted
//! - [`source`]: the assets of a release
//! - [`token`]: where a token for a private repository comes from

pub mod access;
pub(crate) mod api;
pub(crate) mod lookup;
pub mod names;
pub mod source;
pub mod target;
pub mod token;
