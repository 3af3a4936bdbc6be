//! `mpota serve`: starts the server of the crate `mpota-serve`, and tells a board how to find it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use mpota_format::sshsig::PublicKey;
use mpota_serve::{Authority, FleetOptions, Limits, LogHook, Options, Server, Tls, WriteOptions};
use thiserror::Error;

use crate::files::{self, FileError};

/// http, or https with which certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Https {
    /// Plain http.
    No,
    /// With an authority made for this run.
    OnTheSpot,
    /// With an authority that is kept in this file, and made if the file is missing.
    Kept(PathBuf),
    /// With this certificate chain and key, both PEM.
    Given {
        /// The chain, leaf first.
        certificate: PathBuf,
        /// The private key.
        key: PathBuf,
    },
}

/// What to serve, and how.
#[derive(Clone)]
pub struct ServeOptions {
    /// The folder of releases.
    pub root: PathBuf,
    /// Where to listen.
    pub listen: SocketAddr,
    /// The name or address under which boards know this computer.
    pub host: Option<String>,
    /// Owner and repository, for a folder that does not say.
    pub repo: Option<(String, String)>,
    /// With a token the repositories are private.
    pub token: Option<String>,
    /// Who may write; nobody by default.
    pub write: Option<WriteOptions>,
    /// The keys whose signatures the pages call good.
    pub trusted: Vec<PublicKey>,
    /// What is done with what boards report; nothing by default.
    pub fleet: Option<FleetOptions>,
    /// http or https.
    pub https: Https,
    /// Called with every request.
    pub log: Option<LogHook>,
}

/// Why nothing is served.
#[derive(Debug, Error, Diagnostic)]
#[non_exhaustive]
pub enum ServeError {
    /// A file cannot be read or written.
    #[error(transparent)]
    #[diagnostic(transparent)]
    File(#[from] FileError),
    /// Reports or the fleet would be open to a network.
    #[error("{0}")]
    #[diagnostic(code(serve::unguarded))]
    #[diagnostic(help(
        "name the tokens: --report-token-env NAME for the boards, --fleet-token-env NAME for /fleet; \
         or listen on 127.0.0.1"
    ))]
    Unguarded(mpota_serve::Error),
    /// The database of reports cannot be used.
    #[error("{0}")]
    #[diagnostic(code(serve::reports))]
    #[diagnostic(help(
        "one server has the file at a time; a damaged one can be put aside: boards report again at their next look"
    ))]
    Reports(mpota_serve::Error),
    /// The server cannot start.
    #[error("{0}")]
    #[diagnostic(code(serve::start))]
    #[diagnostic(help("is the folder there, and the address free? --listen 127.0.0.1:0 takes a free port"))]
    Server(mpota_serve::Error),
}

impl From<mpota_serve::Error> for ServeError {
    fn from(error: mpota_serve::Error) -> Self {
        match error {
            mpota_serve::Error::Unguarded { .. } => Self::Unguarded(error),
            mpota_serve::Error::Reports { .. } => Self::Reports(error),
            error => Self::Server(error),
        }
    }
}

/// Starts the server. It serves until it is dropped.
pub fn start(options: &ServeOptions) -> Result<Server, ServeError> {
    let names = Vec::new();
    let tls = match &options.https {
        Https::No => Tls::None,
        Https::OnTheSpot => Tls::SelfSigned { names },
        Https::Kept(path) => Tls::Authority { authority: authority(path)?, names },
        Https::Given { certificate, key } => Tls::Given {
            cert_pem: files::read_text(certificate, 1 << 20)?,
            key_pem: files::read_text(key, 1 << 20)?,
        },
    };
    Ok(Server::start(Options {
        listen: options.listen,
        host: options.host.clone(),
        repo: options.repo.clone(),
        token: options.token.clone(),
        write: options.write.clone(),
        tls,
        trusted: options.trusted.clone(),
        fleet: options.fleet.clone(),
        log: options.log.clone(),
        // Requests go to the log, and nobody asks for them later.
        limits: Limits { logged_requests: 0, ..Limits::default() },
        ..Options::new(&options.root)
    })?)
}

/// What a board is given to trust a kept authority: the file beside it, in DER.
pub fn board_certificate(authority: &Path) -> PathBuf {
    authority.with_extension("der")
}

fn authority(path: &Path) -> Result<Authority, ServeError> {
    if path.exists() {
        return Ok(Authority::from_pem(&files::read_text(path, 1 << 20)?)?);
    }
    let authority = Authority::generate()?;
    files::write_new(path, authority.to_pem().as_bytes(), 0o600)?;
    files::replace(&board_certificate(path), authority.certificate_der())?;
    Ok(authority)
}

/// The lines that a board's `CONFIG` needs: the server, and the repository if there is one only.
pub fn config_lines(server: &Server, private: bool) -> Vec<String> {
    let mut lines = vec![format!("CONFIG[\"base_url\"] = \"{}\"", server.base_url())];
    let mut projects: Vec<_> =
        server.releases().into_iter().map(|release| (release.owner, release.repo)).collect();
    projects.dedup();
    if let [(owner, repo)] = &projects[..] {
        lines.push(format!("CONFIG[\"owner\"] = \"{owner}\""));
        lines.push(format!("CONFIG[\"repo\"] = \"{repo}\""));
    }
    if private {
        lines.push("CONFIG[\"token\"] = \"...\"".to_owned());
    }
    lines
}
