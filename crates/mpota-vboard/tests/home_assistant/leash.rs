//! Ends an app that never returns when a test has seen enough, and counts the turns of its loop.

use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::{Duration, Instant};

#[derive(Default)]
struct State {
    held: Option<TcpStream>,
    pulled: bool,
}

pub struct Leash {
    port: u16,
    state: Arc<Mutex<State>>,
}

impl Leash {
    pub fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let mut state = shared.lock().unwrap();
                state.held = Some(stream).filter(|_| !state.pulled);
            }
        });
        Self { port, state }
    }

    /// The app's own work: it sleeps when it is pulled.
    pub fn work(&self) -> String {
        format!(
            "    global leash
    import machine
    import socket

    if 'leash' not in globals():
        leash = socket.socket()
        leash.connect(socket.getaddrinfo('127.0.0.1', {})[0][-1])
        leash.setblocking(False)
    try:
        leash.write(b'.')
        pulled = leash.read(1) == b''
    except OSError:
        pulled = True
    if pulled:
        machine.deepsleep(1)",
            self.port
        )
    }

    /// Waits until the loop has turned so often from now on.
    pub fn turns(&self, count: usize) {
        let until = Instant::now() + Duration::from_secs(150);
        while self.turned() > 0 {}
        let mut turned = 0;
        while turned < count {
            assert!(Instant::now() < until, "{turned} turns");
            sleep(Duration::from_millis(20));
            turned += self.turned();
        }
    }

    /// Some of the turns that nobody has asked for yet, 0 where there are none.
    fn turned(&self) -> usize {
        let mut state = self.state.lock().unwrap();
        state.held.as_mut().map_or(0, |stream| {
            stream.set_nonblocking(true).unwrap();
            stream.read(&mut [0; 100]).unwrap_or(0)
        })
    }

    /// Pulls when it goes out of scope: a test that fails does not wait for its board.
    pub fn guard(&self) -> Guard<'_> {
        Guard(self)
    }

    pub fn pull(&self) {
        let mut state = self.state.lock().unwrap();
        state.pulled = true;
        state.held = None;
    }
}

pub struct Guard<'a>(&'a Leash);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.0.pull();
    }
}
