//! A proxy that reads requests and answers whole, counts them, and may do something between any two of them.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// A request that was answered.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    pub method: String,
    pub path: String,
    /// The head of the request.
    pub head: String,
    pub status: u16,
    /// Bytes of request and answer, heads included.
    pub up: u64,
    pub down: u64,
}

impl Asked {
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines();
        lines.find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// When something is done about a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// The server has not seen it.
    Before,
    /// The server has done it, and the client does not know.
    After,
}

type Hook = dyn Fn(&Asked, When) -> bool + Send + Sync;

pub struct Proxy {
    pub address: SocketAddr,
    log: Arc<Mutex<Vec<Asked>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Proxy {
    pub fn before(server: SocketAddr) -> Self {
        Self::with(server, |_, _| true)
    }

    /// `hook` is called twice for each request; false closes the connection.
    pub fn with(server: SocketAddr, hook: impl Fn(&Asked, When) -> bool + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (log, stop) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let (logged, stopped, hook) = (Arc::clone(&log), Arc::clone(&stop), Arc::new(hook) as Arc<Hook>);
        let thread = std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                let (log, hook) = (Arc::clone(&logged), Arc::clone(&hook));
                std::thread::spawn(move || {
                    // Either side may be gone at any moment.
                    let _ = relay(&client, server, &log, hook.as_ref());
                    let _ = client.shutdown(Shutdown::Both);
                });
            }
        });
        Self { address, log, stop, thread: Some(thread) }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The requests since the last call.
    pub fn take(&self) -> Vec<Asked> {
        std::mem::take(&mut self.log.lock().unwrap())
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.address); // wakes it up
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn relay(
    client: &TcpStream,
    server: SocketAddr,
    log: &Mutex<Vec<Asked>>,
    hook: &Hook,
) -> std::io::Result<()> {
    let server = TcpStream::connect(server)?;
    for socket in [client, &server] {
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(Duration::from_secs(60)))?;
    }
    let (mut from_client, mut from_server) = (Reader::new(client), Reader::new(&server));
    loop {
        let Some((head, body)) = from_client.message(None)? else { return Ok(()) };
        let mut words = head.split(' ');
        let mut asked = Asked {
            method: words.next().unwrap_or_default().to_owned(),
            path: words.next().unwrap_or_default().to_owned(),
            up: (head.len() + body.len()) as u64,
            head,
            ..Asked::default()
        };
        if !hook(&asked, When::Before) {
            return Ok(());
        }
        (&server).write_all(asked.head.as_bytes())?;
        (&server).write_all(&body)?;
        let Some((head, body)) = from_server.message(Some(&asked.method))? else { return Ok(()) };
        asked.status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        asked.down = (head.len() + body.len()) as u64;
        log.lock().unwrap().push(asked.clone());
        if !hook(&asked, When::After) {
            return Ok(());
        }
        let mut client = client;
        client.write_all(head.as_bytes())?;
        client.write_all(&body)?;
    }
}

/// One direction of a connection.
struct Reader<'a> {
    socket: &'a TcpStream,
    left: Vec<u8>,
}

impl<'a> Reader<'a> {
    fn new(socket: &'a TcpStream) -> Self {
        Self { socket, left: Vec::new() }
    }

    fn more(&mut self) -> std::io::Result<bool> {
        let mut buffer = [0; 16 * 1024];
        let n = self.socket.read(&mut buffer)?;
        self.left.extend_from_slice(&buffer[..n]);
        Ok(n > 0)
    }

    /// The position behind the next `end`.
    fn until(&mut self, from: usize, end: &[u8]) -> std::io::Result<Option<usize>> {
        loop {
            let at = self.left.get(from..).and_then(|l| l.windows(end.len()).position(|w| w == end));
            if let Some(at) = at {
                return Ok(Some(from + at + end.len()));
            }
            if !self.more()? {
                return Ok(None);
            }
        }
    }

    fn fill(&mut self, length: usize) -> std::io::Result<bool> {
        while self.left.len() < length {
            if !self.more()? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Head and body of the next message: a request, or the answer to one of this method.
    fn message(&mut self, answer_to: Option<&str>) -> std::io::Result<Option<(String, Vec<u8>)>> {
        let Some(head) = self.until(0, b"\r\n\r\n")? else { return Ok(None) };
        let text = String::from_utf8_lossy(&self.left[..head]).into_owned();
        let field = |name: &str| {
            let mut lines = text.lines().filter_map(|line| line.split_once(':'));
            lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned())
        };
        let status: u16 = text.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or(0);
        let length = field("content-length").and_then(|length| length.parse::<usize>().ok());
        let chunked = field("transfer-encoding").is_some_and(|value| value.contains("chunked"));
        let end = match answer_to {
            Some("HEAD") => head,
            Some(_) if [204, 304].contains(&status) => head,
            _ if chunked => {
                let mut at = head;
                loop {
                    let Some(line) = self.until(at, b"\r\n")? else { return Ok(None) };
                    let size = String::from_utf8_lossy(&self.left[at..line - 2]).into_owned();
                    let size = usize::from_str_radix(size.split(';').next().unwrap_or("").trim(), 16);
                    let size = size.map_err(std::io::Error::other)?;
                    at = line + size + 2;
                    if !self.fill(at)? {
                        return Ok(None);
                    }
                    if size == 0 {
                        break at;
                    }
                }
            }
            answer => match length {
                Some(length) => head + length,
                None if answer.is_none() => head,
                None => {
                    while self.more()? {}
                    self.left.len()
                }
            },
        };
        if !self.fill(end)? {
            return Ok(None);
        }
        let body = self.left[head..end].to_vec();
        self.left.drain(..end);
        Ok(Some((text, body)))
    }
}
