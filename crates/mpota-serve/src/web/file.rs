//! The contents of an asset: in parts if wanted, streamed if it is large.

use std::fs::File;
use std::io::{self, Seek, SeekFrom};

use axum::body::Body;
use axum::response::Response;
use hyper::header::{
    ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderValue,
    LAST_MODIFIED,
};
use hyper::{Method, StatusCode};

use super::encode::encode;
use super::parts::Parts;
use super::pieces::{Pieces, read_now};
use super::range::{Wanted, unchanged, wanted};
use crate::app::{App, Cx};
use crate::catalog::Asset;
use crate::catalog::digest::Stamp;

/// GitHub says this of every asset, whatever it is.
pub(crate) const OCTETS: &str = "application/octet-stream";
/// What is sent in one piece, if the system has it in memory.
const AT_ONCE: u64 = 64 * 1024;
/// Why there is no content.
pub(crate) enum Refused {
    /// It is gone or cannot be read.
    Gone,
    /// The range lies behind the end of this many bytes.
    Range(u64),
}

/// Answers with an asset's content, a part of it, or 304.
pub(crate) fn content(app: &App, cx: &Cx, asset: &Asset) -> Result<Response, Refused> {
    let file = File::open(&asset.path).map_err(|_| Refused::Gone)?;
    // What was opened is what is described, should it have been replaced since
    // the folder was listed.
    let metadata = file.metadata().map_err(|_| Refused::Gone)?;
    if !metadata.is_file() {
        return Err(Refused::Gone);
    }
    let stamp = Stamp::of(&metadata);
    let etag = stamp.etag();
    let mut response = Response::default();
    let set = |response: &mut Response, name, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(name, value);
        }
    };
    set(&mut response, ETAG, &etag);
    let date = httpdate::fmt_http_date(stamp.modified);
    set(&mut response, LAST_MODIFIED, &date);
    set(&mut response, ACCEPT_RANGES, "bytes");
    if unchanged(&cx.headers, &etag, Some(stamp.modified)) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        // As the router says it of every answer without a body.
        set(&mut response, CONTENT_LENGTH, "0");
        return Ok(response);
    }
    let range = match cx.method {
        Method::GET => wanted(&cx.headers, stamp.len, &etag, stamp.modified),
        _ => Wanted::Whole,
    };
    let disposition = format!("attachment; filename={}", encode(&asset.name, b""));
    set(&mut response, CONTENT_DISPOSITION, &disposition);
    let (begin, length) = match range {
        Wanted::Parts(parts) => {
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            let boundary = format!("mpota-{}", etag.trim_matches('"'));
            let body = Parts::new(file, &parts, stamp.len, OCTETS, &boundary, app.pieces.clone());
            set(&mut response, CONTENT_TYPE, &format!("multipart/byteranges; boundary=\"{boundary}\""));
            set(&mut response, CONTENT_LENGTH, &body.len().to_string());
            *response.body_mut() = Body::new(body);
            return Ok(response);
        }
        Wanted::Whole => (0, stamp.len),
        Wanted::Nothing => return Err(Refused::Range(stamp.len)),
        Wanted::Part(first, last) => {
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            let range = format!("bytes {first}-{last}/{}", stamp.len);
            set(&mut response, CONTENT_RANGE, &range);
            (first, last - first + 1)
        }
    };
    set(&mut response, CONTENT_TYPE, OCTETS);
    set(&mut response, CONTENT_LENGTH, &length.to_string());
    if cx.method == Method::HEAD {
        return Ok(response);
    }
    *response.body_mut() = body(app, file, begin, length).map_err(|_| Refused::Gone)?;
    Ok(response)
}

/// So many bytes of a file, from one of them on.
fn body(app: &App, mut file: File, begin: u64, length: u64) -> io::Result<Body> {
    file.seek(SeekFrom::Start(begin))?;
    if let Ok(all) = usize::try_from(length)
        && length <= AT_ONCE
    {
        let mut bytes = vec![0; all];
        if all == 0 || read_now(&file, &mut bytes) == Some(all) {
            return Ok(Body::from(bytes));
        }
        file.seek(SeekFrom::Start(begin))?;
    }
    Ok(Body::new(Pieces::new(file, length, app.pieces.clone())))
}
