//! How releases are reached, and whom to believe: the same for whoever reads them and for whoever publishes them.

use std::path::PathBuf;

use mpota_format::sshsig::PublicKey;

use super::token::{self, Place, Token};

/// Where releases lie if nothing else is said.
pub const GITHUB: &str = "https://github.com";

/// The server, and what is trusted.
#[derive(Debug, Clone)]
pub struct Access {
    /// What answers for `owner/repo`.
    pub base_url: String,
    /// A PEM file of the certificate authorities to trust instead of the usual ones.
    pub ca: Option<PathBuf>,
    /// Keys of which one must have signed; none: the signature is only looked at.
    pub keys: Vec<PublicKey>,
    /// What the releases say they are for, where that is not the name of their repository: the one from before
    /// it moved, by which boards know it.
    pub identity: Option<String>,
    /// Tells a token, where releases cannot be seen without one.
    pub token: fn(&Place) -> Option<Token>,
}

impl Access {
    /// Where the server's REST API lies: as on github.com, and on a GitHub of one's own.
    pub(crate) fn api(&self) -> String {
        let base = self.base_url.trim_end_matches('/');
        if base == GITHUB { "https://api.github.com".to_owned() } else { format!("{base}/api/v3") }
    }
}

impl Default for Access {
    /// GitHub, with no key trusted.
    fn default() -> Self {
        Self { base_url: GITHUB.to_owned(), ca: None, keys: Vec::new(), identity: None, token: token::find }
    }
}
