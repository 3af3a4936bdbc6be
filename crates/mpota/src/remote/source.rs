//! Where the assets of a release are read from: a folder or a web server.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use miette::Diagnostic;
use mpota_format::rollout::WITHHELD;
use mpota_format::version::Version;
use thiserror::Error;
use ureq::config::RedirectAuthHeaders;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use crate::files::{self, FileError};

/// Why an asset could not be had.
#[derive(Debug, Error, Diagnostic)]
#[non_exhaustive]
pub enum SourceError {
    /// It is not there.
    #[error("{0} is not there")]
    #[diagnostic(code(source::missing), help("is the name right? `mpota build` makes a release in dist"))]
    Missing(String),
    /// Boards do not get it: too many came back from the version.
    #[error("the server withholds the rollout of {version}: too many of its boards came back from it")]
    #[diagnostic(code(rollout::withheld))]
    #[diagnostic(help(
        "if the version is good, start the server anew: mpota serve --resume {version}. If not, boards everywhere are told by: mpota halt {version}"
    ))]
    Withheld {
        /// Which version.
        version: Version,
    },
    /// It cannot be read.
    #[error(transparent)]
    #[diagnostic(transparent)]
    File(#[from] FileError),
    /// The server said no.
    #[error("{url}: the server answered {status}")]
    #[diagnostic(code(server::status), help("try again later; if it stays, ask who runs the server"))]
    Status {
        /// What was asked for.
        url: String,
        /// The answer.
        status: u16,
    },
    /// The server does not know the token.
    #[error("{url}: the token from {from} is not accepted")]
    #[diagnostic(code(token::refused))]
    #[diagnostic(help(
        "is it still valid, and for this host? MPOTA_TOKEN comes first, then the environment's, then gh's and git's"
    ))]
    Token {
        /// What was asked for.
        url: String,
        /// Where the token came from.
        from: &'static str,
    },
    /// The server could not be asked.
    #[error("cannot get {url}")]
    #[diagnostic(
        code(server::unreachable),
        help("is the address right, and is there a network? --ca FILE trusts an authority of your own")
    )]
    Http {
        /// What was asked for.
        url: String,
        /// Why not.
        #[source]
        source: Box<ureq::Error>,
    },
    /// It broke off.
    #[error("cannot read all of {place}")]
    #[diagnostic(code(source::cut), help("try again: the connection or the disk has failed in the middle"))]
    Read {
        /// What was read.
        place: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A file of certificates without one.
    #[error("{} holds no certificate", .0.display())]
    #[diagnostic(code(ca::no_certificate))]
    #[diagnostic(help("it must be a PEM file with -----BEGIN CERTIFICATE-----"))]
    NoCertificate(PathBuf),
}

/// The place of a release.
pub trait Source {
    /// One asset, to be read from its beginning to its end.
    fn open(&self, name: &str) -> Result<Asset, SourceError>;

    /// The names of all that is there, where that can be told.
    fn names(&self) -> Result<Option<Vec<String>>, SourceError>;
}

/// An asset that is being read.
pub struct Asset {
    place: String,
    /// The version whose rollout this is, where boards do not get it.
    withheld: Option<Version>,
    reader: Box<dyn Read>,
}

impl Asset {
    /// The next `length` bytes; fewer where the asset ends.
    pub fn take(&mut self, length: u64) -> Result<Vec<u8>, SourceError> {
        let mut bytes = Vec::new();
        match self.reader.by_ref().take(length).read_to_end(&mut bytes) {
            Ok(_) => Ok(bytes),
            Err(source) => Err(SourceError::Read { place: self.place.clone(), source }),
        }
    }

    /// The same, if boards get it too: who may change a rollout reads it also while it is withheld.
    pub fn for_boards(self) -> Result<Self, SourceError> {
        match self.withheld {
            Some(version) => Err(SourceError::Withheld { version }),
            None => Ok(self),
        }
    }

    /// Where it is, for people.
    pub fn place(&self) -> &str {
        &self.place
    }
}

/// A folder on this computer.
#[derive(Debug, Clone)]
pub struct Folder(pub PathBuf);

