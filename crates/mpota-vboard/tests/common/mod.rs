//! A repository, a server and boards for the end-to-end tests.
#![allow(dead_code, reason = "every test file uses a part of it")]

use mpota::release::keys::{self, SigningKey};
use mpota_serve::{Options, Server};
use mpota_vboard::bench::{Agent, App, Bench, Release, compile, config};
use mpota_vboard::{Board, FileSystem, MicroPython, Run, Word};
use serde_json::json;

pub const SETTINGS: &[u8] = br#"{"place": "attic"}"#;

/// v1.0.0 is released, and a server runs.
pub struct World {
    pub bench: Bench,
    pub server: Server,
    pub micropython: MicroPython,
    pub file_system: FileSystem,
    pub agent: Agent,
    pub entries: Vec<(String, String)>,
    /// Bytes of a board's flash.
    pub flash: u64,
}

pub fn options(bench: &Bench) -> Options {
    Options { asset_host: Some("localhost".into()), ..Options::new(bench.releases()) }
}

pub fn tiny(version: &str) -> App {
    App::tiny(version).expect("the template of boot.py")
}

pub fn new_key(dir: &tempfile::TempDir, name: &str) -> (String, SigningKey) {
    let path = dir.path().join(name);
    let line = keys::create(&path, name, None).expect("a key").line;
    (line, SigningKey::load(&path, &mut |_| Ok(String::new())).expect("the key again"))
}

/// A replacement in the updater's source: (file, what, by what).
pub type Change<'a> = (&'a str, &'a str, &'a str);

/// The app with the whole updater in it, below `folder` (`lib/` or nothing), with these changes, each of
/// which must apply.
pub fn with_updater(app: App, folder: &str, form: Agent, changes: &[Change]) -> App {
    updater_of(mpota_vboard::agent_files().expect("the updater"), app, folder, form, changes)
}

/// The same with another updater than today's.
pub fn updater_of(
    files: Vec<(String, Vec<u8>)>,
    mut app: App,
    folder: &str,
    form: Agent,
    changes: &[Change],
) -> App {
    let mut made = 0;
    for (name, source) in files {
        let mut source = String::from_utf8(source).expect("text");
        for (_, from, to) in changes.iter().filter(|(file, ..)| *file == name) {
            assert!(source.contains(from), "{name} has no {from:?}");
            source = source.replacen(from, to, 1);
            made += 1;
        }
        app = match form {
            Agent::Py => app.with(&format!("{folder}{name}"), source),
            Agent::Mpy => app.with(
                &format!("{folder}{}.mpy", name.trim_end_matches(".py")),
                compile(source.as_bytes()).expect("mpy-cross"),
            ),
        };
    }
    assert_eq!(made, changes.len(), "changes of a file that is not there");
    app
}

impl World {
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    /// The same, with other options of the server.
    pub fn with(change: impl FnOnce(&mut Options)) -> Self {
        let bench = Bench::new().expect("a bench");
        bench.publish(&Release::new("v1.0.0", tiny("v1.0.0"))).expect("v1.0.0");
        let mut options = options(&bench);
        change(&mut options);
        let server = Server::start(options).expect("a server");
        let micropython = MicroPython::find(Word::Bits64).expect("MicroPython");
        Self {
            bench,
            server,
            micropython,
            file_system: FileSystem::Lfs,
            agent: Agent::Mpy,
            entries: Vec::new(),
            flash: 1 << 20,
        }
    }

    pub fn set(&mut self, key: &str, value: &str) {
        self.entries.push((key.into(), value.into()));
    }

    pub fn publish(&self, version: &str, app: App) {
        self.bench.publish(&Release::new(version, app)).expect("a release");
    }

    /// A board with v1.0.0.
    pub fn board(&self) -> Board {
        let base = format!("'{}'", self.server.base_url());
        let mut entries = vec![("base_url", base.as_str())];
        entries.extend(self.entries.iter().map(|(k, v)| (k.as_str(), v.as_str())));
        let config = config(&entries);
        let own: [(&str, &[u8]); 2] = [("secrets.py", config.as_bytes()), ("settings.json", SETTINGS)];
        let folder = self.bench.board_folder("v1.0.0", self.agent, &own).expect("a board's files");
        Board::with_size(&self.micropython, self.file_system, self.flash, &folder).expect("a board")
    }
}

pub fn run(board: &Board) -> Run {
    let run = board.run().expect("the virtual board");
    eprintln!("{}", run.output);
    run
}

/// Run with the timers of the board going faster.
pub fn run_fast(board: &Board, sleeps: u32) -> Run {
    let run = board.run_with(&json!({"timer_divide": 1000, "sleeps": sleeps})).expect("the virtual board");
    eprintln!("{}", run.output);
    run
}

pub fn text(board: &Board, path: &str) -> String {
    String::from_utf8(board.read(path).expect("the file")).expect("text")
}

/// The version that `version.json` tells, and whether it is confirmed.
pub fn version(board: &Board) -> (String, bool) {
    let value: serde_json::Value = serde_json::from_str(&text(board, "/version.json")).expect("JSON");
    (value["version"].as_str().expect("a version").into(), value["confirmed"].as_bool().expect("yes or no"))
}

pub fn confirmed(version: &str) -> (String, bool) {
    (version.into(), true)
}

/// The files of the board that are neither the updater's records nor `version.json`.
pub fn app_tree(board: &Board) -> mpota_vboard::Tree {
    let mut tree = board.tree().expect("the tree");
    tree.retain(|path, _| !path.starts_with("/.ota") && path != "/version.json");
    tree
}
