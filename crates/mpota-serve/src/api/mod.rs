//! The REST API: `/repos/...` as at api.github.com, `/api/v3/repos/...` as at
//! a GitHub Enterprise server.
//!
//! | reading | writing | both |
//! | --- | --- | --- |
//! | `releases`, `graphql`, `about` | `create` (releases), `assets`, `upload`, all through `change` | `objects`, `errors`, `reply`, `auth`, `rate` |

mod about;
mod assets;
pub(crate) mod auth;
mod change;
mod create;
pub(crate) mod errors;
mod graphql;
mod input;
mod objects;
pub(crate) mod page;
pub(crate) mod rate;
mod releases;
mod reply;
mod repository;
mod upload;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;

use crate::app::{App, Cx, blocking};
use crate::browser;
use crate::web::pages;

/// Under which prefixes the API is found.
pub(crate) const PREFIXES: [&str; 2] = ["", "/api/v3"];

/// All paths of the API.
pub(crate) fn routes() -> Router<Arc<App>> {
    PREFIXES.into_iter().fold(graphql::routes(), |router, prefix| {
        let all = [about::routes, releases::routes, create::routes, assets::routes, upload::routes];
        all.into_iter().fold(router, |router, routes| routes(router, prefix))
    })
}

/// Paths that nothing else answers: as the API, as a page for people, or as github.com does.
pub(crate) async fn unknown(State(app): State<Arc<App>>, cx: Cx) -> Response {
    let api = |path: &str| path.starts_with("/repos/") || path.starts_with("/api/") || path == "/graphql";
    if api(cx.uri.path()) {
        reply::not_found()
    } else if browser::wanted(&cx) {
        blocking(app, cx, browser::show).await
    } else {
        pages::not_found()
    }
}
