//! The storage host: signed addresses in, bytes out. Its errors are XML.

use std::sync::Arc;
use std::time::SystemTime;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use hyper::StatusCode;
use hyper::header::{AUTHORIZATION, CONTENT_RANGE};

use super::signed::{self, Claims};
use super::{answer, file};
use crate::app::{App, Cx};
use crate::catalog::known::Listing;

/// The storage host's paths.
pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new().route("/github-production-release-asset/{repo}/{object}", get(object))
}

/// Anything else there.
pub(crate) async fn unknown() -> Response {
    not_found()
}

async fn object(State(app): State<Arc<App>>, cx: Cx) -> Response {
    // GitHub's storage takes the signed address alone. A board sends its token to every address of the host and port
    // that it is for, so whoever has it comes with it where the storage is there too.
    if cx.headers.contains_key(AUTHORIZATION) && app.asset_base.is_some() {
        return error(
            StatusCode::BAD_REQUEST,
            "InvalidAuthenticationInfo",
            "Authentication information is not given in the correct format. \
             Check the value of Authorization header.",
        );
    }
    let refused = |what| error(StatusCode::FORBIDDEN, "AuthenticationFailed", what);
    let claims = match app.signer.open(&cx.uri, SystemTime::now()) {
        Ok(claims) => claims,
        Err(signed::Refused::Altered) => {
            return refused(
                "Server failed to authenticate the request. Make sure the value of \
                 Authorization header is formed correctly including the signature.",
            );
        }
        Err(signed::Refused::Expired) => {
            return refused("The signed address is not valid any more: it has expired.");
        }
    };
    let Some(found) = app.listing(&claims.owner, &claims.repo).await else {
        return not_found();
    };
    match content(&app, &cx, &found, &claims) {
        Some(Ok(response)) => response,
        Some(Err(file::Refused::Range(len))) => beyond(len),
        Some(Err(file::Refused::Gone)) | None => not_found(),
    }
}

/// What an address leads to.
pub(super) fn content(
    app: &App,
    cx: &Cx,
    found: &Listing,
    claims: &Claims,
) -> Option<Result<Response, file::Refused>> {
    let release = found.releases.all.iter().find(|release| release.id == claims.release)?;
    let asset = release.asset(&claims.name)?;
    if app.withheld(&found.repo, release, asset).is_some() {
        return None;
    }
    Some(file::content(app, cx, asset))
}

/// The range lies behind the end.
pub(crate) fn beyond(len: u64) -> Response {
    let mut response = error(
        StatusCode::RANGE_NOT_SATISFIABLE,
        "InvalidRange",
        "The range specified is invalid for the current size of the resource.",
    );
    if let Ok(range) = format!("bytes */{len}").parse() {
        response.headers_mut().insert(CONTENT_RANGE, range);
    }
    response
}

fn not_found() -> Response {
    error(StatusCode::NOT_FOUND, "BlobNotFound", "The specified blob does not exist.")
}

fn error(status: StatusCode, code: &str, message: &str) -> Response {
    let body = format!(
        "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?>\
         <Error><Code>{code}</Code><Message>{message}</Message></Error>"
    );
    answer(status, "application/xml", &[], body)
}
