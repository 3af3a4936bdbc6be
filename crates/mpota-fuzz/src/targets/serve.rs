//! The server, request by request, without a socket: nothing outside of its folder is read, nothing there is
//! written, and no handler panics.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use mpota_serve::{Options, Server, WriteOptions};

use crate::seeds::TOKEN;

/// What no answer may hold.
const SECRET: &[u8] = b"TOP-SECRET-7f3a";
/// One request takes far less, on a busy machine too.
const PATIENCE: Duration = Duration::from_secs(20);
/// So many things may lie in a folder that is written to, before it is made anew.
const MOST: usize = 60;

/// A server and the folder around the one that it serves.
struct Place {
    server: Server,
    outside: tempfile::TempDir,
    writes: bool,
}

/// A release with a number that is known, for requests that change it; and what says so.
const DRAFT: (&str, &[u8]) =
    ("octo/weather/draft-1/release.json", b"{\"id\":1,\"draft\":true,\"tag_name\":\"v3.0.0\"}");

/// What must stay as it is: paths below the folder around the served one.
const OUTSIDE: [&str; 3] = ["secret.txt", "a/secret.txt", "a/b/secret.txt"];

impl Place {
    fn new(writes: bool) -> Self {
        let outside = tempfile::tempdir().expect("room for temporary files");
        let root = root(outside.path());
        for name in OUTSIDE {
            put(&outside.path().join(name), SECRET);
        }
        for tag in ["v1.6.0", "v1.11.0"] {
            put(&root.join("octo/weather").join(tag).join("manifest.json"), b"manifest\n");
            put(&root.join("octo/weather").join(tag).join("weather.pack"), &[7; 3000]);
        }
        let release = root.join("octo/weather/v1.11.0");
        put(&release.join(".env"), SECRET);
        put(&release.join("sub/secret.txt"), SECRET);
        put(&root.join("octo/weather/secret.txt"), SECRET);
        put(&root.join(DRAFT.0), DRAFT.1);
        let write = writes.then(|| WriteOptions { asset_bytes: 10_000, ..WriteOptions::new(TOKEN) });
        // The one gives contents at once, the other by a signed address.
        let options = Options { write, redirects: writes, ..Options::new(&root) };
        let server = Server::start(options).expect("a server");
        Self { server, outside, writes }
    }

    /// What is answered, which must not be wrong.
    fn talk(&self, said: &[u8]) -> Vec<u8> {
        let begun = Instant::now();
        let answer = self.server.talk(said);
        assert!(begun.elapsed() < PATIENCE, "it took {:?}", begun.elapsed());
        assert!(!answer.windows(SECRET.len()).any(|part| part == SECRET), "it answers with what it must not");
        assert!(!answer.starts_with(b"HTTP/1.1 500"), "a handler panicked");
        answer
    }

    fn check(&self) {
        let mut found = Vec::new();
        list(self.outside.path(), &root(self.outside.path()), &mut found);
        assert_eq!(found.len(), OUTSIDE.len(), "something was written outside: {found:?}");
        for name in OUTSIDE {
            let content = fs::read(self.outside.path().join(name)).unwrap_or_default();
            assert!(content == SECRET, "{name} was changed");
        }
    }
}

fn root(outside: &Path) -> PathBuf {
    outside.join("a/b/root")
}

fn put(path: &Path, content: &[u8]) {
    let made = path.parent().map_or(Ok(()), fs::create_dir_all);
    made.and_then(|()| fs::write(path, content)).expect("room for temporary files");
}

fn list(folder: &Path, except: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() && path != except {
            list(&path, except, found);
        } else if path != except {
            found.push(path);
        }
    }
}

static PLACES: LazyLock<Mutex<[Place; 2]>> =
    LazyLock::new(|| Mutex::new([Place::new(false), Place::new(true)]));

/// The path that an answer leads to.
fn redirect(answer: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(answer);
    let to = text.lines().find_map(|line| line.strip_prefix("location: "))?;
    let (_, rest) = to.split_once("://")?;
    Some(format!("/{}", rest.split_once('/')?.1))
}

/// What one connection says, behind a byte whose lowest bit chooses the server: 1 lets tokens write.
pub fn serve(bytes: &[u8]) -> bool {
    let Some((&which, said)) = bytes.split_first() else { return false };
    let mut places = PLACES.lock().unwrap_or_else(PoisonError::into_inner);
    let place = &mut places[usize::from(which & 1)];
    let answer = place.talk(said);
    if let Some(next) = redirect(&answer) {
        place.talk(format!("GET {next} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes());
    }
    place.check();
    if place.writes {
        let draft = root(place.outside.path()).join(DRAFT.0);
        if !draft.exists() {
            put(&draft, DRAFT.1);
        }
        let mut inside = Vec::new();
        list(&root(place.outside.path()), Path::new(""), &mut inside);
        if inside.len() > MOST {
            *place = Place::new(true);
        }
    }
    answer.starts_with(b"HTTP/1.1 2") || answer.starts_with(b"HTTP/1.1 3")
}
