//! A board with v1.0.0, a server that offers v1.1.0, and what has to hold after every attack.

use crate::honest::Store;
use crate::keys::Key;
use crate::server::{Asked, Hostile};
use crate::tls::Proof;
use mpota_format::digest::{hex, sha256};
use mpota_vboard::bench::{Agent, App, Bench, REPO, Release, config};
use mpota_vboard::{Board, End, FileSystem, MicroPython, Run, Tree, Word};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A Pico W has about 180 KB free, of which TLS takes 38 (here it takes none: mbedTLS lies outside of
/// the Unix port's heap); the virtual board's own harness needs 45 KB on 32 bit, where objects are as
/// big as on a board.
pub const HEAP: &str = "187K";

/// The updater at work in the way of `device/template/main.py`: what goes wrong is one line in the log.
pub const MAIN: &str = "import ota_updater
ota_updater.boot()
import app
import secrets
print('app', app.V, ota_updater.status()['state'])
try:
    staged = ota_updater.update(secrets.CONFIG)
    ota_updater.confirm()
    if staged:
        import machine
        machine.reset()
except ota_updater.OtaError as e:
    ota_updater.log('W', 'no update: %s' % e)
print('app goes on', app.V)
import machine
machine.deepsleep(1)
";

/// So that a test takes seconds. A single try: the good update afterwards is the next one.
pub const LIMITS: &str = "{'timeout_s': 2, 'deadline_s': 20, 'retries': 1}";

/// An app with two files of some size that are new in v1.1.0.
pub fn app(version: &str) -> App {
    let app = App::tiny(version).expect("an app").with("main.py", MAIN);
    if version == "v1.0.0" { app } else { app.with("yyy.bin", noise(9_000)).with("zzz.bin", noise(20_000)) }
}

pub fn noise(n: u32) -> Vec<u8> {
    (0..n).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

/// How a rig is made.
pub struct Setup {
    pub entries: Vec<(String, String)>,
    pub own: Vec<(String, Vec<u8>)>,
    pub tls: Option<Proof>,
    pub plain: bool,
    pub old: App,
    pub size: u64,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            entries: vec![("limits".into(), LIMITS.into())],
            own: Vec::new(),
            tls: None,
            plain: false,
            old: app("v1.0.0"),
            size: 2 << 20,
        }
    }
}

impl Setup {
    /// An entry of CONFIG, as Python.
    pub fn set(mut self, key: &str, value: &str) -> Self {
        self.entries.retain(|(k, _)| k != key);
        self.entries.push((key.into(), value.into()));
        self
    }

    /// A board of a private repository; the server asks for the token where its store has one.
    pub fn private() -> Self {
        Self::default().set("token", "'tkn-1'").set("insecure_token_over_http", "True")
    }

    pub fn rig(self) -> Rig {
        let key = Key::new(1);
        let bench = Bench::new().expect("a bench");
        let mut releases = BTreeMap::new();
        for (version, app) in [("v1.0.0", self.old.clone()), ("v1.1.0", app("v1.1.0"))] {
            let plain = self.plain;
            bench.publish(&Release { plain, ..Release::new(version, app) }).expect("a release");
            let dir = bench.release_dir(version);
            let manifest = dir.join("manifest.json");
            let text = String::from_utf8(std::fs::read(&manifest).expect("a manifest")).expect("text");
            let version_key = format!("\"version\":\"{version}\"");
            let text = text.replace(&version_key, &format!("{version_key},\"created\":{CREATED}"));
            std::fs::write(&manifest, key.sign(text.as_bytes())).expect("a manifest");
            for entry in std::fs::read_dir(&dir).expect("a folder").flatten() {
                let name = entry.file_name().to_string_lossy().into_owned();
                releases.insert((version.to_owned(), name), std::fs::read(entry.path()).expect("an asset"));
            }
        }
        let server = Hostile::start(match &self.tls {
            Some(proof) => [Some(proof.server()), Some(proof.server())],
            None => [None, None],
        });
        let micropython = MicroPython::find(Word::Bits32).expect("MicroPython");
        let mut setup = self;
        if !setup.entries.iter().any(|(k, _)| k == "keys") {
            setup = setup.set("keys", &format!("['{}']", key.line()));
        }
        if let Some(proof) = &setup.tls {
            setup.own.push(("ota_ca/own.der".into(), proof.authority.certificate_der().to_vec()));
        }
        let url = format!("'{}'", server.url(0));
        setup.entries.insert(0, ("base_url".into(), url));
        let secrets = secrets(&setup.entries);
        let mut own: Vec<(&str, &[u8])> = setup.own.iter().map(|(p, c)| (p.as_str(), &c[..])).collect();
        own.extend([("secrets.py", secrets.as_bytes()), ("settings.json", crate::common::SETTINGS)]);
        let folder = bench.board_folder("v1.0.0", Agent::Mpy, &own).expect("a board's files");
        let mut board =
            Board::with_size(&micropython, FileSystem::Lfs, setup.size, &folder).expect("a board");
        board.set_heap(HEAP);
        let image = std::fs::read(board.image()).expect("the flash");
        let before = outside(&board);
        let rig = Rig { key, server, board, releases, image, before, entries: setup.entries };
        rig.restore();
        rig
    }
}

