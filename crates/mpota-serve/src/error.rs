//! What can go wrong while a server starts.

use std::net::SocketAddr;
use std::path::PathBuf;

/// The result of everything here that can fail.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a server could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The folder of releases cannot be used.
    #[error("cannot serve the folder {path}: {source}")]
    Root {
        /// The folder as it was given.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The address is taken or is not one of this machine's.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// A thread or the event loop could not be started.
    #[error("cannot start the server's threads: {0}")]
    Threads(std::io::Error),
    /// The certificate or key that was given cannot be used.
    #[error("cannot use the certificate: {0}")]
    Certificate(String),
    /// A certificate could not be made.
    #[error("cannot make a certificate: {0}")]
    Issue(#[from] rcgen::Error),
    /// TLS cannot be set up with this certificate and key.
    #[error("cannot set up TLS: {0}")]
    Tls(#[from] tokio_rustls::rustls::Error),
    /// Something is open to every machine that this server can be reached from.
    #[error("without a token {what} on a loopback address only")]
    Unguarded {
        /// What it is.
        what: &'static str,
    },
    /// The database of reports cannot be used.
    #[error("cannot keep reports in {path}: {reason}")]
    Reports {
        /// The file as it was given.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The system gives no random bytes.
    #[error("the system gives no random bytes")]
    Random,
}
