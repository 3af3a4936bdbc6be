//! The rate limit headers. Calls are counted; nobody is turned away, unless a
//! fault says so.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use hyper::header::HeaderName;

use super::auth::Caller;

const WINDOW: Duration = Duration::from_secs(3600);

/// One caller's hour.
#[derive(Clone, Copy)]
struct Window {
    until: SystemTime,
    used: u64,
}

/// The hours of callers with and without a token.
pub(crate) struct Rates {
    windows: Mutex<[Window; 2]>,
}

impl Rates {
    pub fn new() -> Self {
        let unused = Window { until: SystemTime::UNIX_EPOCH, used: 0 };
        Self { windows: Mutex::new([unused; 2]) }
    }

    /// Counts a call, unless it is free, and gives the headers for it; with
    /// `used_up` they say that nothing is left for so long.
    pub fn headers(
        &self,
        caller: Caller,
        free: bool,
        used_up: Option<Duration>,
    ) -> Vec<(HeaderName, String)> {
        let (index, limit) = match caller {
            Caller::Known => (1, 5_000),
            Caller::Anonymous | Caller::Wrong => (0, 60),
        };
        let now = SystemTime::now();
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let window = &mut windows[index];
        if window.until <= now {
            *window = Window { until: now + WINDOW, used: 0 };
        }
        if !free {
            window.used += 1;
        }
        // Since nobody is turned away, nobody is told that nothing is left.
        let used = if used_up.is_some() { limit } else { window.used.min(limit - 1) };
        let until = used_up.map_or(window.until, |time| now + time);
        let reset = until.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let header = |name, value: String| (HeaderName::from_static(name), value);
        vec![
            header("x-ratelimit-limit", limit.to_string()),
            header("x-ratelimit-remaining", (limit - used).to_string()),
            header("x-ratelimit-reset", reset.to_string()),
            header("x-ratelimit-used", used.to_string()),
            header("x-ratelimit-resource", "core".to_owned()),
        ]
    }
}
