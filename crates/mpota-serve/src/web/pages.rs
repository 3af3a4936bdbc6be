//! The download paths of github.com: redirects, and a plain "Not Found".

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use hyper::StatusCode;
use hyper::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, LOCATION,
};
use mpota_format::rollout;

use super::encode::{encode, encode_tag};
use super::{answer, file, storage};
use crate::app::{App, Cx};
use crate::browser::{self, Viewer};
use crate::catalog::digest::{hex, short_hash};
use crate::catalog::known::Listing;
use crate::catalog::{Asset, Release, Repo, latest};

/// github.com sends one header line of 3.5 KB: a client has to bear it.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let mut policy = String::from("default-src 'none'; base-uri 'self'; img-src 'self' data:");
    for number in 0.. {
        if policy.len() >= 3_500 {
            break;
        }
        policy.push_str(&format!(" storage-{number:03}.example"));
    }
    // Of printable ASCII: this cannot fail.
    HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static(""))
});

/// The download paths.
pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/{owner}/{repo}/releases/latest", get(latest_page))
        .route("/{owner}/{repo}/releases/latest/download/{name}", get(latest_download))
        .route("/{owner}/{repo}/releases/download/{*rest}", get(download))
}

/// Anything else there.
pub(crate) fn not_found() -> Response {
    answer(StatusCode::NOT_FOUND, "text/plain; charset=utf-8", &[], "Not Found")
}

async fn latest_page(
    State(app): State<Arc<App>>,
    Path((owner, repo)): Path<(String, String)>,
    cx: Cx,
) -> Response {
    with_releases(&app, &cx, (&owner, &repo), |found, _| to_latest(&app, &cx, found)).await
}

async fn latest_download(
    State(app): State<Arc<App>>,
    Path((owner, repo, name)): Path<(String, String, String)>,
    cx: Cx,
) -> Response {
    with_releases(&app, &cx, (&owner, &repo), |found, _| to_newest(&app, &cx, found, &name)).await
}

async fn download(
    State(app): State<Arc<App>>,
    Path((owner, repo, rest)): Path<(String, String, String)>,
    cx: Cx,
) -> Response {
    with_releases(&app, &cx, (&owner, &repo), |found, viewer| to_asset(&app, &cx, found, viewer, &rest)).await
}

/// The way to the page of the latest release.
pub(super) fn to_latest(app: &App, cx: &Cx, found: &Listing) -> Option<Response> {
    let release = latest(&found.releases.all)?;
    let page = format!("releases/tag/{}", encode_tag(&release.tag));
    Some(redirect(&repo_page(app, cx, &found.repo, &page)))
}

/// The way to an asset of the latest release, or its content.
pub(super) fn to_newest(app: &App, cx: &Cx, found: &Listing, name: &str) -> Option<Response> {
    let release = latest(&found.releases.all)?;
    if !app.redirects {
        return Some(direct(app, cx, release.asset(name)?));
    }
    // GitHub looks at the name only after the redirect.
    Some(redirect(&download_url(app, cx, &found.repo, release, name)))
}

/// The way to `tag/name`, or its content.
pub(super) fn to_asset(
    app: &App,
    cx: &Cx,
    found: &Listing,
    viewer: Option<&Viewer>,
    rest: &str,
) -> Option<Response> {
    // A tag may hold slashes, an asset's name may not.
    let (tag, name) = rest.rsplit_once('/')?;
    let releases = &found.releases.all;
    let release = match viewer {
        Some(viewer) => viewer.find(releases, tag)?,
        None => releases.iter().find(|r| r.tag == tag && !r.draft)?,
    };
    let asset = release.asset(name)?;
    if let Some(version) = app.withheld(&found.repo, release, asset) {
        return if viewer.is_some() { None } else { Some(withheld(not_found(), &version)) };
    }
    Some(content(app, cx, &found.repo, release, asset))
}

/// Finds the releases of a repository, or answers 404. Who looks is known of a browser only.
async fn with_releases(
    app: &Arc<App>,
    cx: &Cx,
    (owner, repo): (&str, &str),
    then: impl FnOnce(&Listing, Option<&Viewer>) -> Option<Response>,
) -> Response {
    let by_browser = browser::wanted(cx);
    let viewer = if by_browser { browser::admit(app, cx) } else { None };
    if by_browser && viewer.is_none() {
        return browser::login();
    }
    // To programs a private repository's pages are not there: they take cookies, not tokens.
    if app.access.private && viewer.is_none() {
        return not_found();
    }
    let found = app.listing(owner, repo).await;
    let answer = found.and_then(|found| then(&found, viewer.as_ref()));
    answer.unwrap_or_else(|| if viewer.is_some() { browser::not_found(app) } else { not_found() })
}

/// The content, or the way to it.
pub(crate) fn content(app: &App, cx: &Cx, repo: &Repo, release: &Release, asset: &Asset) -> Response {
    // A browser sends its password to every address of this host, and a storage host of its own refuses whoever sends one.
    let logged_in = browser::wanted(cx) && cx.headers.contains_key(AUTHORIZATION);
    if app.redirects && !logged_in {
        let address = app.signer.address(repo, release, asset, asset.stamp_now());
        return redirect(&(app.asset_base(cx) + &address));
    }
    direct(app, cx, asset)
}

/// Says to programs of the owner why boards do not find the rollout of this version.
pub(crate) fn withheld(mut response: Response, version: &str) -> Response {
    if let Ok(version) = HeaderValue::from_str(version) {
        response.headers_mut().insert(HeaderName::from_static(rollout::WITHHELD), version);
    }
    response
}

/// The content, without a way to the storage host.
pub(crate) fn direct(app: &App, cx: &Cx, asset: &Asset) -> Response {
    match file::content(app, cx, asset) {
        Ok(response) => response,
        Err(file::Refused::Range(len)) => storage::beyond(len),
        Err(file::Refused::Gone) => not_found(),
    }
}

fn redirect(to: &str) -> Response {
    let mut response =
        answer(StatusCode::FOUND, "text/html; charset=utf-8", &[(LOCATION, to.to_owned())], "");
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, POLICY.clone());
    response
}

/// A page of a repository.
pub(crate) fn repo_page(app: &App, cx: &Cx, repo: &Repo, page: &str) -> String {
    let (base, owner, name) = (app.base(cx), &repo.owner, &repo.name);
    format!("{base}/{}/{}/{page}", encode(owner, b""), encode(name, b""))
}

/// What stands for the tag in the address of a release's page: a draft's tag
/// may be another release's too.
pub(crate) fn page_tag(release: &Release) -> String {
    if !release.draft {
        return release.tag.clone();
    }
    let opaque = hex(&short_hash(&["draft", &release.id.to_string()]));
    format!("untagged-{}", &opaque[..20])
}

/// Where a browser downloads an asset.
pub(crate) fn download_url(app: &App, cx: &Cx, repo: &Repo, release: &Release, name: &str) -> String {
    let tag = page_tag(release);
    let page = format!("releases/download/{}/{}", encode_tag(&tag), encode(name, b""));
    repo_page(app, cx, repo, &page)
}
