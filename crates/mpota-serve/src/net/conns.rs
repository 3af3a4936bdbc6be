//! Every open connection, what it is doing and since when.
//!
//! One place decides how long a client may take: a connection is in one
//! [`Phase`], the moment it entered it is noted by the socket wrapper and by
//! the request handler, and a watchdog ends those that are overdue. When all
//! places are taken, the client that has been slow for longest gives way, so
//! that many slow clients cannot keep a quick one out. A client whose request
//! lies in the socket is not slow: the server is. It keeps its place, and
//! newcomers wait in the system's queue.

use std::collections::HashMap;
use std::mem::MaybeUninit;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use crate::options::Limits;

/// A busy connection gives way only after taking nothing for this long.
const BUSY_MAY_GO: Duration = Duration::from_secs(5);
/// A client may be silent for this long before its connection is taken for a newcomer: its next request is on the way.
const SILENT_MAY_GO: Duration = Duration::from_millis(500);
/// How often a newcomer looks again for a place.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// What a connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Phase {
    /// Idle between two requests.
    Idle = 0,
    /// Nothing was read since the connection, or its handshake, was made.
    Fresh = 1,
    /// In the handshake or in the head of a request.
    Head = 2,
    /// A request is being answered.
    Busy = 3,
}

/// One connection, as the watchdog sees it.
pub(crate) struct Conn {
    pub id: u64,
    /// Who is at the other end, where there is a socket.
    pub peer: Option<IpAddr>,
    epoch: Instant,
    phase: AtomicU8,
    /// When the phase began, in ms since the epoch.
    since: AtomicU64,
    /// Since when the client has been waited for, to take bytes of an answer
    /// or to send more of a request's body, plus one; 0: it is not.
    blocked: AtomicU64,
    /// When something unread was last found in the socket, although this one was to be ended; 0: never.
    spared: AtomicU64,
    /// The socket is to be looked into before this one is ended.
    asked: AtomicBool,
    ended: Notify,
}

impl Conn {
    fn now(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn enter(&self, phase: Phase) {
        self.since.store(self.now(), Ordering::Release);
        self.phase.store(phase as u8, Ordering::Release);
    }

    fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Acquire) {
            0 => Phase::Idle,
            1 => Phase::Fresh,
            2 => Phase::Head,
            _ => Phase::Busy,
        }
    }

    /// The handshake is over: the time for the first request head begins.
    pub fn expects_head(&self) {
        self.enter(Phase::Fresh);
    }

    /// A request's head is whole.
    pub fn answering(&self) {
        self.enter(Phase::Busy);
    }

    /// The answer's last byte was handed over.
    pub fn answered(&self) {
        self.enter(Phase::Idle);
    }

    /// Resolves when the connection may have to be given up: [`Conn::goes`] decides, once the socket was read again.
    pub async fn to_end(&self) {
        self.ended.notified().await;
    }

    fn end(&self) {
        self.asked.store(true, Ordering::Release);
        self.ended.notify_one();
    }

    /// Whether it is given up: it is still overdue, or still in a newcomer's way, and no request of it lies in the
    /// socket.
    pub fn goes(&self, limits: &Limits) -> bool {
        self.overdue(limits) || self.may_give_way().is_some()
    }

    fn on_read(&self) {
        match self.phase() {
            Phase::Idle => self.enter(Phase::Head),
            // The time for the head has begun before.
            Phase::Fresh => self.phase.store(Phase::Head as u8, Ordering::Release),
            Phase::Head | Phase::Busy => {}
        }
    }

    /// Nothing could be read. The readiness that the runtime knows of may lag behind, so the socket itself is asked
    /// before the connection is ended.
    fn on_nothing(&self, socket: &TcpStream) {
        if self.asked.swap(false, Ordering::AcqRel)
            && SockRef::from(socket).peek(&mut [MaybeUninit::uninit()]).is_ok_and(|unread| unread > 0)
        {
            self.spared.store(self.now() + 1, Ordering::Release);
        }
    }

    /// How long ago its socket held something that was not read. None: it never did when it was looked at.
    fn spared_for(&self) -> Option<Duration> {
        let at = self.spared.load(Ordering::Acquire).checked_sub(1)?;
        Some(Duration::from_millis(self.now().saturating_sub(at)))
    }

    fn waits(&self, waiting: bool) {
        if !waiting {
            self.blocked.store(0, Ordering::Release);
        } else if self.blocked.load(Ordering::Acquire) == 0 {
            self.blocked.store(self.now() + 1, Ordering::Release);
        }
    }

    fn blocked_for(&self) -> Option<Duration> {
        match self.blocked.load(Ordering::Acquire) {
            0 => None,
            at => Some(Duration::from_millis(self.now().saturating_sub(at - 1))),
        }
    }

    fn in_phase_for(&self) -> Duration {
        Duration::from_millis(self.now().saturating_sub(self.since.load(Ordering::Acquire)))
    }

    fn overdue(&self, limits: &Limits) -> bool {
        if let Some(blocked) = self.blocked_for() {
            return blocked > limits.stall_timeout;
        }
        match self.phase() {
            Phase::Idle => self.silent_for() > limits.idle_timeout,
            Phase::Fresh => self.silent_for() > limits.header_timeout,
            Phase::Head => self.in_phase_for() > limits.header_timeout,
            Phase::Busy => false,
        }
    }

    /// How long this client has been slow, if it is slow enough to give way: it takes nothing of an answer, has not
    /// ended a request's head, or says nothing.
    fn may_give_way(&self) -> Option<Duration> {
        if let Some(blocked) = self.blocked_for() {
            return Some(blocked).filter(|blocked| *blocked > BUSY_MAY_GO);
        }
        let slow = match self.phase() {
            Phase::Busy => return None,
            // Who sends its head byte by byte has something in the socket for ever.
            Phase::Head if self.in_phase_for() > BUSY_MAY_GO => self.in_phase_for(),
            Phase::Idle | Phase::Fresh | Phase::Head => self.silent_for(),
        };
        Some(slow).filter(|slow| *slow > SILENT_MAY_GO)
    }

    /// How long the client has said nothing, read or unread.
    fn silent_for(&self) -> Duration {
        self.in_phase_for().min(self.spared_for().unwrap_or(Duration::MAX))
    }
}

