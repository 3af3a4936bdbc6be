//! A broker, and who listens to everything at it.

use mpota_vboard::broker::Mosquitto;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::sleep;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(150);

#[derive(Debug, Clone)]
pub struct Message {
    pub topic: String,
    pub text: String,
}

impl Message {
    fn of(line: &str) -> Self {
        let (topic, text) = line.split_once(' ').unwrap();
        Self { topic: topic.into(), text: text.into() }
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{self:?}: {e}"))
    }
}

/// What has come, and how many of them a test has seen.
type Heard = Arc<(Mutex<(Vec<Message>, usize)>, Condvar)>;

pub struct Broker {
    programs: Mosquitto,
    pub port: u16,
    running: Vec<Child>,
    heard: Heard,
    _folder: tempfile::TempDir,
}

impl Broker {
    pub fn start() -> Self {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self::at(free)
    }

    pub fn at(port: u16) -> Self {
        let programs = Mosquitto::find().expect("mosquitto");
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("mosquitto.conf");
        let text = format!("listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\nuser root\n");
        std::fs::write(&file, text).unwrap();
        let server = programs.broker().arg("-c").arg(&file).stderr(Stdio::null()).spawn().unwrap();
        let mut broker =
            Self { programs, port, running: vec![server], heard: Heard::default(), _folder: folder };
        let until = Instant::now() + PATIENCE;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < until && broker.running[0].try_wait().unwrap().is_none(), "no broker");
            sleep(Duration::from_millis(50));
        }
        broker.listen();
        broker
    }

    fn client(&self, mut command: Command, args: &[&str]) -> Command {
        command.args(["-h", "127.0.0.1", "-p", &self.port.to_string()]).args(args);
        command
    }

    fn listen(&mut self) {
        let mut listener = self.client(self.programs.subscribe(), &["-t", "#", "-F", "%t %p"]);
        let mut listener = listener.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(listener.stdout.take().unwrap()).lines();
        self.running.push(listener);
        let heard = Arc::clone(&self.heard);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                heard.0.lock().unwrap().0.push(Message::of(&line));
                heard.1.notify_all();
            }
        });
        // It hears what comes from now on.
        let until = Instant::now() + PATIENCE;
        while self.all().is_empty() {
            assert!(Instant::now() < until, "nobody listens");
            self.publish("test", "hello");
            sleep(Duration::from_millis(50));
        }
    }

    pub fn publish(&self, topic: &str, text: &str) {
        let status = self.client(self.programs.publish(), &["-t", topic, "-m", text]).status().unwrap();
        assert!(status.success(), "{status}");
    }

    /// Sends the broker a signal.
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").args(["-s", name, &self.running[0].id().to_string()]).status();
        assert!(status.unwrap().success());
    }

    /// Kills the broker, and waits until its port is free.
    pub fn kill(&self) {
        self.signal("KILL");
        let until = Instant::now() + PATIENCE;
        while TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
            assert!(Instant::now() < until, "the broker lives");
            sleep(Duration::from_millis(20));
        }
    }

    pub fn all(&self) -> Vec<Message> {
        self.heard.0.lock().unwrap().0.clone()
    }

    /// The next message, behind those that were waited for before, that is right.
    pub fn wait(&self, what: &str, right: impl Fn(&Message) -> bool) -> Message {
        let until = Instant::now() + PATIENCE;
        let mut heard = self.heard.0.lock().unwrap();
        loop {
            let seen = heard.1;
            if let Some(at) = heard.0.iter().skip(seen).position(&right) {
                heard.1 = seen + at + 1;
                return heard.0[seen + at].clone();
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let (messages, seen) = heard.clone();
                drop(heard);
                let lines: Vec<String> =
                    messages.iter().map(|m| format!("{} {}\n", m.topic, m.text)).collect();
                panic!("waited for {what}, behind {seen} of\n{}", lines.concat());
            }
            heard = self.heard.1.wait_timeout(heard, left).unwrap().0;
        }
    }

    /// What somebody gets who comes now.
    pub fn retained(&self) -> Vec<Message> {
        let mut late =
            self.client(self.programs.subscribe(), &["-t", "#", "-F", "%t %p", "--retained-only", "-W", "2"]);
        let output = late.output().unwrap().stdout;
        String::from_utf8(output).unwrap().lines().map(Message::of).collect()
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        for program in &mut self.running {
            let _ = program.kill();
            let _ = program.wait();
        }
    }
}
