//! The download paths of github.com: redirects, and a plain "Not Found".

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use hyper::StatusCode;
use hyper::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, LOCATION};

use super::encode::{encode, encode_tag};
use super::{answer, file, storage};
use crate::app::{App, Cx, blocking};
use crate::browser::{self, Viewer};
use crate::catalog::digest::{hex, short_hash};
use crate::catalog::{Asset, Release, Repo, latest};

/// github.com sends one header line of 3.5 KB: a client has to bear it.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let mut policy = String::from("default-src 'none'; base-uri 'self'; img-src 'self' data:");
    for number in 0.. {
        if policy.len() >= 3_500 {
            break;
        }
        policy.push_str(&format!(" storage-{number:03}.example"));
    }
    policy
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
    blocking(app, cx, move |app, cx| {
        with_releases(app, cx, (&owner, &repo), |repo, releases, _| {
            let release = latest(releases)?;
            let page = format!("releases/tag/{}", encode_tag(&release.tag));
            Some(redirect(&repo_page(app, cx, repo, &page)))
        })
    })
    .await
}

async fn latest_download(
    State(app): State<Arc<App>>,
    Path((owner, repo, name)): Path<(String, String, String)>,
    cx: Cx,
) -> Response {
    blocking(app, cx, move |app, cx| {
        with_releases(app, cx, (&owner, &repo), |repo, releases, _| {
            let release = latest(releases)?;
            if !app.redirects {
                return Some(direct(cx, release.asset(&name)?));
            }
            // GitHub looks at the name only after the redirect.
            Some(redirect(&download_url(app, cx, repo, release, &name)))
        })
    })
    .await
}

async fn download(
    State(app): State<Arc<App>>,
    Path((owner, repo, rest)): Path<(String, String, String)>,
    cx: Cx,
) -> Response {
    blocking(app, cx, move |app, cx| {
        with_releases(app, cx, (&owner, &repo), |repo, releases, viewer| {
            // A tag may hold slashes, an asset's name may not.
            let (tag, name) = rest.rsplit_once('/')?;
            let release = match viewer {
                Some(viewer) => viewer.find(releases, tag)?,
                None => releases.iter().find(|r| r.tag == tag && !r.draft)?,
            };
            let asset = release.asset(name)?;
            Some(content(app, cx, repo, release, asset))
        })
    })
    .await
}

/// Finds the releases of a repository, or answers 404. Who looks is known of a browser only.
fn with_releases(
    app: &App,
    cx: &Cx,
    (owner, repo): (&str, &str),
    then: impl FnOnce(&Repo, &[Release], Option<&Viewer>) -> Option<Response>,
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
    let found = app.catalog.repo(owner, repo);
    let answer = found.and_then(|repo| then(&repo, &app.releases(&repo), viewer.as_ref()));
    answer.unwrap_or_else(|| if viewer.is_some() { browser::not_found(app) } else { not_found() })
}

/// The content, or the way to it.
pub(crate) fn content(app: &App, cx: &Cx, repo: &Repo, release: &Release, asset: &Asset) -> Response {
    // A browser sends its password to every address of this host, and the storage host refuses whoever sends one.
    let logged_in = browser::wanted(cx) && cx.headers.contains_key(AUTHORIZATION);
    if app.redirects && !logged_in {
        let address = app.signer.address(repo, release, asset);
        return redirect(&(app.asset_base(cx) + &address));
    }
    direct(cx, asset)
}

fn direct(cx: &Cx, asset: &Asset) -> Response {
    match file::content(cx, asset) {
        Ok(response) => response,
        Err(file::Refused::Range(len)) => storage::beyond(len),
        Err(file::Refused::Gone) => not_found(),
    }
}

fn redirect(to: &str) -> Response {
    let headers = [
        (LOCATION, to.to_owned()),
        (CACHE_CONTROL, "no-cache".to_owned()),
        (CONTENT_SECURITY_POLICY, POLICY.clone()),
    ];
    answer(StatusCode::FOUND, "text/html; charset=utf-8", &headers, "")
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