/// When the releases of a rig say that they were made.
pub const CREATED: u64 = 1_700_000_000;

fn secrets(entries: &[(String, String)]) -> String {
    config(&entries.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect::<Vec<_>>())
}

/// Everything on the board but the updater's own directory; `version.json` too.
pub fn outside(board: &Board) -> Tree {
    let mut tree = board.tree().expect("the tree");
    tree.retain(|path, _| path != "/.ota" && !path.starts_with("/.ota/"));
    tree
}

pub struct Rig {
    pub key: Key,
    pub server: Hostile,
    pub board: Board,
    releases: BTreeMap<(String, String), Vec<u8>>,
    image: Vec<u8>,
    pub before: Tree,
    entries: Vec<(String, String)>,
}

/// What an attack left behind.
pub struct Seen {
    /// Everything that the board printed.
    pub output: String,
    /// The line that says why there was no update.
    pub why: String,
    /// What was asked.
    pub asked: Vec<Asked>,
    /// The whole flash.
    pub tree: Tree,
    pub run: Run,
    pub seconds: f32,
    /// How many bytes the server got rid of.
    pub sent: u64,
    /// Everything that either host was sent.
    pub received: [Vec<u8>; 2],
}

impl Rig {
    pub fn new() -> Self {
        Setup::default().rig()
    }

    /// The asset as it was released.
    pub fn good(&self, version: &str, name: &str) -> Vec<u8> {
        self.releases[&(version.to_owned(), name.to_owned())].clone()
    }

    pub fn manifest(&self) -> Vec<u8> {
        self.good("v1.1.0", "manifest.json")
    }

    /// The manifest of v1.1.0 as that of another version, to be signed.
    pub fn manifest_of(&self, version: &str) -> String {
        let text = String::from_utf8(self.manifest()).expect("text");
        text.replace("\"v1.1.0\"", &format!("\"{version}\""))
    }

    /// The releases are what they were, and the server behaves.
    pub fn restore(&self) {
        self.server.behave();
        let mut store = self.server.store();
        store.assets = self.releases.clone();
        store.assets.retain(|(tag, _), _| tag != "v1.0.0");
        store.latest = "v1.1.0".into();
    }

    /// What the server has, for a script.
    pub fn store(&self) -> Store {
        self.server.store().clone()
    }

    /// Offer this manifest instead of the good one.
    pub fn offer(&self, manifest: Vec<u8>) {
        self.server.store().put("v1.1.0", "manifest.json", manifest);
    }

    /// Offer v1.1.0's manifest with replacements, signed again.
    pub fn offer_signed(&self, change: impl FnOnce(String) -> String) {
        let text = String::from_utf8(self.manifest()).expect("text");
        let new = change(text.clone());
        assert_ne!(new, text, "nothing was changed");
        self.offer(self.key.sign(new.as_bytes()));
    }

    /// Other settings on the board, as the flash it is rewound to has them.
    pub fn configure(&self, key: &str, value: &str) {
        let mut entries = self.entries.clone();
        entries.retain(|(k, _)| k != key);
        entries.push((key.into(), value.into()));
        self.board.write("/secrets.py", secrets(&entries).as_bytes()).expect("secrets.py");
    }

