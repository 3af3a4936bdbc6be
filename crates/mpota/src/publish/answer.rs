//! What an answer of GitHub's REST API means, or that there is none.

use std::time::{Duration, SystemTime};

use serde::Deserialize;
use serde_json::Value;
use ureq::http::HeaderMap;

use super::error::PublishError;
use crate::remote::source::SourceError;

/// Why a request was for nothing.
#[derive(Debug)]
pub(super) enum Trouble {
    /// It may work later: after `wait`, where the server said when.
    Again {
        why: String,
        wait: Option<Duration>,
    },
    Final(PublishError),
}

impl<E: Into<PublishError>> From<E> for Trouble {
    fn from(error: E) -> Self {
        Self::Final(error.into())
    }
}

pub(super) type Outcome<T> = Result<T, Trouble>;

/// An answer that is not an error of its own.
pub(super) struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json<T: for<'a> Deserialize<'a>>(&self, what: &str) -> Outcome<T> {
        serde_json::from_slice(&self.body).map_err(|error| Trouble::Again {
            why: format!("{what}: the answer is not what GitHub documents: {error}"),
            wait: None,
        })
    }

    /// GitHub's message, with the fields that it names.
    pub fn message(&self) -> String {
        let Ok(body) = serde_json::from_slice::<Value>(&self.body) else { return self.status.to_string() };
        let mut said = body["message"].as_str().unwrap_or("no reason given").to_owned();
        for error in body["errors"].as_array().into_iter().flatten() {
            let part = |key: &str| error[key].as_str();
            let more = part("message").map(str::to_owned).or_else(|| {
                Some(format!("{} {}", part("field").unwrap_or_default(), part("code")?).trim().to_owned())
            });
            said = said + "; " + &more.unwrap_or_default();
        }
        said
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Whether a 422 says that the name or tag is there already.
    pub fn already_exists(&self) -> bool {
        self.status == 422 && String::from_utf8_lossy(&self.body).contains("already_exists")
    }
}

/// How long the server wants to be left alone, if it said 403 or 429 for that.
/// Source: GitHub's "Rate limits for the REST API".
pub(super) fn limit(answer: &Answer) -> Option<Duration> {
    let number = |name: &str| answer.header(name)?.trim().parse::<u64>().ok();
    if let Some(seconds) = number("retry-after") {
        return Some(Duration::from_secs(seconds));
    }
    if number("x-ratelimit-remaining") == Some(0) {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        // One second more: the clocks differ.
        return number("x-ratelimit-reset").map(|at| Duration::from_secs(at.saturating_sub(now) + 1));
    }
    answer.message().contains("secondary rate limit").then_some(Duration::from_secs(60))
}

pub(super) fn broken(url: &str, error: ureq::Error) -> Trouble {
    let refused = match &error {
        ureq::Error::Io(error) => error.kind() == std::io::ErrorKind::InvalidData,
        ureq::Error::Timeout(_) | ureq::Error::ConnectionFailed | ureq::Error::HostNotFound => false,
        ureq::Error::Protocol(_) => false,
        _ => true,
    };
    if refused {
        // Such as a certificate that is not trusted: that does not get better.
        return SourceError::Http { url: url.to_owned(), source: Box::new(error) }.into();
    }
    Trouble::Again { why: format!("{url}: {error}"), wait: None }
}
