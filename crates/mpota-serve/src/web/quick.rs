//! What boards ask for most, answered at once: downloads from a folder that is known, to clients that are no browsers.
//!
//! The router gives the same answers, from the same functions. It answers whatever is left out here: a folder that
//! has to be read, names in percent-encoding, private repositories, everything that is refused.

use std::time::SystemTime;

use axum::response::Response;
use hyper::Method;
use hyper::header::AUTHORIZATION;

use super::signed::PREFIX;
use super::{pages, storage};
use crate::app::{App, Cx};
use crate::browser;
use crate::log::ListenerKind;

/// Parts of the API's paths, which are routed first.
const NO_OWNERS: [&str; 3] = ["repos", "api", "graphql"];

/// The answer, if it is one of these. None: ask the router.
pub(crate) fn answer(app: &App, cx: &Cx, kind: ListenerKind) -> Option<Response> {
    let path = cx.uri.path();
    let plain = cx.fault.is_none() && !path.contains('%') && !cx.headers.contains_key(AUTHORIZATION);
    if !plain || ![Method::GET, Method::HEAD].contains(&cx.method) {
        return None;
    }
    if path.starts_with(PREFIX) {
        let here = kind == ListenerKind::Asset || app.asset_base.is_none();
        return if here { object(app, cx) } else { None };
    }
    if kind == ListenerKind::Asset || app.access.private || browser::wanted(cx) {
        return None;
    }
    let mut parts = path.strip_prefix('/')?.splitn(4, '/');
    let (owner, repo, releases, rest) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    if NO_OWNERS.contains(&owner) || releases != "releases" {
        return None;
    }
    let found = || app.catalog.known(owner, repo);
    if rest == "latest" {
        return pages::to_latest(app, cx, &*found()?);
    }
    if let Some(name) = rest.strip_prefix("latest/download/") {
        return if name.is_empty() || name.contains('/') {
            None
        } else {
            pages::to_newest(app, cx, &*found()?, name)
        };
    }
    pages::to_asset(app, cx, &*found()?, None, rest.strip_prefix("download/")?)
}

fn object(app: &App, cx: &Cx) -> Option<Response> {
    let claims = app.signer.open(&cx.uri, SystemTime::now()).ok()?;
    let found = app.catalog.known(&claims.owner, &claims.repo)?;
    storage::content(app, cx, &found, &claims)?.ok()
}
