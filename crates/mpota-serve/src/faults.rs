//! Failures on demand, for the tests of clients.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// A rule: the requests that it matches fail in a chosen way.
#[derive(Debug, Clone)]
pub struct Fault {
    /// `POST`, ...; empty: any.
    pub method: String,
    /// What the path has somewhere in it; empty: any.
    pub path: String,
    /// How many matching requests pass before the first one fails.
    pub after: u32,
    /// How many fail then; later ones pass again.
    pub times: u32,
    /// How they fail.
    pub kind: FaultKind,
}

impl Fault {
    /// The next matching request fails.
    #[must_use]
    pub fn once(method: &str, path: &str, kind: FaultKind) -> Self {
        Self { method: method.to_owned(), path: path.to_owned(), after: 0, times: 1, kind }
    }
}

/// How a request fails.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FaultKind {
    /// 403: the hour's requests are used up; the headers say until when.
    RateLimit {
        /// How long the hour goes on.
        reset: Duration,
    },
    /// 403: the secondary limit, with Retry-After.
    SecondaryLimit {
        /// How long to wait.
        retry_after: Duration,
    },
    /// 429 with Retry-After.
    TooManyRequests {
        /// How long to wait.
        retry_after: Duration,
    },
    /// 502 from a gateway, with a page in html; nothing was done.
    BadGateway,
    /// 502 at an upload, which leaves an asset of its name without content, in
    /// the state `starter`.
    Starter,
    /// The connection is closed; nothing was done.
    CloseBefore,
    /// What was asked is done, and the connection closed without an answer.
    CloseAfter,
    /// An upload is taken, but the asset's digest is that of something else.
    WrongDigest,
    /// An upload is taken, but the asset has no digest.
    NoDigest,
    /// An upload is taken under another name.
    Renamed(String),
}

/// The rules and what they have counted.
pub(crate) struct Faults {
    rules: Mutex<Vec<(Fault, u32)>>,
}

impl Faults {
    pub fn new(rules: &[Fault]) -> Self {
        Self { rules: Mutex::new(rules.iter().map(|rule| (rule.clone(), 0)).collect()) }
    }

    /// One more rule, while the server runs.
    pub fn add(&self, rule: Fault) {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner).push((rule, 0));
    }

    /// How this request is to fail. Every rule that matches counts it; the
    /// first one that is due decides.
    pub fn next(&self, method: &str, path: &str) -> Option<FaultKind> {
        let mut due = None;
        for (rule, seen) in self.rules.lock().unwrap_or_else(PoisonError::into_inner).iter_mut() {
            if (rule.method.is_empty() || rule.method == method) && path.contains(&rule.path) {
                let place = *seen;
                *seen = seen.saturating_add(1);
                if place >= rule.after && place - rule.after < rule.times && due.is_none() {
                    due = Some(rule.kind.clone());
                }
            }
        }
        due
    }
}
