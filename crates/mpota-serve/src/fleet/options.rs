//! What the caller may choose about reports.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::error::{Error, Result};

/// Keeps what boards report, and shows it.
#[derive(Clone)]
pub struct FleetOptions {
    /// The file of the database. It is made if it is missing.
    pub file: PathBuf,
    /// Reports count only with this secret. Without it the server has to listen to this machine alone.
    pub report_token: Option<String>,
    /// The pages and figures are shown only to who has this secret. Without it the server has to listen to this
    /// machine alone.
    pub view_token: Option<String>,
    /// When the rollout of a version is withheld. None: never.
    pub halt: Option<HaltAt>,
    /// Versions whose rollout is withheld no longer.
    pub resume: Vec<String>,
    /// Most boards in all.
    pub boards: usize,
    /// Most boards that were not known before, an hour and sender.
    pub new_per_hour: u32,
}

/// When the rollout of a version is withheld.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HaltAt {
    /// More than this share of the boards that tried it came back from it.
    pub percent: u8,
    /// At least so many boards have tried it.
    pub boards: u64,
}

impl FleetOptions {
    /// In this file, for this machine alone, with the usual bounds.
    #[must_use]
    pub fn new(file: impl Into<PathBuf>) -> Self {
        Self {
            file: file.into(),
            report_token: None,
            view_token: None,
            halt: None,
            resume: Vec::new(),
            boards: 100_000,
            new_per_hour: 256,
        }
    }

    /// Whether it is safe to listen there.
    pub(crate) fn check(&self, listen: SocketAddr) -> Result<()> {
        if listen.ip().is_loopback() {
            return Ok(());
        }
        match (&self.report_token, &self.view_token) {
            (None, _) => Err(Error::Unguarded { what: "reports are taken" }),
            (_, None) => Err(Error::Unguarded { what: "the fleet is shown" }),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for FleetOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FleetOptions")
            .field("file", &self.file)
            .field("halt", &self.halt)
            .field("boards", &self.boards)
            .field("new_per_hour", &self.new_per_hour)
            .finish_non_exhaustive()
    }
}
