//! What there is to mirror: the releases of a repository, as GitHub's API lists them. A folder is served on this computer
//! and read the same way, so that `latest`, channels and drafts mean the same everywhere.

use serde::Deserialize;

use super::error::MirrorError;
use crate::remote::access::Access;
use crate::remote::source::{self, SourceError};
use crate::remote::token::{Place, Token};

/// The longest answer of the API: a page of releases can have many assets.
const ANSWER: u64 = 64 << 20;
/// GitHub's largest page, and how many of them are looked through.
const PAGE: usize = 100;
const PAGES: usize = 100;
/// So many assets in a list may not be all.
const MANY: usize = 30;

/// A release in the list.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Release {
    id: u64,
    pub tag_name: String,
    #[serde(default)]
    pub draft: bool,
    pub assets: Vec<Asset>,
}

/// An asset in the list. Another content has another id or date.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Asset {
    id: u64,
    pub name: String,
    pub size: u64,
    #[serde(default)]
    updated_at: Option<String>,
    /// GitHub's word for how far the upload has come; other servers have none.
    #[serde(default)]
    state: Option<String>,
}

impl Asset {
    /// One whose upload was broken off stays in the list for as long as nobody removes it, and cannot be read.
    fn is_whole(&self) -> bool {
        self.state.as_deref().is_none_or(|state| state == "uploaded")
    }
}

impl Release {
    pub fn has(&self, name: &str) -> bool {
        self.assets.iter().any(|asset| asset.name == name)
    }
}

/// A repository at a server.
pub(super) struct Origin {
    agent: ureq::Agent,
    api: String,
    web: String,
    token: Option<Token>,
    place: Option<Place>,
    find: fn(&Place) -> Option<Token>,
}

impl Origin {
    pub fn new(access: &Access, project: &str) -> Result<Self, MirrorError> {
        let base = access.base_url.trim_end_matches('/');
        Ok(Self {
            agent: source::agent(base, access.ca.as_deref())?,
            api: format!("{}/repos/{project}", access.api()),
            web: format!("{base}/{project}"),
            token: None,
            place: Place::new(base, project),
            find: access.token,
        })
    }

    /// Everything that boards can see.
    pub fn releases(&mut self) -> Result<Vec<Release>, MirrorError> {
        let mut all: Vec<Release> = Vec::new();
        for page in 1..=PAGES {
            let path = format!("releases?per_page={PAGE}&page={page}");
            let more: Vec<Release> = self.ask(&path)?.ok_or_else(|| self.missing())?;
            let last = more.len() < PAGE;
            all.extend(more);
            if last {
                break;
            }
        }
        all.retain(|release| !release.draft);
        for release in all.iter_mut().filter(|release| release.assets.len() >= MANY) {
            release.assets = self.assets(release.id)?;
        }
        all.iter_mut().for_each(|release| release.assets.retain(Asset::is_whole));
        Ok(all)
    }

    fn assets(&mut self, release: u64) -> Result<Vec<Asset>, MirrorError> {
        let mut all: Vec<Asset> = Vec::new();
        for page in 1..=PAGES {
            let path = format!("releases/{release}/assets?per_page={PAGE}&page={page}");
            let more: Vec<Asset> = self.ask(&path)?.unwrap_or_default();
            let last = more.len() < PAGE;
            all.extend(more);
            if last {
                break;
            }
        }
        Ok(all)
    }

    /// The tag of the latest release.
    pub fn latest(&mut self) -> Result<Option<String>, MirrorError> {
        Ok(self.ask::<Release>("releases/latest")?.map(|release| release.tag_name))
    }

    fn missing(&self) -> MirrorError {
        SourceError::Missing(format!("{}/releases", self.api)).into()
    }

