//! A slow line between a board and its server, that may be cut.
#![allow(dead_code, reason = "every test file uses a part of it")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// Passes on what comes, so many bytes a second towards the board.
pub struct Link {
    address: SocketAddr,
    state: Arc<State>,
}

struct State {
    to: SocketAddr,
    rate: AtomicU64,
    /// The next connection ends after so many bytes towards the board, and each further one so many later.
    cut: AtomicU64,
    later: AtomicU64,
    sent: AtomicU64,
    stop: AtomicBool,
}

impl Link {
    pub fn to(url: &str, rate: u64) -> Self {
        let to = url.split("//").nth(1).expect("an address").replace("localhost", "127.0.0.1");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let state = Arc::new(State {
            to: to.trim_end_matches('/').parse().expect("an address"),
            rate: rate.into(),
            cut: u64::MAX.into(),
            later: 0.into(),
            sent: 0.into(),
            stop: false.into(),
        });
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for board in listener.incoming().map_while(Result::ok) {
                if shared.stop.load(Ordering::Relaxed) {
                    break;
                }
                let shared = Arc::clone(&shared);
                // Either end may be gone at any moment.
                std::thread::spawn(move || drop(pass(&shared, board)));
            }
        });
        Self { address, state }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn cut_after(&self, bytes: u64, later: u64) {
        self.state.cut.store(bytes, Ordering::Relaxed);
        self.state.later.store(later, Ordering::Relaxed);
    }

    pub fn sent(&self) -> u64 {
        self.state.sent.load(Ordering::Relaxed)
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.state.stop.store(true, Ordering::Relaxed);
        drop(TcpStream::connect(self.address));
    }
}

fn pass(state: &State, mut board: TcpStream) -> std::io::Result<()> {
    let mut server = TcpStream::connect(state.to)?;
    let (mut from, mut up) = (board.try_clone()?, server.try_clone()?);
    std::thread::spawn(move || {
        drop(std::io::copy(&mut from, &mut up));
        drop(up.shutdown(std::net::Shutdown::Both));
    });
    let mut left = state.cut.fetch_add(state.later.load(Ordering::Relaxed), Ordering::Relaxed);
    let mut buffer = [0; 512];
    while left > 0 {
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let n = server.read(&mut buffer[..most])?;
        if n == 0 {
            break;
        }
        board.write_all(&buffer[..n])?;
        state.sent.fetch_add(n as u64, Ordering::Relaxed);
        left -= n as u64;
        std::thread::sleep(Duration::from_micros(n as u64 * 1_000_000 / state.rate.load(Ordering::Relaxed)));
    }
    drop(server.shutdown(std::net::Shutdown::Both));
    board.shutdown(std::net::Shutdown::Both)
}