impl Source for Folder {
    fn open(&self, name: &str) -> Result<Asset, SourceError> {
        let path = self.0.join(name);
        let place = path.display().to_string();
        match path.metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(SourceError::Missing(place));
            }
            Ok(metadata) if !metadata.is_file() => {
                let why = io::Error::other("not a regular file");
                return Err(FileError::new("read", &path, why).into());
            }
            _ => {}
        }
        let file = File::open(&path).map_err(FileError::at("read", &path))?;
        Ok(Asset { place, withheld: None, reader: Box::new(BufReader::new(file)) })
    }

    fn names(&self) -> Result<Option<Vec<String>>, SourceError> {
        Ok(Some(list(&self.0)?))
    }
}

/// The names in a folder, sorted.
pub(crate) fn list(folder: &Path) -> Result<Vec<String>, FileError> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(FileError::at("read", folder))? {
        let entry = entry.map_err(FileError::at("read", folder))?;
        names.push(entry.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// A web address below which the assets are.
#[derive(Debug)]
pub struct Web {
    agent: ureq::Agent,
    base: String,
}

impl Web {
    /// `ca` is a PEM file of the authorities to trust instead of the usual ones.
    pub fn new(base: &str, ca: Option<&Path>) -> Result<Self, SourceError> {
        Ok(Self { agent: agent(base, ca)?, base: base.trim_end_matches('/').to_owned() })
    }

    /// The same server and settings, another folder.
    pub(crate) fn at(&self, base: &str) -> Self {
        Self { agent: self.agent.clone(), base: base.trim_end_matches('/').to_owned() }
    }
}

impl Source for Web {
    fn open(&self, name: &str) -> Result<Asset, SourceError> {
        let url = format!("{}/{name}", self.base);
        let answer = self.agent.get(&url).call();
        opened(url, answer)
    }

    fn names(&self) -> Result<Option<Vec<String>>, SourceError> {
        Ok(None)
    }
}

/// What asks servers like the one at `base`.
pub(crate) fn agent(base: &str, ca: Option<&Path>) -> Result<ureq::Agent, SourceError> {
    let tls = TlsConfig::builder();
    let tls = match ca {
        None => tls,
        Some(path) => tls.root_certs(RootCerts::new_with_certs(&certificates(path)?)),
    };
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        // From https nothing leads back to http.
        .https_only(base.starts_with("https://"))
        .max_redirects(5)
        // A token is for the server that was asked, and for no other one.
        .redirect_auth_headers(RedirectAuthHeaders::Never)
        .user_agent(concat!("mpota/", env!("CARGO_PKG_VERSION")))
        .timeout_connect(Some(Duration::from_secs(15)))
        .timeout_recv_response(Some(Duration::from_secs(30)))
        .timeout_global(Some(Duration::from_secs(600)))
        .tls_config(tls.build())
        .build();
    Ok(config.into())
}

/// The asset that a server answered with.
pub(crate) fn opened(
    url: String,
    answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
) -> Result<Asset, SourceError> {
    let response = match answer {
        Ok(response) => response,
        Err(source) => return Err(SourceError::Http { url, source: Box::new(source) }),
    };
    let withheld = response.headers().get(WITHHELD).and_then(|version| version.to_str().ok());
    let withheld = withheld.and_then(|version| Version::parse(version).ok());
    match response.status().as_u16() {
        200 => {}
        404 => {
            return Err(
                withheld.map_or(SourceError::Missing(url), |version| SourceError::Withheld { version })
            );
        }
        status => return Err(SourceError::Status { url, status }),
    }
    let body = response.into_body().into_with_config().limit(u64::MAX).reader();
    Ok(Asset { place: url, withheld, reader: Box::new(body) })
}

fn certificates(path: &Path) -> Result<Vec<Certificate<'static>>, SourceError> {
    let pem = files::read(path, 1 << 20)?;
    let certificates: Vec<_> = ureq::tls::parse_pem(&pem)
        .filter_map(|item| match item {
            Ok(ureq::tls::PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    if certificates.is_empty() {
        return Err(SourceError::NoCertificate(path.to_owned()));
    }
    Ok(certificates)
}