    /// The flash as it was before the attack.
    pub fn rewind(&self) {
        std::fs::write(self.board.image(), &self.image).expect("the flash");
    }

    /// Run the board once, which must refuse, for a reason with one of these words in it; then see it
    /// take the good release; then rewind it.
    pub fn attack(&self, name: &str, words: &[&str]) -> Seen {
        self.attack_with(name, words, &json!({}))
    }

    /// The same in a private repository.
    pub fn attack_private(&self, name: &str, words: &[&str], token: &str) -> Seen {
        let seen = self.refused(name, words, &json!({}));
        self.restore();
        self.server.store().token = Some(token.into());
        self.updates(name);
        self.rewind();
        seen
    }

    pub fn attack_with(&self, name: &str, words: &[&str], options: &Value) -> Seen {
        let seen = self.refused(name, words, options);
        self.restore();
        self.updates(name);
        self.rewind();
        seen
    }

    /// Run the board once, which must refuse.
    pub fn refused(&self, name: &str, words: &[&str], options: &Value) -> Seen {
        self.server.forget();
        let started = std::time::Instant::now();
        let before = outside(&self.board);
        let run = self.board.run_with(options).expect("the virtual board");
        let seconds = started.elapsed().as_secs_f32();
        eprintln!("--- {name:?}, {seconds:.1} s\n{}", run.output);
        let output = run.output.clone();
        assert_eq!((run.end, run.boots), (End::Sleep, 1), "{name}: {output}");
        assert!(output.contains("app v1.0.0 idle\n"), "{name}: {output}");
        assert!(output.contains("app goes on v1.0.0\n"), "{name}: {output}");
        check_lines(name, &output);
        let whys: Vec<&str> = output.lines().filter_map(|l| l.strip_prefix("ota W no update: ")).collect();
        assert_eq!(whys.len(), 1, "{name}: {output}");
        assert!(words.iter().any(|w| whys[0].contains(w)), "{name}: none of {words:?} in {:?}", whys[0]);
        let why = whys[0].to_owned();
        let tree = self.board.tree().expect("the tree");
        assert_eq!(outside(&self.board), before, "{name}: something else than /.ota changed");
        let received = [self.server.received(0), self.server.received(1)];
        let sent = self.server.sent();
        Seen { output, why, asked: self.server.asked(), tree, run, seconds, sent, received }
    }

    /// Run the board, which must install v1.1.0 and keep it, every file of it right.
    pub fn updates(&self, name: &str) -> String {
        let run = self.board.run().expect("the virtual board");
        eprintln!("--- {name:?}, the good update\n{}", run.output);
        assert!(run.output.contains("v1.1.0 is installed"), "{name}: {}", run.output);
        check_lines(name, &run.output);
        assert_eq!(crate::common::version(&self.board), crate::common::confirmed("v1.1.0"), "{name}");
        let tree = outside(&self.board);
        for (path, content) in &app("v1.1.0").0 {
            let is = tree.get(&format!("/{path}")).cloned().flatten().map(|(_, hash)| hash);
            assert_eq!(is, Some(hex(&sha256(content))), "{name}: {path}");
        }
        run.output
    }
}

/// Every line is one of the app, of the board, or a log line of its form and length: a server cannot
/// put lines of its own among them.
fn check_lines(name: &str, output: &str) {
    for line in output.lines() {
        assert!(["app ", "ota ", "board: "].iter().any(|s| line.starts_with(s)), "{name}: {line:?}");
        if line.starts_with("ota ") {
            assert!(["I ", "W ", "E "].iter().any(|s| line[4..].starts_with(s)), "{name}: {line:?}");
            let n = line.chars().count();
            assert!(n <= 120, "{name}: a log line of {n} characters: {line}");
        }
        assert!(line.chars().all(|c| c >= ' ' && c != '\x7f'), "{name}: {line:?}");
    }
}

/// The pack of v1.1.0.
pub fn pack() -> String {
    Store::pack("v1.1.0")
}

/// The tag in the name of the repository's pack.
pub fn is_pack(asked: &Asked) -> bool {
    asked.name().starts_with(REPO) && asked.name().ends_with(".pack")
}
