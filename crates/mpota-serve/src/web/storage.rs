//! The storage host: signed addresses in, bytes out. Its errors are XML.

use std::sync::Arc;
use std::time::SystemTime;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use hyper::StatusCode;
use hyper::header::{AUTHORIZATION, CONTENT_RANGE};

use super::{answer, file, signed};
use crate::app::{App, Cx, blocking};

/// The storage host's paths.
pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new().route("/github-production-release-asset/{repo}/{object}", get(object))
}

/// Anything else there.
pub(crate) async fn unknown() -> Response {
    not_found()
}

async fn object(State(app): State<Arc<App>>, cx: Cx) -> Response {
    blocking(app, cx, |app, cx| {
        if cx.headers.contains_key(AUTHORIZATION) {
            return error(
                StatusCode::BAD_REQUEST,
                "InvalidAuthenticationInfo",
                "Authentication information is not given in the correct format. \
                 Check the value of Authorization header.",
            );
        }
        let query = cx.uri.query().unwrap_or_default();
        let refused = |what| error(StatusCode::FORBIDDEN, "AuthenticationFailed", what);
        let claims = match app.signer.check(cx.uri.path(), query, SystemTime::now()) {
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
        let Some(repo) = app.catalog.repo(&claims.owner, &claims.repo) else {
            return not_found();
        };
        let releases = app.releases(&repo);
        let asset = releases
            .iter()
            .find(|release| release.id == claims.release)
            .and_then(|release| release.asset(&claims.name));
        match asset.map(|asset| file::content(cx, asset)) {
            Some(Ok(response)) => response,
            Some(Err(file::Refused::Range(len))) => beyond(len),
            Some(Err(file::Refused::Gone)) | None => not_found(),
        }
    })
    .await
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
