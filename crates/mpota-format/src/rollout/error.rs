//! Why a rollout is refused.

use thiserror::Error;

use crate::limits;
use crate::sshsig::SigError;

/// What rule of the spec's table a rollout breaks.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum RolloutError {
    /// It has more bytes than allowed.
    #[error("the rollout has more than {max} bytes", max = limits::ROLLOUT)]
    TooLarge,
    /// It does not begin as a rollout does.
    #[error("it does not begin with `{{\"mpota-rollout\":`")]
    NotARollout,
    /// Made by a newer mpota.
    #[error("format {0}: it is made by a newer mpota")]
    FormatVersion(String),
    /// A line is longer than its limit, or not ended within it.
    #[error("no end of line {line} within {limit} bytes")]
    LineTooLong {
        /// The first or the second.
        line: u8,
        /// Its limit in bytes.
        limit: usize,
    },
    /// The first line is not of the one form.
    #[error("line 1: {0}")]
    Form(String),
    /// Nothing follows where something must, or something where nothing may.
    #[error("{0}")]
    Ending(&'static str),
    /// The signature line is not base64 in its form.
    #[error("the second line is not `\"signature\":\"...\"}}` with base64 in it")]
    Signature,
    /// Another version than the one that was asked for, or none.
    #[error("it is of {found}, and not of {wanted}")]
    Version {
        /// As it stands there.
        found: String,
        /// What was asked for; `a version` where any would do.
        wanted: String,
    },
    /// For another project, or for none where keys are trusted.
    #[error("it is for {found}, and not for {wanted}")]
    Project {
        /// As it stands there; `no project`.
        found: String,
        /// What was asked for; `a project` where any would do.
        wanted: String,
    },
    /// Its time is over.
    #[error("it counts until {until} only, and it is {now}, in seconds since 1970")]
    Expired {
        /// Its end.
        until: u64,
        /// What time it is.
        now: u64,
    },
    /// A later one was accepted before.
    #[error("its number is {found}, and {seen} was accepted before")]
    Older {
        /// The number that it has.
        found: u64,
        /// The highest that was accepted.
        seen: u64,
    },
    /// It is not signed by whom it should be.
    #[error("{}", signature(*.0))]
    Signed(#[from] SigError),
}

impl RolloutError {
    /// The code of the spec's table.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge => "too-large",
            Self::NotARollout => "not-a-rollout",
            Self::FormatVersion(_) => "format-version",
            Self::LineTooLong { .. } => "line-too-long",
            Self::Form(_) => "form",
            Self::Ending(_) => "ending",
            Self::Signature => "signature",
            Self::Version { .. } => "version",
            Self::Project { .. } => "project",
            Self::Expired { .. } => "expired",
            Self::Older { .. } => "older",
            Self::Signed(error) => error.code(),
        }
    }
}

/// The same reasons as for a manifest, in the words for a rollout.
fn signature(error: SigError) -> &'static str {
    match error {
        SigError::Unsigned => "the rollout is not signed",
        SigError::Form => "the signature is damaged: it is not an SSH signature of version 1",
        SigError::KeyType => "the rollout is signed with another kind of key than Ed25519",
        SigError::Namespace => "the signature was made in another namespace than `mpota-rollout`",
        SigError::Hash => "the signature was made over another hash than SHA-256",
        SigError::UnknownKey => "the rollout is signed with a key that is not trusted",
        SigError::Bad => "the signature does not fit this rollout",
    }
}
