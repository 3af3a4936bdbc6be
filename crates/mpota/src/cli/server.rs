//! The server, of the commands that change releases.

use std::path::PathBuf;
use std::time::Duration;

use mpota::remote::access::GITHUB;

#[derive(Debug, Clone, clap::Args)]
pub struct ServerArgs {
    /// What answers for owner/repo: GitHub Enterprise, or `mpota serve --write-token-env`
    #[arg(long, value_name = "URL", default_value = GITHUB)]
    pub(super) base_url: String,
    /// Trust the certificate authorities in this PEM file, instead of the usual ones
    #[arg(long, value_name = "FILE")]
    pub(super) ca: Option<PathBuf>,
    /// How many minutes to wait at most where the server wants to be left alone
    #[arg(long, value_name = "MINUTES", default_value_t = 15)]
    patience: u32,
    /// Look at everything, and change nothing at the server
    #[arg(long)]
    pub(super) dry_run: bool,
}

impl ServerArgs {
    /// How long to wait at most.
    pub(super) fn patience(&self) -> Duration {
        Duration::from_secs(u64::from(self.patience) * 60)
    }
}
