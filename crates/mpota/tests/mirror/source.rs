//! A server with GitHub's list of the releases in a folder. Some of its files cannot be had.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use serde_json::{Value, json};

use crate::common::mpota;
use crate::world::World;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The upload came to nothing: it is listed so, and cannot be read.
    Starter,
    /// It is listed as any other, and the server answers this.
    Status(u16),
    /// The answer ends in the middle.
    Cut,
}

type Faults = BTreeMap<String, Fault>;

pub struct Source {
    url: String,
    faults: Arc<Mutex<Faults>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Source {
    pub fn of(world: &World) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (faults, stop) = (Arc::<Mutex<Faults>>::default(), Arc::new(AtomicBool::new(false)));
        let (known, stopped) = (Arc::clone(&faults), Arc::clone(&stop));
        let root = world.bench.releases().join("octo/weather");
        let thread = std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                // The client may be gone.
                let _ = answer(&client, &root, &known.lock().unwrap().clone());
            }
        });
        Self { url, faults, stop, thread: Some(thread) }
    }

    /// `file` is TAG/NAME, or `latest`.
    pub fn fail(&self, file: &str, fault: Fault) {
        self.faults.lock().unwrap().insert(file.to_owned(), fault);
    }

    pub fn command(&self, world: &World, place: &Path) -> Command {
        let mut command = mpota();
        command.args(["mirror", "octo/weather"]).arg(place).args(["--base-url", &self.url]);
        command.arg("--key").arg(world.public_key());
        command
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.url.trim_start_matches("http://")); // wakes it up
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn answer(client: &TcpStream, root: &Path, faults: &Faults) -> std::io::Result<()> {
    let mut lines = BufReader::new(client).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    let path = first.split(' ').nth(1).unwrap_or_default().split('?').next().unwrap_or_default().to_owned();
    let all = releases(root, faults);
    let (file, found) = match path.split_once("/releases/download/") {
        Some((_, file)) => (file.to_owned(), fs::read(root.join(file)).ok()),
        None if path.ends_with("/releases/latest") => {
            let version = |release: &&Value| release["tag_name"].as_str().unwrap().starts_with('v');
            ("latest".to_owned(), all.iter().rfind(version).map(|latest| latest.to_string().into_bytes()))
        }
        None => {
            (String::new(), path.ends_with("/releases").then(|| Value::from(all).to_string().into_bytes()))
        }
    };
    let (status, body) = match (faults.get(&file), found) {
        (Some(Fault::Status(status)), _) => (*status, Vec::new()),
        (Some(Fault::Starter), _) | (_, None) => (404, Vec::new()),
        (_, Some(body)) => (200, body),
    };
    let sent = if faults.get(&file) == Some(&Fault::Cut) { body.len() / 2 } else { body.len() };
    let mut client = client;
    let length = body.len();
    write!(client, "HTTP/1.1 {status} So\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n")?;
    client.write_all(&body[..sent])
}

/// In the order of their tags.
fn releases(root: &Path, faults: &Faults) -> Vec<Value> {
    let asset = |tag: &str, path: &PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap();
        let whole = faults.get(&format!("{tag}/{name}")) != Some(&Fault::Starter);
        let state = if whole { "uploaded" } else { "starter" };
        json!({"id": 1, "name": name, "size": path.metadata().unwrap().len(), "state": state})
    };
    let release = |folder: PathBuf| {
        let tag = folder.file_name().unwrap().to_str().unwrap();
        let assets: Vec<Value> = paths(&folder).iter().map(|path| asset(tag, path)).collect();
        json!({"id": 1, "tag_name": tag, "draft": false, "assets": assets})
    };
    paths(root).into_iter().map(release).collect()
}

fn paths(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}
