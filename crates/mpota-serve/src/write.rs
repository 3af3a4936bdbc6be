//! Who may write, and how much.

use std::fmt;

/// Lets tokens create, change and delete releases. Without it nothing in the
/// folder is ever changed.
#[derive(Debug, Clone)]
pub struct WriteOptions {
    /// The tokens, and what each may do. One that may only read can be among
    /// them, to see what GitHub says to it.
    pub tokens: Vec<WriteToken>,
    /// Releases that are published from now on are immutable: neither their
    /// assets nor their tag can be changed.
    pub immutable: bool,
    /// Most bytes of one asset.
    pub asset_bytes: u64,
    /// Most assets of one release.
    pub assets: usize,
    /// Slowest upload, in bytes a second, after a grace of
    /// [`Limits::stall_timeout`](crate::Limits::stall_timeout).
    pub slowest: u64,
}

impl WriteOptions {
    /// GitHub's bounds, and one token that may write.
    #[must_use]
    pub fn new(secret: impl Into<String>) -> Self {
        let token = WriteToken { secret: secret.into(), permission: Permission::ContentsWrite };
        Self {
            tokens: vec![token],
            immutable: false,
            asset_bytes: 2 * 1024 * 1024 * 1024 - 1,
            assets: 1000,
            slowest: 1024,
        }
    }
}

/// A token and what it may do.
#[derive(Clone)]
pub struct WriteToken {
    /// The token itself.
    pub secret: String,
    /// What it may do.
    pub permission: Permission,
}

impl fmt::Debug for WriteToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriteToken").field("permission", &self.permission).finish_non_exhaustive()
    }
}

/// What a token may do, in the two ways that GitHub has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Permission {
    /// Fine-grained: Contents, read.
    ContentsRead,
    /// Fine-grained: Contents, write.
    ContentsWrite,
    /// Classic, with these scopes; `repo` is the one that may do all, and
    /// `public_repo` is enough for a public repository.
    Scopes(Vec<String>),
}

impl Permission {
    fn has(&self, wanted: &str) -> bool {
        matches!(self, Self::Scopes(scopes) if scopes.iter().any(|scope| scope == wanted))
    }

    /// Whether it sees the repositories at all.
    pub(crate) fn reads(&self, private: bool) -> bool {
        !private || !matches!(self, Self::Scopes(_)) || self.has("repo")
    }

    /// Whether it may change releases.
    pub(crate) fn writes(&self, private: bool) -> bool {
        *self == Self::ContentsWrite || self.has("repo") || (!private && self.has("public_repo"))
    }
}
