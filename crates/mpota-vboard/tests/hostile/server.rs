//! A server that does to the wire what a test's script says: two hosts on the loopback, real sockets,
//! real TLS. Where the script says nothing it answers as GitHub does (`honest.rs`).
//!
//! It is bounded in every direction: connections are given up after a few seconds of silence, an
//! endless body after 64 MB or 12 s, a connection after 300 requests.

use crate::honest::{self, Store};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What is done in answer to a request, in this order. After the last step the next request of the
/// connection is read.
#[derive(Debug, Clone)]
pub enum Step {
    /// These bytes, in one write.
    Send(Vec<u8>),
    /// These bytes, so many at a time, with a pause behind each.
    Slowly(Vec<u8>, usize, Duration),
    Pause(Duration),
    /// These bytes again and again, until the client goes away.
    Endless(Vec<u8>),
    /// The end of the connection, in order.
    Close,
    /// The end of the connection, without TLS being told.
    Cut,
    /// The end of the connection by a reset.
    Reset,
}

/// A request, as it was received.
#[derive(Debug, Clone)]
pub struct Asked {
    /// 0: where the board is told to look; 1: the storage host.
    pub host: usize,
    pub path: String,
    /// Which request for this path on this host it is, from 0.
    pub nth: usize,
    pub range: Option<(u64, u64)>,
    /// All of it.
    pub text: String,
}

impl Asked {
    pub fn name(&self) -> &str {
        self.path.split('?').next().unwrap_or_default().rsplit('/').next().unwrap_or_default()
    }

    /// Whether it asks the storage host for this asset.
    pub fn stores(&self, name: &str) -> bool {
        self.host == 1 && self.name().ends_with(name)
    }
}

type Script = dyn Fn(&Asked) -> Option<Vec<Step>> + Send + Sync;

struct Shared {
    script: Mutex<Arc<Script>>,
    greeting: Mutex<[Vec<Step>; 2]>,
    asked: Mutex<Vec<Asked>>,
    received: Mutex<[Vec<u8>; 2]>,
    sent: Mutex<u64>,
    tls: Mutex<[Option<Arc<ServerConfig>>; 2]>,
    store: Mutex<Store>,
    stop: AtomicBool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The server; ends with its value.
pub struct Hostile {
    shared: Arc<Shared>,
    ports: [u16; 2],
}

impl Hostile {
    /// With `tls`, what each of the two hosts proves itself with.
    pub fn start(tls: [Option<Arc<ServerConfig>>; 2]) -> Self {
        let listeners = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").expect("a port"));
        let ports = [0, 1].map(|i| listeners[i].local_addr().expect("an address").port());
        let shared = Arc::new(Shared {
            script: Mutex::new(Arc::new(|_| None)),
            greeting: Mutex::default(),
            asked: Mutex::default(),
            received: Mutex::default(),
            sent: Mutex::default(),
            tls: Mutex::new(tls),
            store: Mutex::default(),
            stop: AtomicBool::new(false),
        });
        for (host, listener) in listeners.into_iter().enumerate() {
            let shared = Arc::clone(&shared);
            std::thread::spawn(move || {
                for stream in listener.incoming().map_while(Result::ok) {
                    if shared.stop.load(Ordering::Relaxed) {
                        break;
                    }
                    let shared = Arc::clone(&shared);
                    std::thread::spawn(move || drop(serve(&shared, host, stream)));
                }
            });
        }
        let server = Self { shared, ports };
        let urls = [server.url(0), server.url(1)];
        lock(&server.shared.store).urls = urls;
        server
    }

    /// Where a host is reached: two names, so that they are two hosts to the board.
    pub fn url(&self, host: usize) -> String {
        let scheme = if lock(&self.shared.tls)[host].is_some() { "https" } else { "http" };
        format!("{scheme}://{}:{}", ["127.0.0.1", "localhost"][host], self.ports[host])
    }

    /// From now on requests are answered by `script`, honestly where it gives `None`.
    pub fn script(&self, script: impl Fn(&Asked) -> Option<Vec<Step>> + Send + Sync + 'static) {
        *lock(&self.shared.script) = Arc::new(script);
        self.forget();
    }

    /// What a host does with every connection before it reads anything; nothing else when `Close`,
    /// `Reset` or an endless step is among it.
    pub fn greet(&self, host: usize, steps: Vec<Step>) {
        lock(&self.shared.greeting)[host] = steps;
    }

    /// Another certificate.
    pub fn prove(&self, host: usize, tls: Arc<ServerConfig>) {
        lock(&self.shared.tls)[host] = Some(tls);
    }

    /// From now on it is honest.
    pub fn behave(&self) {
        self.greet(0, Vec::new());
        self.greet(1, Vec::new());
        self.script(|_| None);
    }

    /// Forget what was asked so far.
    pub fn forget(&self) {
        lock(&self.shared.asked).clear();
        *lock(&self.shared.received) = Default::default();
        *lock(&self.shared.sent) = 0;
    }

