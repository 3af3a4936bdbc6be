//! GitHub's release and asset objects, field by field in GitHub's order.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;

use crate::app::{App, Cx};
use crate::catalog::{Asset, Release, Repo};
use crate::web::encode::{encode, encode_tag};
use crate::web::pages::{download_url, page_tag, repo_page};

#[derive(Serialize)]
pub(crate) struct User {
    login: String,
    id: u64,
    node_id: String,
    avatar_url: String,
    gravatar_id: String,
    url: String,
    html_url: String,
    followers_url: String,
    following_url: String,
    gists_url: String,
    starred_url: String,
    subscriptions_url: String,
    organizations_url: String,
    repos_url: String,
    events_url: String,
    received_events_url: String,
    #[serde(rename = "type")]
    kind: &'static str,
    user_view_type: &'static str,
    site_admin: bool,
}

#[derive(Serialize)]
pub(crate) struct AssetObject {
    url: String,
    id: u64,
    node_id: String,
    name: String,
    label: Option<String>,
    uploader: User,
    content_type: String,
    state: &'static str,
    size: u64,
    digest: Option<String>,
    download_count: u64,
    created_at: String,
    updated_at: String,
    browser_download_url: String,
}

#[derive(Serialize)]
pub(crate) struct ReleaseObject {
    url: String,
    assets_url: String,
    upload_url: String,
    html_url: String,
    id: u64,
    author: User,
    node_id: String,
    tag_name: String,
    target_commitish: String,
    name: Option<String>,
    draft: bool,
    immutable: bool,
    prerelease: bool,
    created_at: String,
    updated_at: String,
    published_at: Option<String>,
    assets: Vec<AssetObject>,
    tarball_url: Option<String>,
    zipball_url: Option<String>,
    body: Option<String>,
}

/// Makes objects whose addresses lead back to where the client asked.
pub(crate) struct Maker<'a> {
    pub app: &'a App,
    pub cx: &'a Cx,
    pub repo: &'a Repo,
    /// `""` or `"/api/v3"`.
    pub prefix: &'static str,
}

impl Maker<'_> {
    /// The address of something in the repository.
    pub fn api(&self, rest: &str) -> String {
        self.at(self.prefix, rest)
    }

    fn at(&self, prefix: &str, rest: &str) -> String {
        let (owner, name) = (&self.repo.owner, &self.repo.name);
        format!(
            "{}{prefix}/repos/{}/{}/{rest}",
            self.app.base(self.cx),
            encode(owner, b""),
            encode(name, b"")
        )
    }

    /// Where assets are uploaded: a host of its own at github.com, a path of
    /// its own at GitHub Enterprise.
    fn upload(&self, rest: &str) -> String {
        match self.prefix {
            "/api/v3" => self.at("/api/uploads", rest),
            other => self.at(other, rest),
        }
    }

    /// A page for people.
    pub fn page(&self, page: &str) -> String {
        repo_page(self.app, self.cx, self.repo, page)
    }

    pub fn release(&self, release: &Release) -> ReleaseObject {
        let id = release.id;
        let tag = encode_tag(&release.tag);
        let page = format!("releases/tag/{}", encode_tag(&page_tag(release)));
        let source = |kind| (!release.draft).then(|| self.api(&format!("{kind}/{tag}")));
        ReleaseObject {
            url: self.api(&format!("releases/{id}")),
            assets_url: self.api(&format!("releases/{id}/assets")),
            upload_url: self.upload(&format!("releases/{id}/assets{{?name,label}}")),
            html_url: self.page(&page),
            id,
            author: self.user(),
            node_id: node_id("RE", id),
            tag_name: release.tag.clone(),
            target_commitish: text(&release.meta.target_commitish).unwrap_or("main".into()),
            name: release.meta.name.clone().or_else(|| Some(release.tag.clone())),
            draft: release.draft,
            immutable: release.meta.immutable,
            prerelease: release.prerelease,
            created_at: release.created_at.clone(),
            updated_at: release.updated_at.clone(),
            published_at: release.published_at.clone(),
            assets: self.assets(release, &release.assets),
            tarball_url: source("tarball"),
            zipball_url: source("zipball"),
            body: release.meta.body.clone(),
        }
    }

    pub fn assets(&self, release: &Release, assets: &[Asset]) -> Vec<AssetObject> {
        assets.iter().map(|asset| self.asset(release, asset)).collect()
    }

    pub fn asset(&self, release: &Release, asset: &Asset) -> AssetObject {
        let computed = || {
            let digest = self.app.digests.sha256(&asset.path, asset.stamp).ok()?;
            Some(format!("sha256:{digest}"))
        };
        // An empty note says that there is none.
        let digest = asset.digest.clone().or_else(computed).filter(|digest| !digest.is_empty());
        AssetObject {
            url: self.api(&format!("releases/assets/{}", asset.id)),
            id: asset.id,
            node_id: node_id("RA", asset.id),
            name: asset.name.clone(),
            label: asset.label.clone().or_else(|| Some(String::new())),
            uploader: self.user(),
            content_type: asset.content_type.clone(),
            state: asset.state,
            size: asset.stamp.len,
            digest: digest.filter(|_| self.app.digests_shown),
            download_count: 0,
            created_at: asset.created_at.clone(),
            updated_at: asset.updated_at.clone(),
            browser_download_url: download_url(self.app, self.cx, self.repo, release, &asset.name),
        }
    }

    pub fn user(&self) -> User {
        let login = self.repo.owner.clone();
        let base = self.app.base(self.cx);
        let name = encode(&login, b"");
        let url = format!("{base}{}/users/{name}", self.prefix);
        let id = self.repo.owner_id();
        User {
            id,
            node_id: node_id("U", id),
            avatar_url: format!("{base}/{name}.png"),
            gravatar_id: String::new(),
            html_url: format!("{base}/{name}"),
            followers_url: format!("{url}/followers"),
            following_url: format!("{url}/following{{/other_user}}"),
            gists_url: format!("{url}/gists{{/gist_id}}"),
            starred_url: format!("{url}/starred{{/owner}}{{/repo}}"),
            subscriptions_url: format!("{url}/subscriptions"),
            organizations_url: format!("{url}/orgs"),
            repos_url: format!("{url}/repos"),
            events_url: format!("{url}/events{{/privacy}}"),
            received_events_url: format!("{url}/received_events"),
            kind: "User",
            user_view_type: "public",
            site_admin: false,
            login,
            url,
        }
    }
}

fn text(value: &Option<String>) -> Option<String> {
    value.clone().filter(|value| !value.is_empty())
}

pub(crate) fn node_id(kind: &str, id: u64) -> String {
    format!("{kind}_kwDO{}", URL_SAFE_NO_PAD.encode(id.to_be_bytes()))
}
