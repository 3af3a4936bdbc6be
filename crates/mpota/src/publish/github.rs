//! GitHub's REST API as far as publishing goes.

use std::cell::Cell;
use std::io::{Read, Take};
use std::time::Duration;

use mpota_format::digest::Digests;
use serde::Deserialize;
use serde_json::Value;
use ureq::http::{Method, Request};

use super::answer::{Answer, Outcome, Trouble, broken, limit};
use super::error::PublishError;
use crate::remote::access::Access;
use crate::remote::source::{self, SourceError};
use crate::remote::token::Token;

/// The longest answer that is read; a page of releases can have many assets.
const ANSWER: u64 = 64 << 20;
/// GitHub's largest page.
const PAGE: usize = 100;
/// So many pages are looked through.
const PAGES: usize = 100;
/// The state of an asset that is whole.
pub(super) const UPLOADED: &str = "uploaded";
/// The longest that a request may take, and an upload's slowest pace in bytes a second on top of that.
const LONGEST: Duration = Duration::from_secs(120);
const SLOWEST: u64 = 4096;

#[derive(Debug, Clone, Deserialize)]
pub(super) struct ReleaseObject {
    pub id: u64,
    pub tag_name: String,
    pub html_url: String,
    pub upload_url: String,
    pub draft: bool,
    #[serde(default)]
    pub immutable: bool,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct AssetObject {
    pub id: u64,
    pub name: String,
    pub size: u64,
    pub state: String,
    #[serde(default)]
    pub digest: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Repository {
    full_name: String,
    #[serde(default)]
    private: bool,
    #[serde(default)]
    archived: bool,
    #[serde(default)]
    permissions: Option<Permissions>,
}

#[derive(Debug, Deserialize)]
struct Permissions {
    #[serde(default)]
    push: bool,
}

/// A repository and a token that may write to it.
pub(super) struct Client {
    agent: ureq::Agent,
    api: String,
    pub project: String,
    token: Token,
    /// Requests so far.
    pub asked: Cell<u32>,
}

impl Client {
    pub fn new(access: &Access, project: &str, token: Token) -> Result<Self, SourceError> {
        let api = access.api();
        let agent = source::agent(&api, access.ca.as_deref())?;
        Ok(Self { agent, api, project: project.to_owned(), token, asked: Cell::new(0) })
    }

    /// Whether the repository is private. Fails where the token cannot write to it.
    pub fn look(&self) -> Outcome<bool> {
        let answer = self.send(Method::GET, "", None).map_err(|trouble| self.new_name(trouble))?;
        if answer.status == 404 {
            let (project, from) = (self.project.clone(), self.token.from());
            return Err(PublishError::NoRepository { project, from }.into());
        }
        self.fine(&answer, "look at the repository")?;
        let repository: Repository = answer.json("the repository")?;
        if repository.archived {
            return Err(PublishError::Archived(self.project.clone()).into());
        }
        // Of other tokens only the first change shows what they may: to a workflow's own token GitHub
        // says "no push" always, and to a fine-grained one what its owner may.
        if let Some(scopes) = answer.header("x-oauth-scopes") {
            let has = |wanted: &str| scopes.split(',').any(|scope| scope.trim() == wanted);
            if !has("repo") && (repository.private || !has("public_repo")) {
                return Err(self.may_not(&answer, "a scope is missing"));
            }
            if repository.permissions.as_ref().is_some_and(|p| !p.push) {
                return Err(self.may_not(&answer, "its owner may not push there"));
            }
        }
        Ok(repository.private)
    }

    /// Where a repository that has moved is now, by its name if it can be had.
    fn new_name(&self, trouble: Trouble) -> Trouble {
        let Trouble::Final(PublishError::Moved { project, to }) = trouble else { return trouble };
        let there = to.starts_with(&format!("{}/", self.api)).then(|| {
            let answer = self.run(&to, Request::get(&to), ureq::SendBody::none()).ok()?;
            answer.json::<Repository>("the repository").ok()
        });
        let to = there.flatten().map_or(to, |repository| repository.full_name);
        PublishError::Moved { project, to }.into()
    }

    /// All releases, drafts too.
    pub fn releases(&self) -> Outcome<Vec<ReleaseObject>> {
        self.pages("releases", "the list of releases")
    }

    pub fn assets(&self, release: u64) -> Outcome<Vec<AssetObject>> {
        self.pages(&format!("releases/{release}/assets"), "the list of assets")
    }

    fn pages<T: for<'a> Deserialize<'a>>(&self, path: &str, what: &str) -> Outcome<Vec<T>> {
        let mut all = Vec::new();
        for page in 1..=PAGES {
            let answer = self.send(Method::GET, &format!("{path}?per_page={PAGE}&page={page}"), None)?;
            self.fine(&answer, what)?;
            let more: Vec<T> = answer.json(what)?;
            let last = more.len() < PAGE;
            all.extend(more);
            if last {
                break;
            }
        }
        Ok(all)
    }

    /// Whether what is published from now on cannot be changed any more; `None` where the token may not know.
    pub fn immutable_releases(&self) -> Outcome<Option<bool>> {
        let answer = match self.send(Method::GET, "immutable-releases", None) {
            // A token that may write releases need not be an administrator's.
            Err(Trouble::Final(PublishError::Permission { .. })) => return Ok(None),
            answer => answer?,
        };
        if answer.status != 200 {
            return Ok(None);
        }
        let setting: Value = answer.json("the setting of immutable releases")?;
        Ok(setting["enabled"].as_bool())
    }

    /// The tag of the latest release.
    pub fn latest(&self) -> Outcome<Option<String>> {
        let answer = self.send(Method::GET, "releases/latest", None)?;
        if answer.status == 404 {
            return Ok(None);
        }
        self.fine(&answer, "the latest release")?;
        Ok(Some(answer.json::<ReleaseObject>("the latest release")?.tag_name))
    }

    /// Whether the tag is there already. An empty repository has none, and says so with 409.
    pub fn has_tag(&self, tag: &str) -> Outcome<bool> {
        let answer = self.send(Method::GET, &format!("git/ref/tags/{}", query(tag)), None)?;
        if [404, 409].contains(&answer.status) {
            return Ok(false);
        }
        self.fine(&answer, "look for the tag")?;
        Ok(true)
    }

    pub fn create(&self, wanted: &Value) -> Outcome<ReleaseObject> {
        let what = "make the draft";
        let answer = self.change(Method::POST, "releases", Some(wanted), what)?;
        answer.json(what)
    }

    pub fn update(&self, release: u64, wanted: &Value, what: &str) -> Outcome<ReleaseObject> {
        self.change(Method::PATCH, &format!("releases/{release}"), Some(wanted), what)?.json(what)
    }

    /// An asset that is gone already is deleted.
    pub fn delete_asset(&self, asset: &AssetObject) -> Outcome<()> {
        let path = format!("releases/assets/{}", asset.id);
        let answer = self.send(Method::DELETE, &path, None)?;
        if answer.status != 404 {
            self.fine(&answer, &format!("remove {}", asset.name))?;
        }
        Ok(())
    }

    pub fn delete_release(&self, release: &ReleaseObject) -> Outcome<()> {
        let answer = self.send(Method::DELETE, &format!("releases/{}", release.id), None)?;
        if answer.status != 404 {
            self.fine(&answer, "remove the draft")?;
        }
        Ok(())
    }

    pub fn rename_asset(&self, asset: &AssetObject, name: &str) -> Outcome<()> {
        let path = format!("releases/assets/{}", asset.id);
        let wanted = serde_json::json!({ "name": name });
        self.change(Method::PATCH, &path, Some(&wanted), &format!("rename {}", asset.name)).map(drop)
    }

    /// What the asset holds.
    pub fn download(&self, asset: &AssetObject) -> Outcome<Vec<u8>> {
        let read = self.open(asset).and_then(|mut opened| opened.take(asset.size + 1));
        read.map_err(|error| Trouble::Again { why: error.to_string(), wait: None })
    }

    /// The SHA-256 of what the asset holds, and how many bytes that are. It is never in memory as a whole.
    pub fn digest(&self, asset: &AssetObject) -> Outcome<([u8; 32], u64)> {
        const CHUNK: u64 = 1 << 20;
        let read = || {
            let (mut opened, mut digests) = (self.open(asset)?, Digests::new());
            while digests.size() <= asset.size {
                match opened.take(CHUNK)? {
                    bytes if bytes.is_empty() => break,
                    bytes => digests.update(&bytes),
                }
            }
            Ok((digests.size(), digests.finish().0))
        };
        let read: Result<_, SourceError> = read();
        let (size, sha256) = read.map_err(|error| Trouble::Again { why: error.to_string(), wait: None })?;
        Ok((sha256, size))
    }

    fn open(&self, asset: &AssetObject) -> Result<source::Asset, SourceError> {
        let url = format!("{}/repos/{}/releases/assets/{}", self.api, self.project, asset.id);
        self.asked.set(self.asked.get() + 1);
        // The agent drops the token where it is led elsewhere.
        let request = self.agent.get(&url).header("Accept", "application/octet-stream");
        source::opened(url, request.header("Authorization", &*self.token.header()).call())
    }

    /// `None` where an asset of that name is there already.
    pub fn upload(
        &self,
        release: &ReleaseObject,
        name: &str,
        (content, length): (Box<dyn Read>, u64),
        sent: Box<dyn FnMut(u64)>,
    ) -> Outcome<Option<AssetObject>> {
        let what = format!("upload {name}");
        let bare = release.upload_url.split('{').next().unwrap_or_default();
        if !self.may_have_token(bare) {
            return Err(PublishError::Refused {
                what,
                said: format!("it asks for the upload at {bare}, and the token is not for there"),
                hint: "is --base-url the server that you mean?",
            }
            .into());
        }
        let url = format!("{bare}?name={}", query(name));
        // A file that grows meanwhile is sent as far as was said, and its digest is then another one.
        let body = ureq::SendBody::from_owned_reader(Counted { bytes: content.take(length), sent });
        let request = Request::post(&url)
            .header("Content-Type", "application/octet-stream")
            .header("Content-Length", length);
        let answer = self.run(&url, request, body)?;
        if answer.already_exists() {
            return Ok(None);
        }
        self.fine(&answer, &what)?;
        answer.json(&what).map(Some)
    }

    /// GitHub's own upload host, or the host that was asked all the time.
    fn may_have_token(&self, url: &str) -> bool {
        let own = self.api.strip_suffix("/api/v3").unwrap_or("https://uploads.github.com");
        url.strip_prefix(own).is_some_and(|rest| rest.starts_with('/'))
    }

    fn change(&self, method: Method, path: &str, body: Option<&Value>, what: &str) -> Outcome<Answer> {
        let answer = self.send(method, path, body)?;
        if answer.status == 404
            && let Some(commit) = body.and_then(|body| body["target_commitish"].as_str())
        {
            return Err(PublishError::Commit { commit: commit.to_owned(), said: answer.message() }.into());
        }
        self.fine(&answer, what)?;
        Ok(answer)
    }

    /// Refusals that mean the same everywhere.
    fn fine(&self, answer: &Answer, what: &str) -> Outcome<()> {
        match answer.status {
            200..=299 => Ok(()),
            // The repository was there and the scopes were right: somebody removed the release meanwhile.
            404 | 409 => Err(Trouble::Again { why: format!("{what}: {}", answer.message()), wait: None }),
            // Somebody else was quicker: what is there now is looked at anew.
            422 if answer.already_exists() => {
                Err(Trouble::Again { why: format!("{what}: {}", answer.message()), wait: None })
            }
            _ => {
                let said = answer.message();
                let hint = if said.contains("target_commitish") {
                    "the server does not have the commit: push it first, or name another one with --target"
                } else {
                    "look at the release's page, and run the same command again: it goes on where it stopped"
                };
                Err(PublishError::Refused { what: what.to_owned(), said, hint }.into())
            }
        }
    }

    fn may_not(&self, answer: &Answer, said: &str) -> Trouble {
        let needs = match (answer.header("x-oauth-scopes"), answer.header("x-accepted-github-permissions")) {
            (Some(has), _) => {
                let has = if has.is_empty() { "none" } else { has };
                format!("a classic token needs the scope `repo` (`public_repo` for a public repository); it has: {has}")
            }
            _ if answer.message().contains("by integration") => {
                "in a workflow: `permissions: contents: write` for the job, and the tag pushed before".to_owned()
            }
            (None, Some(accepted)) => format!(
                "a fine-grained token needs Contents: read and write for this repository; the server wants {accepted}"
            ),
            (None, None) => {
                "a fine-grained token needs Contents: read and write for this repository, a classic one the scope `repo`".to_owned()
            }
        };
        let (from, project) = (self.token.from(), self.project.clone());
        Trouble::Final(PublishError::Permission { from, project, said: said.to_owned(), needs })
    }

    /// Asks for a path of the repository.
    fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Outcome<Answer> {
        let slash = if path.is_empty() { "" } else { "/" };
        let url = format!("{}/repos/{}{slash}{path}", self.api, self.project);
        let request = Request::builder().method(method).uri(&url);
        match body {
            None => self.run(&url, request, ureq::SendBody::none()),
            Some(body) => {
                let bytes = serde_json::to_vec(body).unwrap_or_default();
                let request =
                    request.header("Content-Type", "application/json").header("Content-Length", bytes.len());
                let reader = std::io::Cursor::new(bytes);
                self.run(&url, request, ureq::SendBody::from_owned_reader(reader))
            }
        }
    }

    fn run(
        &self,
        url: &str,
        request: ureq::http::request::Builder,
        body: ureq::SendBody<'static>,
    ) -> Outcome<Answer> {
        self.asked.set(self.asked.get() + 1);
        let token = self.token.header();
        let request = request
            .header("Accept", "application/vnd.github+json")
            .header("X-GitHub-Api-Version", "2022-11-28")
            .header("Authorization", token.as_str());
        let failed = |error: ureq::Error| broken(url, error);
        let request = request.body(body).map_err(|error| failed(error.into()))?;
        let length = request.headers().get("content-length").and_then(|n| n.to_str().ok()?.parse().ok());
        let time = LONGEST + Duration::from_secs(length.unwrap_or(0_u64) / SLOWEST);
        let config = self.agent.configure_request(request).max_redirects(0).max_redirects_will_error(false);
        let config = config.timeout_global(Some(time));
        let mut response = self.agent.run(config.build()).map_err(failed)?;
        let bytes = response.body_mut().with_config().limit(ANSWER).read_to_vec().map_err(failed)?;
        let (parts, _) = response.into_parts();
        let answer = Answer { status: parts.status.as_u16(), headers: parts.headers, body: bytes };
        self.judge(url, answer)
    }

    /// What no caller can do anything about.
    fn judge(&self, url: &str, answer: Answer) -> Outcome<Answer> {
        let said = || format!("{url}: {} {}", answer.status, answer.message());
        match answer.status {
            401 => Err(SourceError::Token { url: url.to_owned(), from: self.token.from() }.into()),
            403 | 429 => match limit(&answer) {
                Some(wait) => Err(Trouble::Again { why: said(), wait: Some(wait) }),
                None if answer.status == 429 => Err(Trouble::Again { why: said(), wait: None }),
                None => Err(self.may_not(&answer, &answer.message())),
            },
            301 | 302 | 307 | 308 => {
                let to = answer.header("location").unwrap_or("an unknown place").to_owned();
                Err(PublishError::Moved { project: self.project.clone(), to }.into())
            }
            408 | 500..=599 => Err(Trouble::Again { why: said(), wait: None }),
            _ => Ok(answer),
        }
    }
}

/// As part of a path or a query. Versions and the names of assets have few other characters than these.
fn query(name: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    name.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

/// Tells how much was taken.
struct Counted {
    bytes: Take<Box<dyn Read>>,
    sent: Box<dyn FnMut(u64)>,
}

impl Read for Counted {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let n = self.bytes.read(into)?;
        (self.sent)(n as u64);
        Ok(n)
    }
}
