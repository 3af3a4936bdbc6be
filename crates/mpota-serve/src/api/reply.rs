//! What every answer of the API has in common: who may ask, rate limits,
//! entity tags, error bodies.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::response::Response;
use hyper::StatusCode;
use hyper::header::{
    CACHE_CONTROL, ETAG, HeaderName, HeaderValue, LINK, LOCATION, ORIGIN, RETRY_AFTER, USER_AGENT, VARY,
};
use ring::digest::{SHA256, digest};
use serde::Serialize;

use super::auth::{Caller, Who};
use super::errors::Problem;
use crate::app::{App, Cx, blocking};
use crate::catalog::digest::hex;
use crate::faults::FaultKind;
use crate::web::answer;
use crate::web::range::unchanged;
use crate::write::Permission;

pub(crate) const JSON: &str = "application/json; charset=utf-8";
const VARIES: &str = "Accept, Authorization, Cookie, X-GitHub-OTP";
const NO_USER_AGENT: &str = "\r\nRequest forbidden by administrative rules. Please make sure your \
    request has a User-Agent header (https://docs.github.com/en/rest/overview/\
    resources-in-the-rest-api#user-agent-required). Check https://developer.github.com for other \
    possible causes.\r\n";
const GATEWAY: &str = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n\
    <center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n";

/// What a handler comes to.
pub(crate) enum Reply {
    /// JSON, with a Link header for a list.
    Json(String, Option<String>),
    /// JSON of something new, and where it is from now on, where GitHub says that.
    Created(String, Option<String>),
    /// It is done, and there is nothing to say.
    NoContent,
    /// It was refused.
    Refused(Problem),
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

    /// Something new.
    pub fn created(value: &impl Serialize, location: Option<String>) -> Self {
        Self::Created(serde_json::to_string(value).unwrap_or_default(), location)
    }
}

impl From<Result<Self, Problem>> for Reply {
    fn from(result: Result<Self, Problem>) -> Self {
        result.unwrap_or_else(Self::Refused)
    }
}

/// 404 in the API's words.
pub(crate) fn not_found() -> Response {
    Problem::not_found().response()
}

/// 502 in the words of whatever stands before the API.
pub(crate) fn bad_gateway() -> Response {
    answer(StatusCode::BAD_GATEWAY, "text/html", &[], GATEWAY)
}

/// Runs a handler for a caller who may see the repositories.
pub(crate) async fn reply<F>(app: Arc<App>, cx: Cx, handler: F) -> Response
where
    F: FnOnce(&App, &Cx, &Who) -> Reply + Send + 'static,
{
    blocking(app, cx, |app, cx| {
        let (who, refused) = admit(app, cx);
        let reply = refused.unwrap_or_else(|| handler(app, cx, &who));
        dress(app, cx, &who, reply)
    })
    .await
}

/// Who asks, and what is said at once to those who are not let in.
pub(crate) fn admit(app: &App, cx: &Cx) -> (Who, Option<Reply>) {
    let who = app.access.who(&cx.headers);
    let agent = cx.headers.get(USER_AGENT);
    let refused = if agent.is_none_or(|agent| agent.is_empty()) {
        Some(Reply::Other(answer(StatusCode::FORBIDDEN, "text/html", &[], NO_USER_AGENT)))
    } else if !cx.method.is_safe() && cx.headers.contains_key(ORIGIN) {
        // A browser that has the token sends it along with what any page asks it to send.
        Some(Reply::Refused(Problem::new(StatusCode::FORBIDDEN, "Pages in a browser cannot change anything")))
    } else if who.caller == Caller::Wrong {
        Some(Reply::Refused(Problem::new(StatusCode::UNAUTHORIZED, "Bad credentials")))
    } else if cx.fault == Some(FaultKind::BadGateway) {
        Some(Reply::Other(bad_gateway()))
    } else if let Some(limited) = limited(cx) {
        Some(limited)
    } else if !app.access.reads(&who) {
        Some(Reply::NotFound)
    } else {
        None
    };
    (who, refused)
}

