//! A proxy that counts the traffic between a client and a server, and may delay it as a slow link does.

use anyhow::{Context, Result};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The address of all proxies. A proxy has the port of its server, so that a redirect with this address as its host leads
/// to the proxy of the other server.
pub const ADDRESS: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// Counts of the traffic.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Connections that were opened.
    pub connections: u64,
    /// Requests, by the ends of their heads; 0 with TLS.
    pub requests: u64,
    /// Changes of direction: data of the client after data of the server, or at the begin. Each costs a round trip.
    pub turns: u64,
    /// Bytes from the client.
    pub up: u64,
    /// Bytes to the client.
    pub down: u64,
}

/// A slow connection to the network.
#[derive(Debug, Clone, Copy)]
pub struct Link {
    /// Round-trip time.
    pub round_trip: Duration,
    /// Bytes per second, in each direction.
    pub bandwidth: u32,
}

/// The link of the figures.
pub const SLOW: Link = Link { round_trip: Duration::from_millis(100), bandwidth: 50_000 };

impl Link {
    /// The time that this traffic takes over the link, without the CPU time of client and server: a round trip for each
    /// TCP handshake, one for each turn, and the bytes at the bandwidth. The sum is exact for clients that wait for each
    /// answer before the next request, as all here do: nothing overlaps. It leaves out what Nagle's algorithm costs
    /// `mip`, which writes a request in several pieces.
    pub fn time(&self, traffic: &Traffic) -> Duration {
        let trips = u32::try_from(traffic.connections + traffic.turns).unwrap_or(u32::MAX);
        self.round_trip * trips + self.bytes(traffic.up + traffic.down)
    }

    fn bytes(&self, bytes: u64) -> Duration {
        Duration::from_micros(bytes * 1_000_000 / u64::from(self.bandwidth))
    }
}

#[derive(Default)]
struct State {
    traffic: Traffic,
    stopped: bool,
}

/// Proxies in front of a server's addresses. They stop when this is dropped.
pub struct Wire {
    state: Arc<Mutex<State>>,
    doors: Vec<(SocketAddr, JoinHandle<()>)>,
}

impl Wire {
    /// Start a proxy in front of each of these addresses, as slow as `link` if one is given.
    pub fn before(addresses: &[SocketAddr], link: Option<Link>) -> Result<Self> {
        let state = Arc::new(Mutex::new(State::default()));
        let mut doors = Vec::new();
        for &behind in addresses {
            let door = SocketAddr::from((ADDRESS, behind.port()));
            let listener = TcpListener::bind(door).with_context(|| format!("cannot listen at {door}"))?;
            let state = Arc::clone(&state);
            doors.push((door, std::thread::spawn(move || accept(&listener, behind, link, &state))));
        }
        Ok(Self { state, doors })
    }

    /// The counts since the last call.
    pub fn take(&self) -> Traffic {
        std::mem::take(&mut lock(&self.state).traffic)
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        lock(&self.state).stopped = true;
        for (door, thread) in self.doors.drain(..) {
            let _ = TcpStream::connect(door); // wakes it up
            let _ = thread.join();
        }
    }
}

fn lock(state: &Mutex<State>) -> std::sync::MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn accept(listener: &TcpListener, behind: SocketAddr, link: Option<Link>, state: &Arc<Mutex<State>>) {
    for client in listener.incoming().flatten() {
        if lock(state).stopped {
            return;
        }
        lock(state).traffic.connections += 1;
        // If the server does not accept, the client's connection is closed here.
        let Ok(server) = TcpStream::connect(behind) else { continue };
        let (Ok(from_client), Ok(from_server)) = (client.try_clone(), server.try_clone()) else { continue };
        // The proxy must not add delays of its own.
        let _ = (client.set_nodelay(true), server.set_nodelay(true));
        let spoke = Arc::new(AtomicBool::new(true)); // whether the server spoke last
        let pipe = |link| Pipe { state: Arc::clone(state), server_spoke: Arc::clone(&spoke), link };
        let (up, down) = (pipe(link), pipe(link));
        // The handshake with the proxy took no time: the first bytes wait for the round trip that it would take.
        let first = link.map_or(Duration::ZERO, |link| link.round_trip);
        std::thread::spawn(move || up.up(from_client, server, first));
        std::thread::spawn(move || down.down(from_server, client));
    }
}

/// One direction of a connection.
struct Pipe {
    state: Arc<Mutex<State>>,
    server_spoke: Arc<AtomicBool>,
    link: Option<Link>,
}

impl Pipe {
    fn up(&self, from: TcpStream, to: TcpStream, first: Duration) {
        let mut end = Vec::new(); // of what has come so far
        self.pour(from, to, first, |traffic, data| {
            traffic.up += data.len() as u64;
            traffic.turns += u64::from(self.server_spoke.swap(false, Ordering::AcqRel));
            end.extend_from_slice(data);
            traffic.requests += end.windows(4).filter(|w| w == b"\r\n\r\n").count() as u64;
            let kept = end.len().saturating_sub(3);
            end.drain(..kept);
        });
    }

    fn down(&self, from: TcpStream, to: TcpStream) {
        self.pour(from, to, Duration::ZERO, |traffic, data| {
            traffic.down += data.len() as u64;
            self.server_spoke.store(true, Ordering::Release);
        });
    }

