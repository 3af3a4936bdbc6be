//! What every answer of the API has in common: who may ask, rate limits,
//! entity tags, error bodies.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::response::Response;
use hyper::StatusCode;
use hyper::header::{CACHE_CONTROL, ETAG, HeaderName, HeaderValue, LINK, USER_AGENT, VARY};
use ring::digest::{SHA256, digest};
use serde::Serialize;

use super::auth::{Caller, caller};
use crate::app::{App, Cx, blocking};
use crate::catalog::digest::hex;
use crate::web::answer;
use crate::web::range::unchanged;

const JSON: &str = "application/json; charset=utf-8";
const NO_USER_AGENT: &str = "\r\nRequest forbidden by administrative rules. Please make sure your \
    request has a User-Agent header (https://docs.github.com/en/rest/overview/\
    resources-in-the-rest-api#user-agent-required). Check https://developer.github.com for other \
    possible causes.\r\n";

/// What a handler comes to.
pub(crate) enum Reply {
    /// JSON, with a Link header for a list.
    Json(String, Option<String>),
    /// Something that is no JSON.
    Other(Response),
    /// There is nothing of the kind, or the caller may not know of it.
    NotFound,
}

impl Reply {
    /// Compact JSON.
    pub fn json(value: &impl Serialize) -> Self {
        Self::list(value, None)
    }

    /// Compact JSON with a Link header.
    pub fn list(value: &impl Serialize, link: Option<String>) -> Self {
        // The objects hold strings, numbers and lists: this cannot fail.
        Self::Json(serde_json::to_string(value).unwrap_or_default(), link)
    }
}

#[derive(Serialize)]
struct Message<'a> {
    message: &'a str,
    documentation_url: &'a str,
    status: String,
}

fn error(status: StatusCode, message: &str) -> Response {
    let body = Message {
        message,
        documentation_url: "https://docs.github.com/rest",
        status: status.as_u16().to_string(),
    };
    let body = serde_json::to_string(&body).unwrap_or_default();
    answer(status, JSON, &[], body)
}

/// 404 in the API's words.
pub(crate) fn not_found() -> Response {
    error(StatusCode::NOT_FOUND, "Not Found")
}

/// Runs a handler for a caller who may see the repositories.
pub(crate) async fn reply<F>(app: Arc<App>, cx: Cx, handler: F) -> Response
where
    F: FnOnce(&App, &Cx, Caller) -> Reply + Send + 'static,
{
    blocking(app, cx, |app, cx| {
        let agent = cx.headers.get(USER_AGENT);
        if agent.is_none_or(|agent| agent.is_empty()) {
            return answer(StatusCode::FORBIDDEN, "text/html", &[], NO_USER_AGENT);
        }
        let caller = caller(&cx.headers, app.token.as_ref());
        let reply = match caller {
            Caller::Wrong => Reply::Other(error(StatusCode::UNAUTHORIZED, "Bad credentials")),
            Caller::Anonymous if app.token.is_some() => Reply::NotFound,
            Caller::Anonymous | Caller::Known => handler(app, cx, caller),
        };
        let mut response = match reply {
            Reply::Json(body, link) => tagged(cx, caller, body, link),
            Reply::Other(response) => response,
            Reply::NotFound => not_found(),
        };
        // A 304 costs nothing, but only to those who say who they are.
        let free = response.status() == StatusCode::NOT_MODIFIED && caller == Caller::Known;
        let mut headers = app.rates.headers(caller, free);
        let name = HeaderName::from_static;
        headers.push((name("x-github-request-id"), request_id()));
        headers.push((name("x-github-api-version-selected"), "2022-11-28".into()));
        headers.push((name("x-github-media-type"), "github.v3; format=json".into()));
        for (name, value) in headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    })
    .await
}

/// The JSON, or 304 for a client that has it.
fn tagged(cx: &Cx, caller: Caller, body: String, link: Option<String>) -> Response {
    let whole = format!("{body}{}", link.as_deref().unwrap_or_default());
    let etag = format!("W/\"{}\"", hex(digest(&SHA256, whole.as_bytes()).as_ref()));
    let cache = match caller {
        Caller::Known => "private, max-age=60, s-maxage=60",
        Caller::Anonymous | Caller::Wrong => "public, max-age=60, s-maxage=60",
    };
    let mut headers = vec![
        (ETAG, etag.clone()),
        (CACHE_CONTROL, cache.to_owned()),
        (VARY, "Accept, Authorization, Cookie, X-GitHub-OTP".to_owned()),
    ];
    if unchanged(&cx.headers, &etag, None) {
        return answer(StatusCode::NOT_MODIFIED, JSON, &headers, "");
    }
    headers.extend(link.map(|link| (LINK, link)));
    answer(StatusCode::OK, JSON, &headers, body)
}

fn request_id() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("{:04X}:{:06X}:{number:X}", std::process::id() & 0xffff, number)
}
