//! Boards that ask for `latest` once: all at the same moment, or several hundred at a time.

use super::servers::Running;
use anyhow::{Context, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// A board waits no longer for a server.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often it is looked at what the server uses.
const LOOK: Duration = Duration::from_millis(5);

/// What a crowd has met.
#[derive(Debug, Clone, Copy, Default)]
pub struct Crowd {
    pub boards: usize,
    /// Boards that got a whole redirect.
    pub answered: usize,
    /// Boards whose connection was closed or refused without an answer.
    pub closed: usize,
    /// Boards that waited in vain.
    pub waited: usize,
    /// The slowest answer, from the board's first step to its last byte.
    pub slowest: Duration,
    /// All together.
    pub took: Duration,
    /// The most memory of the server, in KB.
    pub memory: u64,
    /// The most threads of the server.
    pub threads: u64,
}

/// Let so many boards come, and so many of them at a time.
pub fn come(server: &Running, path: &str, boards: usize, at_a_time: usize, reporting: bool) -> Result<Crowd> {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watch = scope.spawn(|| {
            let (mut memory, mut threads) = (0, 0);
            while !over.load(Ordering::Acquire) {
                let usage = server.usage();
                memory = usage.memory.max(memory);
                threads = usage.threads.max(threads);
                std::thread::sleep(LOOK);
            }
            (memory, threads)
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let crowd = runtime.block_on(ask(server, path, boards, at_a_time, reporting));
        over.store(true, Ordering::Release);
        let (memory, threads) = watch.join().ok().context("the watch has ended early")?;
        Ok(Crowd { memory, threads, ..crowd })
    })
}

/// What a board says of itself.
fn report(number: usize) -> String {
    format!(
        "Mpota-Report: {{\"id\": \"e6614c31{number:08x}\", \"version\": \"v1.2.0\", \"state\": \"idle\", \
         \"micropython\": \"1.25.0\", \"board\": \"RPI_PICO_W\", \"flash\": 123456, \"memory\": 81234}}\r\n"
    )
}

async fn ask(server: &Running, path: &str, boards: usize, at_a_time: usize, reporting: bool) -> Crowd {
    let places = Arc::new(Semaphore::new(at_a_time));
    let begun = Instant::now();
    let mut all = JoinSet::new();
    for number in 0..boards {
        let (places, address) = (Arc::clone(&places), server.address);
        let more = if reporting { report(number) } else { String::new() };
        // As device/mpota/send.py writes it.
        let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nUser-Agent: mpota\r\n{more}\r\n");
        all.spawn(async move {
            let Ok(_place) = places.acquire().await else { return (Err(()), Duration::ZERO) };
            let begun = Instant::now();
            let answer = tokio::time::timeout(PATIENCE, board(address, &request)).await;
            (answer.map_err(|_| ()), begun.elapsed())
        });
    }
    let mut crowd = Crowd { boards, ..Crowd::default() };
    while let Some(met) = all.join_next().await {
        match met {
            Ok((Ok(true), time)) => {
                crowd.answered += 1;
                crowd.slowest = crowd.slowest.max(time);
            }
            Ok((Ok(false), _)) => crowd.closed += 1,
            _ => crowd.waited += 1,
        }
    }
    crowd.took = begun.elapsed();
    crowd
}

/// Whether a whole redirect comes back.
async fn board(address: std::net::SocketAddr, request: &str) -> bool {
    let Ok(mut socket) = TcpStream::connect(address).await else { return false };
    if socket.write_all(request.as_bytes()).await.is_err() {
        return false;
    }
    let mut answer = Vec::new();
    while !answer.windows(4).any(|four| four == b"\r\n\r\n") {
        match socket.read_buf(&mut answer).await {
            Ok(read) if read > 0 => {}
            _ => return false,
        }
    }
    answer.starts_with(b"HTTP/1.1 302 ")
}