    /// Copy until one side closes, then close the other.
    fn pour(
        &self,
        mut from: TcpStream,
        mut to: TcpStream,
        first: Duration,
        mut count: impl FnMut(&mut Traffic, &[u8]),
    ) {
        let mut late = self.link.map(|link| Late::start(link, first, &from, &to));
        let mut buffer = vec![0; 16 << 10];
        while let Ok(n @ 1..) = from.read(&mut buffer) {
            // Counted before it is passed on, so that a client that has its answer finds it in the counts.
            count(&mut lock(&self.state).traffic, &buffer[..n]);
            let passed = match &mut late {
                Some(late) => late.send(&buffer[..n]),
                None => to.write_all(&buffer[..n]).is_ok(),
            };
            if !passed {
                break;
            }
        }
        if let Some(late) = late {
            late.end();
        }
        close(&from, &to);
    }
}

fn close(from: &TcpStream, to: &TcpStream) {
    let _ = to.shutdown(Shutdown::Write);
    let _ = from.shutdown(Shutdown::Read);
}

/// Writes what it is sent when it would arrive over the link. A thread of its own does that: data that is delayed must
/// not keep the next data from being read.
struct Late {
    link: Link,
    /// When the link is free for the next bytes.
    free: Instant,
    due: mpsc::Sender<(Instant, Vec<u8>)>,
    thread: JoinHandle<()>,
}

impl Late {
    fn start(link: Link, first: Duration, from: &TcpStream, to: &TcpStream) -> Self {
        let (send, due) = mpsc::channel::<(Instant, Vec<u8>)>();
        let (from, to) = (from.try_clone(), to.try_clone());
        let thread = std::thread::spawn(move || {
            let (Ok(from), Ok(mut to)) = (from, to) else { return };
            for (at, data) in due {
                std::thread::sleep(at.saturating_duration_since(Instant::now()));
                if to.write_all(&data).is_err() {
                    close(&from, &to);
                    return;
                }
            }
        });
        Self { link, free: Instant::now() + first, due: send, thread }
    }

    /// Whether the other side is still there.
    fn send(&mut self, data: &[u8]) -> bool {
        self.free = self.free.max(Instant::now()) + self.link.bytes(data.len() as u64);
        self.due.send((self.free + self.link.round_trip / 2, data.to_vec())).is_ok()
    }

    /// Wait until everything is written.
    fn end(self) {
        drop(self.due);
        let _ = self.thread.join();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead, BufReader};

    /// Answers each line "N" with N bytes.
    fn server() -> SocketAddr {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                std::thread::spawn(move || {
                    let mut answers = client.try_clone().unwrap();
                    for line in BufReader::new(client).lines().map_while(Result::ok) {
                        let n = line.trim().parse().unwrap_or(0);
                        answers.write_all(&vec![0; n]).unwrap();
                    }
                });
            }
        });
        address
    }

    /// Ask for so many bytes each on a connection.
    fn talk(port: u16, asked: &[usize]) {
        let mut to = TcpStream::connect((ADDRESS, port)).unwrap();
        for n in asked {
            // In two pieces, as some clients do: it is one turn, and one end of a head.
            to.write_all(format!("{n}\r").as_bytes()).unwrap();
            to.write_all(b"\n\r\n").unwrap();
            to.read_exact(&mut vec![0; *n]).unwrap();
        }
    }

    #[test]
    fn connections_turns_and_bytes_are_counted() {
        let behind = server();
        let wire = Wire::before(&[behind], None).unwrap();
        talk(behind.port(), &[1000, 70_000]);
        talk(behind.port(), &[1]);
        let up = ("1000\r\n\r\n70000\r\n\r\n1\r\n\r\n").len() as u64;
        assert_eq!(wire.take(), Traffic { connections: 2, requests: 3, turns: 3, up, down: 71_001 });
        assert_eq!(wire.take(), Traffic::default());
        talk(behind.port(), &[5]);
        assert_eq!(wire.take(), Traffic { connections: 1, requests: 1, turns: 1, up: 5, down: 5 });
    }

    #[test]
    fn a_link_takes_the_time_that_is_calculated() {
        let behind = server();
        let mut cases = 0;
        for (link, talks) in [
            (
                Link { round_trip: Duration::from_millis(60), bandwidth: 10_000_000 },
                vec![vec![1, 1, 1], vec![1]],
            ),
            (Link { round_trip: Duration::from_millis(2), bandwidth: 200_000 }, vec![vec![60_000]]),
            (Link { round_trip: Duration::from_millis(40), bandwidth: 400_000 }, vec![vec![9000, 40_000]]),
        ] {
            let wire = Wire::before(&[behind], Some(link)).unwrap();
            let start = Instant::now();
            talks.iter().for_each(|asked| talk(behind.port(), asked));
            let (took, calculated) = (start.elapsed(), link.time(&wire.take()));
            assert!(calculated > Duration::from_millis(100), "{calculated:?}");
            // A busy machine is late, and never early.
            assert!(took >= calculated - Duration::from_millis(1), "{took:?}, calculated {calculated:?}");
            assert!(took < calculated * 2 + Duration::from_secs(1), "{took:?}, calculated {calculated:?}");
            cases += 1;
        }
        assert_eq!(cases, 3);
        println!("  cases {cases}: links");
    }
}