fn limited(cx: &Cx) -> Option<Reply> {
    let (status, message) = match cx.fault.as_ref()? {
        FaultKind::RateLimit { .. } => (StatusCode::FORBIDDEN, "API rate limit exceeded for user ID 1."),
        FaultKind::SecondaryLimit { .. } => (
            StatusCode::FORBIDDEN,
            "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
        ),
        FaultKind::TooManyRequests { .. } => (
            StatusCode::TOO_MANY_REQUESTS,
            "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
        ),
        _ => return None,
    };
    let page = "using-the-rest-api/rate-limits-for-the-rest-api";
    Some(Reply::Refused(Problem::new(status, message).see(page)))
}

/// The answer with all the headers that GitHub gives every answer.
pub(crate) fn dress(app: &App, cx: &Cx, who: &Who, reply: Reply) -> Response {
    let mut response = match reply {
        Reply::Json(body, link) => tagged(cx, who.caller, body, link),
        Reply::Created(body, location) => {
            let mut headers = vec![(ETAG, etag(&body))];
            if let Some(location) = location {
                headers.extend([
                    (LOCATION, location),
                    (CACHE_CONTROL, cache(who.caller)),
                    (VARY, VARIES.into()),
                ]);
            }
            answer(StatusCode::CREATED, JSON, &headers, body)
        }
        Reply::NoContent => {
            let mut response = Response::default();
            *response.status_mut() = StatusCode::NO_CONTENT;
            response
        }
        Reply::Refused(problem) => problem.response(),
        Reply::Other(response) => response,
        Reply::NotFound => not_found(),
    };
    // A 304 costs nothing, but only to those who say who they are.
    let free = response.status() == StatusCode::NOT_MODIFIED && who.caller == Caller::Known;
    let used_up = match &cx.fault {
        Some(FaultKind::RateLimit { reset }) => Some(*reset),
        _ => None,
    };
    let mut headers = app.rates.headers(who.caller, free, used_up);
    let name = HeaderName::from_static;
    let writing = !cx.method.is_safe();
    match &who.permission {
        Some(Permission::Scopes(scopes)) => {
            headers.push((name("x-oauth-scopes"), scopes.join(", ")));
            headers.push((name("x-accepted-oauth-scopes"), "repo".into()));
        }
        Some(Permission::ContentsRead | Permission::ContentsWrite) => {
            let wanted = if writing { "contents=write" } else { "contents=read" };
            headers.push((name("x-accepted-github-permissions"), wanted.into()));
        }
        None => {}
    }
    let waits = match &cx.fault {
        Some(
            FaultKind::SecondaryLimit { retry_after: wait }
            | FaultKind::TooManyRequests { retry_after: wait },
        ) => Some(whole_seconds(*wait)),
        _ => None,
    };
    headers.extend(waits.map(|wait| (RETRY_AFTER, wait.to_string())));
    headers.push((name("x-github-request-id"), request_id()));
    headers.push((name("x-github-api-version-selected"), "2022-11-28".into()));
    headers.push((name("x-github-media-type"), "github.v3; format=json".into()));
    // Nothing here is for a browser to show.
    headers.push((name("content-security-policy"), "default-src 'none'".into()));
    headers.push((name("x-content-type-options"), "nosniff".into()));
    headers.push((name("x-frame-options"), "deny".into()));
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

fn whole_seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

fn etag(text: &str) -> String {
    format!("W/\"{}\"", hex(digest(&SHA256, text.as_bytes()).as_ref()))
}

/// How long an answer may be kept, and for whom.
fn cache(caller: Caller) -> String {
    let whose = if caller == Caller::Known { "private" } else { "public" };
    format!("{whose}, max-age=60, s-maxage=60")
}

/// The JSON, or 304 for a client that has it.
fn tagged(cx: &Cx, caller: Caller, body: String, link: Option<String>) -> Response {
    let etag = etag(&format!("{body}{}", link.as_deref().unwrap_or_default()));
    let mut headers = vec![(ETAG, etag.clone()), (CACHE_CONTROL, cache(caller)), (VARY, VARIES.to_owned())];
    if cx.method.is_safe() && unchanged(&cx.headers, &etag, None) {
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
