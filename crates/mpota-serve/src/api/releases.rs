//! Reading releases and assets.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use hyper::header::ACCEPT;

use super::objects::Maker;
use super::page::Page;
use super::reply::{Reply, not_found, reply};
use crate::app::{App, Cx};
use crate::catalog::{Release, Repo, latest};
use crate::web::{file, pages};

/// The reading paths under one prefix.
pub(crate) fn routes(router: Router<Arc<App>>, prefix: &'static str) -> Router<Arc<App>> {
    let at = |rest: &str| format!("{prefix}/repos/{{owner}}/{{repo}}/releases{rest}");
    router
        .route(&at(""), get(move |s, p, cx| list(prefix, s, p, cx)))
        .route(&at("/latest"), get(move |s, p, cx| newest(prefix, s, p, cx)))
        .route(&at("/tags/{*tag}"), get(move |s, p, cx| by_tag(prefix, s, p, cx)))
        .route(&at("/{id}"), get(move |s, p, cx| by_id(prefix, s, p, cx)))
        .route(&at("/{id}/assets"), get(move |s, p, cx| assets(prefix, s, p, cx)))
        .route(&at("/assets/{id}"), get(move |s, p, cx| asset(prefix, s, p, cx)))
}

type Two = Path<(String, String)>;
type Three = Path<(String, String, String)>;
type Shared = State<Arc<App>>;

async fn list(prefix: &'static str, State(app): Shared, Path((o, r)): Two, cx: Cx) -> Response {
    in_repo(app, cx, prefix, (o, r), |make, releases| {
        let page = Page::of(&make.cx.uri);
        let link = page.link(&make.api("releases"), releases.len());
        let objects: Vec<_> = page.cut(&releases).iter().map(|release| make.release(release)).collect();
        Some(Reply::list(&objects, link))
    })
    .await
}

async fn newest(prefix: &'static str, State(app): Shared, Path((o, r)): Two, cx: Cx) -> Response {
    in_repo(app, cx, prefix, (o, r), |make, releases| Some(Reply::json(&make.release(latest(&releases)?))))
        .await
}

async fn by_tag(prefix: &'static str, State(app): Shared, Path((o, r, tag)): Three, cx: Cx) -> Response {
    in_repo(app, cx, prefix, (o, r), move |make, releases| {
        let release = releases.iter().find(|r| r.tag == tag && !r.draft)?;
        Some(Reply::json(&make.release(release)))
    })
    .await
}

async fn by_id(prefix: &'static str, State(app): Shared, Path((o, r, id)): Three, cx: Cx) -> Response {
    in_repo(app, cx, prefix, (o, r), move |make, releases| {
        let id: u64 = id.parse().ok()?;
        let release = releases.iter().find(|r| r.id == id)?;
        Some(Reply::json(&make.release(release)))
    })
    .await
}

async fn assets(prefix: &'static str, State(app): Shared, Path((o, r, id)): Three, cx: Cx) -> Response {
    in_repo(app, cx, prefix, (o, r), move |make, releases| {
        let id: u64 = id.parse().ok()?;
        let release = releases.iter().find(|r| r.id == id)?;
        let page = Page::of(&make.cx.uri);
        let url = make.api(&format!("releases/{id}/assets"));
        let link = page.link(&url, release.assets.len());
        let objects = make.assets(release, page.cut(&release.assets));
        Some(Reply::list(&objects, link))
    })
    .await
}

async fn asset(prefix: &'static str, State(app): Shared, Path((o, r, id)): Three, cx: Cx) -> Response {
    in_repo(app, cx, prefix, (o, r), move |make, releases| {
        let id: u64 = id.parse().ok()?;
        let (release, asset) = releases.iter().find_map(|release| {
            let asset = release.assets.iter().find(|asset| asset.id == id)?;
            Some((release, asset))
        })?;
        if wants_content(make.cx) {
            if let Some(version) = make.app.withheld(make.repo, release, asset) {
                // Who may change it sees it all the same: a halt that is signed keeps what stands there.
                let writes = make.app.access.writes(&make.app.access.who(&make.cx.headers));
                let response = if writes { pages::direct(make.app, make.cx, asset) } else { not_found() };
                return Some(Reply::Other(pages::withheld(response, &version)));
            }
            let content = pages::content(make.app, make.cx, make.repo, release, asset);
            return Some(Reply::Other(content));
        }
        Some(Reply::json(&make.asset(release, asset)))
    })
    .await
}

fn wants_content(cx: &Cx) -> bool {
    cx.headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.to_ascii_lowercase().contains(file::OCTETS))
}

/// Finds the repository and the releases that this caller may see.
async fn in_repo<F>(
    app: Arc<App>,
    cx: Cx,
    prefix: &'static str,
    (owner, name): (String, String),
    then: F,
) -> Response
where
    F: FnOnce(&Maker<'_>, Vec<Release>) -> Option<Reply> + Send + 'static,
{
    reply(app, cx, move |app, cx, who| {
        let find = || -> Option<Reply> {
            let repo: Repo = app.catalog.repo(&owner, &name)?;
            let mut releases = app.releases(&repo);
            if !app.access.sees_drafts(who) {
                releases.retain(|release| !release.draft);
            }
            let make = Maker { app, cx, repo: &repo, prefix };
            then(&make, releases)
        };
        find().unwrap_or(Reply::NotFound)
    })
    .await
}