    /// The releases that it has.
    pub fn store(&self) -> MutexGuard<'_, Store> {
        lock(&self.shared.store)
    }

    pub fn asked(&self) -> Vec<Asked> {
        lock(&self.shared.asked).clone()
    }

    /// Every byte that a host was sent.
    pub fn received(&self, host: usize) -> Vec<u8> {
        lock(&self.shared.received)[host].clone()
    }

    /// How many bytes the board (or a socket's buffer on the way to it) took.
    pub fn sent(&self) -> u64 {
        *lock(&self.shared.sent)
    }
}

impl Drop for Hostile {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        for port in self.ports {
            drop(TcpStream::connect(("127.0.0.1", port)));
        }
    }
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ServerConnection, TcpStream>>),
}

impl Stream {
    fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(tcp) => tcp,
            Self::Tls(tls) => tls.get_ref(),
        }
    }

    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(tcp) => tcp.read(buf),
            Self::Tls(tls) => tls.read(buf),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(tcp) => tcp.write_all(bytes),
            Self::Tls(tls) => tls.write_all(bytes).and_then(|()| tls.flush()),
        }
    }

    fn close(&mut self) {
        if let Self::Tls(tls) = self {
            tls.conn.send_close_notify();
            let _ = tls.flush();
        }
        let _ = self.tcp().shutdown(Shutdown::Write);
    }
}

/// Do these steps. False where nothing more is to be done on this connection.
fn perform(shared: &Shared, stream: &mut Stream, steps: Vec<Step>) -> io::Result<bool> {
    let send = |stream: &mut Stream, bytes: &[u8]| {
        stream.write(bytes)?;
        *lock(&shared.sent) += bytes.len() as u64;
        io::Result::Ok(())
    };
    for step in steps {
        match step {
            Step::Send(bytes) => send(stream, &bytes)?,
            Step::Slowly(bytes, piece, pause) => {
                for part in bytes.chunks(piece) {
                    send(stream, part)?;
                    std::thread::sleep(pause);
                }
            }
            Step::Pause(time) => std::thread::sleep(time),
            Step::Endless(bytes) => {
                let (mut sent, started) = (0, Instant::now());
                while sent < 64 << 20 && started.elapsed() < Duration::from_secs(12) {
                    send(stream, &bytes)?;
                    sent += bytes.len();
                }
                return Ok(false);
            }
            Step::Close => {
                stream.close();
                return Ok(false);
            }
            Step::Cut => {
                stream.tcp().shutdown(Shutdown::Write)?;
                return Ok(false);
            }
            Step::Reset => {
                socket2::SockRef::from(stream.tcp()).set_linger(Some(Duration::ZERO))?;
                return Ok(false);
            }
        }
    }
    Ok(true)
}

fn serve(shared: &Shared, host: usize, tcp: TcpStream) -> io::Result<()> {
    tcp.set_read_timeout(Some(Duration::from_secs(8)))?;
    tcp.set_write_timeout(Some(Duration::from_secs(8)))?;
    tcp.set_nodelay(true)?;
    let greeting = lock(&shared.greeting)[host].clone();
    let mut stream = Stream::Plain(tcp.try_clone()?);
    if !perform(shared, &mut stream, greeting)? {
        return Ok(());
    }
    if let Some(config) = lock(&shared.tls)[host].clone() {
        let connection = ServerConnection::new(config).map_err(io::Error::other)?;
        stream = Stream::Tls(Box::new(StreamOwned::new(connection, tcp)));
    } else {
        drop(tcp);
    }
    let mut head = Vec::new();
    let mut buf = [0; 4096];
    for _ in 0..300 {
        let end = loop {
            if let Some(at) = head.windows(4).position(|w| w == b"\r\n\r\n") {
                break at + 4;
            }
            let n = stream.read(&mut buf)?;
            if n == 0 || head.len() > 65536 {
                return Ok(());
            }
            lock(&shared.received)[host].extend(&buf[..n]);
            head.extend(&buf[..n]);
        };
        let text = String::from_utf8_lossy(&head[..end]).into_owned();
        head.drain(..end);
        let asked = note(shared, host, text);
        let script = Arc::clone(&lock(&shared.script));
        let steps = script(&asked).unwrap_or_else(|| honest::answer(&lock(&shared.store), &asked));
        if !perform(shared, &mut stream, steps)? {
            break;
        }
    }
    Ok(())
}

fn note(shared: &Shared, host: usize, text: String) -> Asked {
    let path = text.split(' ').nth(1).unwrap_or_default().to_owned();
    let range = text.lines().find_map(|l| {
        let (from, to) = l.strip_prefix("Range: bytes=")?.split_once('-')?;
        Some((from.parse().ok()?, to.parse().ok()?))
    });
    let mut all = lock(&shared.asked);
    let nth = all.iter().filter(|a| a.host == host && a.path == path).count();
    let asked = Asked { host, path, nth, range, text };
    all.push(asked.clone());
    asked
}