    /// An answer of the API; `None` where there is no such thing. As a board does without a token first; with one, where
    /// there is nothing to see or too much was asked.
    fn ask<T: for<'a> Deserialize<'a>>(&mut self, path: &str) -> Result<Option<T>, MirrorError> {
        let url = format!("{}/{path}", self.api);
        loop {
            let request = self.agent.get(&url).header("Accept", "application/vnd.github+json");
            let mut request = request.header("X-GitHub-Api-Version", "2022-11-28");
            if let Some(token) = &self.token {
                request = request.header("Authorization", &*token.header());
            }
            let failed = |source| SourceError::Http { url: url.clone(), source: Box::new(source) };
            let mut response = request.call().map_err(failed)?;
            let status = response.status().as_u16();
            if status == 200 {
                let bytes = response.body_mut().with_config().limit(ANSWER).read_to_vec().map_err(failed)?;
                let read = serde_json::from_slice(&bytes).map_err(|error| SourceError::Read {
                    place: url.clone(),
                    source: std::io::Error::other(error),
                });
                return Ok(Some(read?));
            }
            if [403, 404, 429].contains(&status) && self.token.is_none() && !path.ends_with("/latest") {
                self.token = self.place.as_ref().and_then(self.find);
                if self.token.is_some() {
                    continue;
                }
            }
            return match (status, &self.token) {
                (404, _) => Ok(None),
                (403 | 429, _) => Err(MirrorError::Limit { url, status }),
                (401, Some(token)) => Err(SourceError::Token { url, from: token.from() }.into()),
                _ => Err(SourceError::Status { url, status }.into()),
            };
        }
    }

    /// What an asset holds. Public ones are read as boards do, which costs nothing of the API's limit.
    pub fn read(&self, release: &Release, name: &str, most: u64) -> Result<Vec<u8>, MirrorError> {
        let tag = release.tag_name.replace('+', "%2B");
        let url = format!("{}/releases/download/{tag}/{name}", self.web);
        let mut opened = match &self.token {
            None => {
                source::opened(url.clone(), self.agent.get(&url).call()).map_err(|error| match error {
                    SourceError::Status { url, status: status @ 429 } => MirrorError::Limit { url, status },
                    error => error.into(),
                })?
            }
            Some(token) => {
                let asset = release.assets.iter().find(|asset| asset.name == name);
                let id = asset.ok_or(SourceError::Missing(url))?.id;
                let url = format!("{}/releases/assets/{id}", self.api);
                let request = self.agent.get(&url).header("Accept", "application/octet-stream");
                // The agent drops the token where it is led elsewhere.
                let answer = request.header("Authorization", &*token.header()).call();
                source::opened(url, answer).map_err(|error| match error {
                    SourceError::Status { url, status: 401 } => {
                        SourceError::Token { url, from: token.from() }.into()
                    }
                    SourceError::Status { url, status: status @ (403 | 429) } => {
                        MirrorError::Limit { url, status }
                    }
                    error => error.into(),
                })?
            }
        };
        Ok(opened.take(most)?)
    }

    /// Where the token came from, if it took one.
    pub fn token(&self) -> Option<&'static str> {
        self.token.as_ref().map(Token::from)
    }
}

/// Whether an error is about what was asked for alone, and the rest of the source may still be read. It is not where there
/// is no way to the server, and where the server gives nothing more to whoever asks.
pub(super) fn concerns_one(error: &MirrorError) -> bool {
    match error {
        MirrorError::Source(SourceError::Missing(_) | SourceError::Read { .. }) => true,
        MirrorError::Source(SourceError::Status { status, .. }) => *status != 401,
        MirrorError::Source(SourceError::Http { source, .. }) => !is_no_way(source),
        _ => false,
    }
}

/// Whether no connection came about.
fn is_no_way(error: &ureq::Error) -> bool {
    match error {
        ureq::Error::Io(why) => why.kind() == std::io::ErrorKind::ConnectionRefused,
        ureq::Error::Timeout(ureq::Timeout::Resolve | ureq::Timeout::Connect) => true,
        ureq::Error::HostNotFound
        | ureq::Error::ConnectionFailed
        | ureq::Error::Tls(_)
        | ureq::Error::Rustls(_) => true,
        _ => false,
    }
}
