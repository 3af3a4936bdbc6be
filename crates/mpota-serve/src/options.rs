//! What the caller may choose.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use mpota_format::sshsig::PublicKey;

use crate::faults::Fault;
use crate::fleet::FleetOptions;
use crate::log::LogHook;
use crate::net::tls::Authority;
use crate::write::WriteOptions;

/// Everything a [`Server`](crate::Server) needs to know.
///
/// Start from [`Options::new`] and change what should differ:
///
/// ```
/// let options = mpota_serve::Options {
///     token: Some("a secret".into()),
///     ..mpota_serve::Options::new("releases")
/// };
/// # assert!(options.redirects);
/// ```
#[derive(Clone)]
pub struct Options {
    /// The folder of releases.
    pub root: PathBuf,
    /// Owner and repository, for a folder that does not say.
    pub repo: Option<(String, String)>,
    /// With a token the repositories are private: the download paths answer
    /// 404 and the REST API wants this token.
    pub token: Option<String>,
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The host name for [`Server::base_url`](crate::Server::base_url); the
    /// address of `listen` when there is none. Answers name the host that the
    /// client asked for, whatever stands here.
    pub host: Option<String>,
    /// http, or https with which certificate.
    pub tls: Tls,
    /// The host name under which asset contents are served, on a port of their
    /// own. None: the same host and port as everything else.
    pub asset_host: Option<String>,
    /// Where the asset host listens; by default at the address of `listen`
    /// with a free port. Without `asset_host` it has no meaning.
    pub asset_listen: Option<SocketAddr>,
    /// TLS of the asset host; by default as `tls`.
    pub asset_tls: Option<Tls>,
    /// Redirect as GitHub does (default), or answer with the contents at once
    /// like a plain mirror.
    pub redirects: bool,
    /// How long a signed address of the storage host is good for.
    pub url_lifetime: Duration,
    /// Bounds on what clients can take.
    pub limits: Limits,
    /// Lets tokens write. None: the folder is only read.
    pub write: Option<WriteOptions>,
    /// Assets say their SHA-256. Those from before June 2025 say none at
    /// GitHub.
    pub digests: bool,
    /// The keys whose signatures the pages call good. Without any they name the key only. Boards do not look at this.
    pub trusted: Vec<PublicKey>,
    /// Keeps what boards report of themselves, and shows it. None: reports are passed over.
    pub fleet: Option<FleetOptions>,
    /// Requests that shall fail.
    pub faults: Vec<Fault>,
    /// Called for every answered request and every problem in the folder.
    pub log: Option<LogHook>,
}

impl Options {
    /// A public http server on a free loopback port.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            repo: None,
            token: None,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            host: None,
            tls: Tls::None,
            asset_host: None,
            asset_listen: None,
            asset_tls: None,
            redirects: true,
            url_lifetime: Duration::from_secs(3600),
            limits: Limits::default(),
            write: None,
            digests: true,
            trusted: Vec::new(),
            fleet: None,
            faults: Vec::new(),
            log: None,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("root", &self.root)
            .field("repo", &self.repo)
            .field("private", &self.token.is_some())
            .field("listen", &self.listen)
            .field("host", &self.host)
            .field("tls", &self.tls)
            .field("asset_host", &self.asset_host)
            .field("asset_listen", &self.asset_listen)
            .field("asset_tls", &self.asset_tls)
            .field("redirects", &self.redirects)
            .field("url_lifetime", &self.url_lifetime)
            .field("limits", &self.limits)
            .field("write", &self.write)
            .field("fleet", &self.fleet)
            .field("faults", &self.faults)
            .finish_non_exhaustive()
    }
}

/// http, or https with which certificate.
#[derive(Clone, Default)]
pub enum Tls {
    /// Plain http.
    #[default]
    None,
    /// https with a certificate from an authority made on the spot. The names
    /// and addresses that the options mention are added by themselves.
    SelfSigned {
        /// More host names and IP addresses.
        names: Vec<String>,
    },
    /// https with a certificate from an authority that is kept, so that boards
    /// go on trusting it after a restart.
    Authority {
        /// Who signs.
        authority: Authority,
        /// More host names and IP addresses.
        names: Vec<String>,
    },
    /// https with this certificate chain, leaf first, and key.
    Given {
        /// The chain as PEM.
        cert_pem: String,
        /// The private key as PEM.
        key_pem: String,
    },
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::SelfSigned { names } => f.debug_tuple("SelfSigned").field(names).finish(),
            Self::Authority { names, .. } => f.debug_tuple("Authority").field(names).finish(),
            Self::Given { .. } => f.write_str("Given"),
        }
    }
}

/// Bounds on what clients can take.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Most connections at a time. When they are used up, the client that has
    /// been slow for longest gives way to a new one: it says nothing, has not
    /// ended its request, or takes nothing of its answer. If none is slow,
    /// newcomers wait in the system's queue. Each connection takes two open
    /// files: a server that starts raises the program's own limit of them, and
    /// has fewer connections, and says so, where that is not enough.
    pub connections: usize,
    /// Most bytes in a request's head; at least 8 KB.
    pub header_bytes: usize,
    /// Longest time for the TLS handshake, and again for a whole request head.
    pub header_timeout: Duration,
    /// Longest time a connection may lie idle between two requests.
    pub idle_timeout: Duration,
    /// Longest time a client may take no byte of an answer, or send none of a
    /// request's body.
    pub stall_timeout: Duration,
    /// Most requests that are kept for [`Server::requests`](crate::Server::requests);
    /// the oldest go first. 0: none are.
    pub logged_requests: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 2048,
            header_bytes: 32 * 1024,
            header_timeout: Duration::from_secs(15),
            idle_timeout: Duration::from_secs(75),
            stall_timeout: Duration::from_secs(60),
            logged_requests: 10_000,
        }
    }
}
