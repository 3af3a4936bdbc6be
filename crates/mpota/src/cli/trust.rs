//! `--key` and `--allowed`, of the commands that check signatures.

use std::path::PathBuf;

use mpota::release::keys::{self, KeyError};
use mpota_format::sshsig::PublicKey;

#[derive(Debug, Clone, clap::Args)]
pub struct TrustArgs {
    /// Accept signatures of this key (its .pub, or the private file). Can be repeated
    #[arg(long, value_name = "FILE")]
    key: Vec<PathBuf>,
    /// Accept signatures of the keys in this list, authorized_keys or allowed_signers
    #[arg(long, value_name = "FILE")]
    allowed: Vec<PathBuf>,
}

impl TrustArgs {
    /// The keys; none: signatures are only looked at.
    pub fn keys(&self) -> Result<Vec<PublicKey>, KeyError> {
        let mut trusted = Vec::new();
        for path in &self.key {
            trusted.push(keys::show(&mpota::files::expand_home(path))?.key);
        }
        for path in &self.allowed {
            trusted.extend(keys::load_public(&mpota::files::expand_home(path))?);
        }
        Ok(trusted)
    }
}