/// All open connections of a server.
pub(crate) struct Conns {
    open: Mutex<HashMap<u64, Arc<Conn>>>,
    places: Arc<Semaphore>,
    next: AtomicU64,
    epoch: Instant,
    limits: Limits,
}

impl Conns {
    pub fn new(limits: Limits) -> Arc<Self> {
        let most = limits.connections.clamp(1, Semaphore::MAX_PERMITS);
        Arc::new(Self {
            open: Mutex::default(),
            places: Arc::new(Semaphore::new(most)),
            next: AtomicU64::new(0),
            epoch: Instant::now(),
            limits,
        })
    }

    /// How many connections were accepted so far.
    pub fn accepted(&self) -> u64 {
        self.next.load(Ordering::Acquire)
    }

    /// How many connections are open.
    pub fn open(&self) -> usize {
        self.lock().len()
    }

    /// What clients may take.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// A place for a new connection, taken from another if need be.
    pub async fn enter(self: &Arc<Self>, peer: Option<IpAddr>) -> Option<Place> {
        let permit = loop {
            if let Ok(permit) = Arc::clone(&self.places).try_acquire_owned() {
                break permit;
            }
            self.make_room();
            let wait = Arc::clone(&self.places).acquire_owned();
            match tokio::time::timeout(LOOK_AGAIN, wait).await {
                Ok(Ok(permit)) => break permit,
                Ok(Err(_closed)) => return None,
                Err(_elapsed) => {}
            }
        };
        let conn = Arc::new(Conn {
            id: self.next.fetch_add(1, Ordering::AcqRel) + 1,
            peer,
            epoch: self.epoch,
            phase: AtomicU8::new(Phase::Fresh as u8),
            since: AtomicU64::new(0),
            blocked: AtomicU64::new(0),
            spared: AtomicU64::new(0),
            asked: AtomicBool::new(false),
            ended: Notify::new(),
        });
        conn.enter(Phase::Fresh);
        self.lock().insert(conn.id, Arc::clone(&conn));
        Some(Place { conn, conns: Arc::clone(self), _permit: permit })
    }

    fn make_room(&self) {
        let victim = {
            let open = self.lock();
            open.values()
                .filter_map(|conn| Some((conn.may_give_way()?, Arc::clone(conn))))
                .max_by_key(|(waited, _)| *waited)
        };
        if let Some((_, conn)) = victim {
            conn.end();
        }
    }

    /// Ends overdue connections, for ever.
    pub async fn watch(self: Arc<Self>) {
        let shortest =
            self.limits.header_timeout.min(self.limits.idle_timeout).min(self.limits.stall_timeout);
        let tick = (shortest / 4).clamp(Duration::from_millis(10), Duration::from_secs(1));
        loop {
            tokio::time::sleep(tick).await;
            for conn in self.lock().values() {
                if conn.overdue(&self.limits) {
                    conn.end();
                }
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<u64, Arc<Conn>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection's place; given back when dropped.
pub(crate) struct Place {
    pub conn: Arc<Conn>,
    conns: Arc<Conns>,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.conns.lock().remove(&self.conn.id);
    }
}

/// A socket that tells the watchdog when bytes move.
pub(crate) struct Watched {
    socket: TcpStream,
    conn: Arc<Conn>,
}

impl Watched {
    pub fn new(socket: TcpStream, conn: Arc<Conn>) -> Self {
        Self { socket, conn }
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.socket).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.conn.on_read();
        } else if polled.is_pending() {
            self.conn.on_nothing(&self.socket);
        }
        polled
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        let polled = Pin::new(&mut self.socket).poll_write(cx, buf);
        self.conn.waits(polled.is_pending());
        polled
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        let polled = Pin::new(&mut self.socket).poll_write_vectored(cx, bufs);
        self.conn.waits(polled.is_pending());
        polled
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}

/// A request's body that tells the watchdog when it is waited for.
pub(crate) struct WatchedBody {
    body: Incoming,
    conn: Arc<Conn>,
}

impl WatchedBody {
    pub fn new(body: Incoming, conn: Arc<Conn>) -> Self {
        Self { body, conn }
    }
}

impl Body for WatchedBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        self.conn.waits(polled.is_pending());
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
