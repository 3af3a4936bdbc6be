//! Which boards may take a version: the rules are those of `spec/rollout.md`.
//!
//! [`Rollout::parse`] and [`Rollout::to_bytes`] are each other's inverse. Nothing here has a clock: the time is given.

mod decide;
mod error;
mod read;
mod write;

pub use decide::{Decision, draw, is_within};
pub use error::RolloutError;
pub use read::{Asked, is_id};

use crate::sshsig::{PublicKey, SigError};
use crate::version::Version;

/// The tag of the release that holds the rollouts of all versions.
pub const TAG: &str = "rollout";
/// The header with which `mpota serve` names the version whose rollout it withholds from boards.
pub const WITHHELD: &str = "mpota-withheld";
/// The namespace of signatures over rollouts.
pub const NAMESPACE: &str = "mpota-rollout";
/// The `until` of a rollout without an end.
pub const FOREVER: u64 = crate::limits::NUMBER;

/// Which boards may take a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rollout {
    /// What the version is for: `owner/name`.
    pub project: Option<String>,
    /// Of which version it is.
    pub version: Version,
    /// It grows with each file for the same version.
    pub number: u64,
    /// After this time it counts no more, in seconds since 1970-01-01T00:00:00Z; see [`FOREVER`].
    pub until: u64,
    /// No board takes the version now.
    pub halted: bool,
    /// The share of the boards, by time; at least one.
    pub stages: Vec<Stage>,
    /// Boards that take it whatever the share is.
    pub boards: Vec<String>,
    /// The SSH signature in base64 with padding; `None` where it is unsigned.
    pub signature: Option<String>,
}

/// From some time on, this share of the boards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stage {
    /// In seconds since 1970-01-01T00:00:00Z.
    pub from: u64,
    /// 0 to 100.
    pub percent: u8,
}

/// The name of the asset that holds the rollout of this version.
#[must_use]
pub fn asset(version: &str) -> String {
    format!("{}.json", version.replace('+', "-"))
}

/// The key that a rollout is signed with, whoever trusts it, if the signature is good. Its comment is empty.
///
/// # Errors
/// [`SigError::Form`] where it is no rollout, else as [`crate::sshsig::signer`].
pub fn signer(bytes: &[u8]) -> Result<PublicKey, SigError> {
    let rollout = Rollout::parse(bytes).map_err(|_| SigError::Form)?;
    let signature = rollout.signature.as_deref().ok_or(SigError::Unsigned)?;
    crate::sshsig::signer_in(NAMESPACE, signed_part(bytes), signature)
}

/// What the signature of a signed rollout covers: its first line.
#[must_use]
pub fn signed_part(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.iter().position(|&b| b == b'\n').map_or(0, |at| at + 1)]
}

#[cfg(test)]
mod tests;
