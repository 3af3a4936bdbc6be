//! How long the other tasks of an asyncio app stand still while it works, and servers that make it wait.
#![allow(dead_code, reason = "every test file uses a part of it")]

use mpota_vboard::Run;
use mpota_vboard::bench::App;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// `meter.py` of an app. `measure(name, work)` runs `work()`, a function or a coroutine, beside a task that
/// ticks every 10 ms, and prints the longest time between two ticks. The time in which the host ran other programs
/// instead of the board is not the board's.
pub const METER: &str = "import asyncio
import machine
import time

longest = 0


async def tick():
    global longest
    last, before = time.ticks_us(), machine.held_us()
    while True:
        await asyncio.sleep_ms(10)
        now, held = time.ticks_us(), machine.held_us()
        gap = time.ticks_diff(now, last)
        # No more than half of it: of a sleep the host may have taken a part that it would have lasted anyway.
        longest = max(longest, (gap - min(time.ticks_diff(held, before), gap // 2)) // 1000)
        last, before = now, held


def spin(ms):
    began = time.ticks_ms()
    while time.ticks_diff(time.ticks_ms(), began) < ms:
        pass


async def measure(name, work):
    global longest
    ticking = asyncio.create_task(tick())
    await asyncio.sleep_ms(30)
    longest, began = 0, time.ticks_ms()
    try:
        said = work()
        if hasattr(said, 'send') or hasattr(said, '__next__'):
            said = await said
    except Exception as e:
        said = repr(e)
    took = time.ticks_diff(time.ticks_ms(), began)
    await asyncio.sleep_ms(30)  # the tick that was kept waiting
    ticking.cancel()
    print('meter', name, longest, took, said)
";

/// The app with `meter.py` and a `main.py` that measures each of these, (name, Python that is called) in
/// turn, and sleeps. `ota_updater` and `secrets` are imported.
pub fn metered(app: App, works: &[(&str, &str)]) -> App {
    let mut main = String::from(
        "import ota_updater\nota_updater.boot()\nimport asyncio\nimport machine\nimport meter\nimport secrets\n\
         import time\n\nasync def main():\n",
    );
    for (name, work) in works {
        main += &format!("    await meter.measure('{name}', lambda: {work})\n");
    }
    main += "\nasyncio.run(main())\nmachine.deepsleep(1)\n";
    app.with("meter.py", METER).with("main.py", main)
}

/// What a meter has printed.
#[derive(Debug, Clone)]
pub struct Still {
    pub name: String,
    /// The longest time between two ticks, in ms. It is 10 or a little more where nobody stood still.
    pub longest: u32,
    /// How long the work took, in ms.
    pub took: u32,
    /// What it returned or raised.
    pub said: String,
}

/// Everything that the meters of a run have printed.
pub fn stills(run: &Run) -> Vec<Still> {
    let read = |line: &str| {
        let mut words = line.strip_prefix("meter ")?.splitn(4, ' ');
        let name = words.next()?.to_owned();
        let (longest, took) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        Some(Still { name, longest, took, said: words.next()?.to_owned() })
    };
    run.output.lines().filter_map(read).collect()
}

/// What a server does that makes a board wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bad {
    /// Its queue of connections is full: what asks for another one hears nothing.
    DoesNotAccept,
    /// It takes the connection and the request, and is silent.
    NeverAnswers,
    /// A byte of the body every 100 ms.
    Trickles,
    /// The end of the connection within the body.
    ClosesInTheMiddle,
    /// It is busy, and says so.
    Answers503,
}

impl Bad {
    pub const ALL: [Bad; 5] =
        [Self::DoesNotAccept, Self::NeverAnswers, Self::Trickles, Self::ClosesInTheMiddle, Self::Answers503];
}

/// A server on the loopback that does this to every connection; ends with its value.
pub struct BadServer {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    _queue: Vec<TcpStream>,
    _silent: Option<socket2::Socket>,
}

impl BadServer {
    pub fn start(bad: Bad) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        if bad == Bad::DoesNotAccept {
            let (silent, address, queue) = full();
            return Self { address, stop, _queue: queue, _silent: Some(silent) };
        }
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let stopped = Arc::clone(&stop);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if stopped.load(Ordering::Relaxed) {
                    break;
                }
                let stopped = Arc::clone(&stopped);
                // The client may be gone at any moment.
                std::thread::spawn(move || drop(serve(bad, stream, &stopped)));
            }
        });
        Self { address, stop, _queue: Vec::new(), _silent: None }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for BadServer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if self._silent.is_none() {
            drop(TcpStream::connect(self.address));
        }
    }
}

/// A socket whose queue of connections is full, and those that fill it.
fn full() -> (socket2::Socket, SocketAddr, Vec<TcpStream>) {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).expect("a socket");
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).expect("a port");
    socket.listen(0).expect("a queue");
    let address = socket.local_addr().ok().and_then(|a| a.as_socket()).expect("an address");
    let mut queue = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(200)) {
        queue.push(stream);
        assert!(queue.len() < 1000, "the queue has no end");
    }
    (socket, address, queue)
}

fn serve(bad: Bad, mut stream: TcpStream, stop: &AtomicBool) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_millis(100)))?;
    let mut request = Vec::new();
    let mut buffer = [0; 1024];
    while !request.ends_with(b"\r\n\r\n") {
        match stream.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(n) => request.extend_from_slice(&buffer[..n]),
            Err(_) if stop.load(Ordering::Relaxed) => return Ok(()),
            Err(_) => {}
        }
    }
    let pause = || std::thread::sleep(Duration::from_millis(100));
    let head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 4000\r\n\r\n";
    match bad {
        Bad::DoesNotAccept | Bad::NeverAnswers => {
            while !stop.load(Ordering::Relaxed) {
                pause();
            }
        }
        Bad::Trickles => {
            stream.write_all(head)?;
            while !stop.load(Ordering::Relaxed) {
                stream.write_all(b"{")?;
                pause();
            }
        }
        Bad::ClosesInTheMiddle => {
            stream.write_all(head)?;
            stream.write_all(&[b'{'; 500])?;
        }
        Bad::Answers503 => stream.write_all(
            b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        )?,
    }
    Ok(())
}
