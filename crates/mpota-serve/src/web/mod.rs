//! The download paths of github.com and the storage host behind them.

pub(crate) mod encode;
pub(crate) mod file;
pub(crate) mod pages;
mod parts;
pub(crate) mod pieces;
pub(crate) mod quick;
pub(crate) mod range;
pub(crate) mod signed;
pub(crate) mod storage;

use axum::body::Body;
use axum::response::Response;
use hyper::StatusCode;
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue};

/// An answer with a body that is already there. Headers whose value would not
/// be valid are left out.
pub(crate) fn answer(
    status: StatusCode,
    content_type: &'static str,
    headers: &[(HeaderName, String)],
    body: impl Into<String>,
) -> Response {
    let body = body.into();
    let length = HeaderValue::from(body.len());
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let map = response.headers_mut();
    map.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    if status != StatusCode::NOT_MODIFIED {
        map.insert(CONTENT_LENGTH, length);
    }
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(value) {
            map.insert(name.clone(), value);
        }
    }
    response
}
