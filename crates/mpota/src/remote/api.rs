//! A release in a private repository: GitHub's REST API, with a token.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::remote::access::Access;
use crate::remote::source::{self, Asset, Source, SourceError};
use crate::remote::token::Token;

/// The largest answer about a release; it has a few hundred bytes for each of 1,000 assets.
const ANSWER: u64 = 8 << 20;
/// GitHub's largest page, and how many of them a release can have.
const PAGE: usize = 100;
const PAGES: usize = 10;
/// How often the repository may have been renamed.
const MOVES: usize = 3;

#[derive(Deserialize)]
struct ReleaseObject {
    id: u64,
    tag_name: String,
    assets: Vec<AssetObject>,
}

#[derive(Deserialize)]
struct AssetObject {
    id: u64,
    name: String,
}

/// The assets of a release, by their names.
pub(crate) struct Api {
    agent: ureq::Agent,
    repository: String,
    token: Token,
    /// The release's tag.
    pub tag: String,
    assets: BTreeMap<String, u64>,
}

impl Api {
    /// Looks the release up: the one with this tag, or the latest.
    pub fn find(
        access: &Access,
        project: &str,
        tag: Option<&str>,
        token: Token,
    ) -> Result<Self, SourceError> {
        let base = access.api();
        let agent = source::agent(&base, access.ca.as_deref())?;
        let repository = format!("{base}/repos/{project}");
        let mut api = Self { agent, repository, token, tag: String::new(), assets: BTreeMap::new() };
        api.look_up(tag)?;
        Ok(api)
    }

    /// Goes over to the release with this tag.
    pub fn at(&mut self, tag: &str) -> Result<(), SourceError> {
        self.look_up(Some(tag))
    }

    fn look_up(&mut self, tag: Option<&str>) -> Result<(), SourceError> {
        let which = tag.map_or("latest".to_owned(), |tag| format!("tags/{}", encoded(tag)));
        let release: ReleaseObject = self.ask(&format!("releases/{which}"))?;
        self.tag = release.tag_name;
        let mut found = release.assets;
        // So many may not be all: the rest is on pages of their own.
        if found.len() >= 30 {
            found.clear();
            for page in 1..=PAGES {
                let path = format!("releases/{}/assets?per_page={PAGE}&page={page}", release.id);
                let more: Vec<AssetObject> = self.ask(&path)?;
                let last = more.len() < PAGE;
                found.extend(more);
                if last {
                    break;
                }
            }
        }
        self.assets = found.into_iter().map(|asset| (asset.name, asset.id)).collect();
        Ok(())
    }

    /// An answer in JSON. Where the repository has moved, only the same host gets the token.
    fn ask<T: for<'a> Deserialize<'a>>(&self, path: &str) -> Result<T, SourceError> {
        let mut url = format!("{}/{path}", self.repository);
        for _ in 0..=MOVES {
            let request = self.agent.get(&url).header("Accept", "application/vnd.github+json");
            let request = request.header("X-GitHub-Api-Version", "2022-11-28");
            let request = request.header("Authorization", &*self.token.header());
            let request = request.config().max_redirects(0).max_redirects_will_error(false).build();
            let failed = |source| SourceError::Http { url: url.clone(), source: Box::new(source) };
            let mut response = request.call().map_err(failed)?;
            match response.status().as_u16() {
                200 => {
                    let bytes = response.body_mut().with_config().limit(ANSWER).read_to_vec();
                    let bytes = bytes.map_err(failed)?;
                    return serde_json::from_slice(&bytes).map_err(|error| SourceError::Read {
                        place: url.clone(),
                        source: std::io::Error::other(error),
                    });
                }
                401 => return Err(SourceError::Token { url, from: self.token.from() }),
                404 => return Err(SourceError::Missing(url)),
                status @ (301 | 302 | 307 | 308) => {
                    let to = response.headers().get("location").and_then(|to| to.to_str().ok());
                    match to.filter(|to| origin(to).is_some() && origin(to) == origin(&url)) {
                        Some(to) => url = to.to_owned(),
                        None => return Err(SourceError::Status { url, status }),
                    }
                }
                status => return Err(SourceError::Status { url, status }),
            }
        }
        Err(SourceError::Status { url, status: 301 })
    }
}

impl Source for Api {
    fn open(&self, name: &str) -> Result<Asset, SourceError> {
        let Some(id) = self.assets.get(name) else {
            return Err(SourceError::Missing(format!("{}, asset {name} of {}", self.repository, self.tag)));
        };
        let url = format!("{}/releases/assets/{id}", self.repository);
        // The agent drops the token where it is led elsewhere: the storage host refuses it.
        let request = self.agent.get(&url).header("Accept", "application/octet-stream");
        source::opened(url, request.header("Authorization", &*self.token.header()).call())
    }

    fn names(&self) -> Result<Option<Vec<String>>, SourceError> {
        Ok(None)
    }
}

/// A tag as part of a path: of what a version may hold, only `+` means something there.
fn encoded(tag: &str) -> String {
    tag.replace('+', "%2B")
}

/// Scheme, host and port.
fn origin(url: &str) -> Option<&str> {
    let host = url.find("://")? + 3;
    let end = url[host..].find(['/', '?', '#']).map_or(url.len(), |at| host + at);
    Some(&url[..end])
}
