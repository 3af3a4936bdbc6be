//! What was asked and what was sent.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use hyper::Request;
use hyper::header::{AUTHORIZATION, HOST, HeaderMap, HeaderName, RANGE, USER_AGENT};

use crate::net::conns::Conn;

/// Which of the two listeners a request came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListenerKind {
    /// Download paths and REST.
    Api,
    /// Asset contents.
    Asset,
}

/// One request and its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoggedRequest {
    /// `GET`, `HEAD`, ...
    pub method: String,
    /// The path as it came, still percent-encoded.
    pub path: String,
    /// The query as it came; empty if there was none.
    pub query: String,
    /// The Host header; empty if there was none.
    pub host: String,
    /// The User-Agent header; empty if there was none.
    pub user_agent: String,
    /// Whether an Authorization header came along. Its value is never kept.
    pub authorization_present: bool,
    /// The status of the answer.
    pub status: u16,
    /// The Range header.
    pub range: Option<String>,
    /// Bytes of the body that were handed to the connection so far.
    pub bytes_sent: u64,
    /// The same number for all requests of one connection, from 1.
    pub connection_id: u64,
    /// Whether it came over TLS.
    pub tls: bool,
    /// Which listener it came to.
    pub listener: ListenerKind,
}

/// What a log hook is told.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Event {
    /// A request was answered to its end, or the client went away.
    Request(LoggedRequest),
    /// Something in the folder cannot be served, said once; or reports cannot be kept.
    Problem(String),
    /// The rollout of a version is withheld: too many boards came back from it. Said again at each start.
    Halted {
        /// Owner and repository.
        project: String,
        /// The version.
        version: String,
        /// How many boards had tried it.
        tried: u64,
        /// How many of them came back.
        back: u64,
    },
}

/// Called from the server's threads; it should be quick.
pub type LogHook = Arc<dyn Fn(&Event) + Send + Sync>;

/// A request that is kept, or still being answered.
struct Entry {
    request: LoggedRequest,
    bytes: AtomicU64,
}

impl Entry {
    fn snapshot(&self) -> LoggedRequest {
        LoggedRequest { bytes_sent: self.bytes.load(Ordering::Acquire), ..self.request.clone() }
    }
}

/// The newest requests, oldest first.
pub(crate) struct RequestLog {
    entries: Mutex<VecDeque<Arc<Entry>>>,
    most: usize,
    hook: Option<LogHook>,
}

impl RequestLog {
    pub fn new(most: usize, hook: Option<LogHook>) -> Self {
        Self { entries: Mutex::default(), most, hook }
    }

    pub fn requests(&self) -> Vec<LoggedRequest> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.iter().map(|entry| entry.snapshot()).collect()
    }

    pub fn clear(&self) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.clear();
    }

    /// Notes an answer, whose body counts in what is returned.
    fn push(&self, request: LoggedRequest) -> Arc<Entry> {
        let entry = Arc::new(Entry { request, bytes: AtomicU64::new(0) });
        if self.most > 0 {
            let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
            while entries.len() >= self.most {
                entries.pop_front();
            }
            entries.push_back(Arc::clone(&entry));
        }
        entry
    }

    pub fn tell(&self, event: &Event) {
        if let Some(hook) = &self.hook {
            hook(event);
        }
    }

    fn tell_end(&self, entry: Arc<Entry>) {
        if self.hook.is_none() {
            return;
        }
        let request = match Arc::try_unwrap(entry) {
            Ok(Entry { request, bytes }) => LoggedRequest { bytes_sent: bytes.into_inner(), ..request },
            Err(kept) => kept.snapshot(),
        };
        self.tell(&Event::Request(request));
    }
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    let value = headers.get(name)?;
    Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// The log's view of a request, before there is an answer.
pub(crate) fn describe<B>(
    request: &Request<B>,
    connection_id: u64,
    tls: bool,
    listener: ListenerKind,
) -> LoggedRequest {
    let headers = request.headers();
    LoggedRequest {
        method: request.method().to_string(),
        path: request.uri().path().to_owned(),
        query: request.uri().query().unwrap_or_default().to_owned(),
        host: text(headers, HOST).unwrap_or_default(),
        user_agent: text(headers, USER_AGENT).unwrap_or_default(),
        authorization_present: headers.contains_key(AUTHORIZATION),
        status: 0,
        range: text(headers, RANGE),
        bytes_sent: 0,
        connection_id,
        tls,
        listener,
    }
}

/// A body that counts what it hands out and tells when it is over.
pub(crate) struct LoggedBody {
    inner: Body,
    /// None: it is over.
    entry: Option<Arc<Entry>>,
    log: Arc<RequestLog>,
    conn: Arc<Conn>,
}

impl LoggedBody {
    /// Enters the request into the log and wraps its answer's body.
    pub fn new(inner: Body, request: LoggedRequest, log: Arc<RequestLog>, conn: Arc<Conn>) -> Self {
        Self { entry: Some(log.push(request)), inner, log, conn }
    }
}

impl http_body::Body for LoggedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.inner).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(data) = frame.data_ref()
            && let Some(entry) = &self.entry
        {
            entry.bytes.fetch_add(data.len() as u64, Ordering::AcqRel);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl Drop for LoggedBody {
    fn drop(&mut self) {
        self.conn.answered();
        if let Some(entry) = self.entry.take() {
            self.log.tell_end(entry);
        }
    }
}
