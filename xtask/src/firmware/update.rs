//! Signed releases, servers that offer them, and what a board made of them.

use super::interpreter::{Firmware, Run, Tls};
use anyhow::{Context, Result, ensure};
use mpota::release::keys::{self, SigningKey};
use mpota_serve::{Options, Server};
use mpota_vboard::bench::{Agent, App, Bench, Release, config};
use std::path::{Path, PathBuf};

/// It says what it is, takes what is offered, and keeps what it runs.
const MAIN: &str = "import ota_updater
ota_updater.boot()
import machine
import app
import secrets
s = ota_updater.status()
print('app', app.V, s['state'], s['version'], 'blocked', s['bad'])
staged = None
try:
    staged = ota_updater.update(secrets.CONFIG)
    ota_updater.confirm()
except ota_updater.OtaError as e:
    print('refused:', e)
if staged:
    machine.reset()
machine.deepsleep(1)
";

/// How a server offers its releases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offer {
    /// Signed, v1.1.0 is the latest.
    Good,
    /// Signed, v1.2.0 is the latest, and raises.
    Broken,
    /// As `Good`, over https.
    Secure,
    /// As `Good` and not signed, over https.
    SecureUnsigned,
    /// As `Good`, and not signed.
    Unsigned,
    /// As `Good`, and not compressed.
    Plain,
}

const OFFERS: [Offer; 6] =
    [Offer::Good, Offer::Broken, Offer::Secure, Offer::SecureUnsigned, Offer::Unsigned, Offer::Plain];

impl Offer {
    fn signed(self) -> bool {
        !matches!(self, Self::Unsigned | Self::SecureUnsigned)
    }

    fn secure(self) -> bool {
        matches!(self, Self::Secure | Self::SecureUnsigned)
    }
}

/// What boards of the matrix update from.
pub struct World {
    offers: Vec<(Offer, Bench, Server)>,
    key: String,
    /// An authority that has signed nothing here.
    stranger: Vec<u8>,
}

/// A board: its folder, and whom it asks.
pub struct Board {
    _home: tempfile::TempDir,
    folder: PathBuf,
    boots: u32,
}

/// The app that stands in a release.
fn app(version: &str) -> Result<App> {
    let app = App::tiny(version)?.with("main.py", MAIN);
    if version == "v1.1.0" {
        // A file that goes, and one that comes in a folder of its own and is worth compressing.
        let text = "one more line of a long text\n".repeat(300);
        return Ok(app.without("lib/util.py").with("data/new/one.txt", text));
    }
    if version == "v1.2.0" {
        return Ok(app.with("app.py", "raise ValueError('broken on purpose')\n"));
    }
    Ok(app)
}

impl World {
    /// Build the releases and start the servers.
    pub fn new() -> Result<Self> {
        let dir = tempfile::tempdir()?;
        let key = keys::create(&dir.path().join("key"), "firmware", None)?.line;
        let signer = SigningKey::load(&dir.path().join("key"), &mut |_| Ok(String::new()))?;
        let mut offers = Vec::new();
        for offer in OFFERS {
            let bench = Bench::new()?;
            let versions = if offer == Offer::Broken { 3 } else { 2 };
            for version in ["v1.0.0", "v1.1.0", "v1.2.0"].iter().take(versions) {
                let mut release = Release::new(version, app(version)?);
                release.key = offer.signed().then(|| signer.clone());
                release.compress = offer != Offer::Plain;
                bench.publish(&release)?;
            }
            let tls = if offer.secure() { self_signed() } else { mpota_serve::Tls::None };
            let server = Server::start(Options {
                host: Some("localhost".into()),
                asset_host: Some("localhost".into()),
                tls,
                ..Options::new(bench.releases())
            })?;
            offers.push((offer, bench, server));
        }
        let empty = Bench::new()?;
        let stranger = Server::start(Options { tls: self_signed(), ..Options::new(empty.releases()) })?;
        let stranger = stranger.certificate_der().context("no certificate")?.to_vec();
        Ok(Self { offers, key, stranger })
    }

    fn offer(&self, offer: Offer) -> Result<(&Bench, &Server)> {
        let found = self.offers.iter().find(|(o, ..)| *o == offer).context("no such offer")?;
        Ok((&found.1, &found.2))
    }

    /// A board with v1.0.0, which trusts our key, and the authority of the server that it asks.
    pub fn board(&self, offer: Offer, agent: Agent) -> Result<Board> {
        let (bench, server) = self.offer(offer)?;
        let home = tempfile::tempdir()?;
        let made = bench.board_folder("v1.0.0", agent, &[])?;
        let folder = home.path().canonicalize()?.join("board");
        std::fs::rename(made, &folder)?;
        if let Some(der) = server.certificate_der() {
            mpota_vboard::bench::write_file(&folder.join("ota_ca/serve.der"), der)?;
        }
        let board = Board { _home: home, folder, boots: 0 };
        self.ask(&board, offer)?;
        Ok(board)
    }

    /// From now on it asks this server.
    pub fn ask(&self, board: &Board, offer: Offer) -> Result<()> {
        let (_, server) = self.offer(offer)?;
        let base = format!("{:?}", server.base_url());
        let key = format!("[{:?}]", self.key);
        let mut entries = vec![("base_url", base.as_str())];
        if offer.signed() {
            entries.push(("keys", key.as_str()));
        }
        std::fs::write(board.folder.join("secrets.py"), config(&entries))?;
        Ok(())
    }

    /// From now on it trusts somebody else's authority only.
    pub fn distrust(&self, board: &Board) -> Result<()> {
        std::fs::write(board.folder.join("ota_ca/serve.der"), &self.stranger)?;
        Ok(())
    }

    /// What was printed, without what is another one in each run.
    pub fn steady(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (_, _, server) in &self.offers {
            text = text.replace(server.base_url(), "SERVER").replace(server.asset_url(), "STORAGE");
        }
        text
    }
}

fn self_signed() -> mpota_serve::Tls {
    mpota_serve::Tls::SelfSigned { names: vec!["localhost".into()] }
}

impl Board {
    /// Power on until it sleeps.
    pub fn run(&mut self, firmware: &Firmware, tls: Tls, hide: &[&str]) -> Result<Run> {
        let run = firmware.boot(&self.folder, tls, hide)?;
        self.boots += run.boots;
        ensure!(run.slept, "{}: the board does not come to rest:\n{}", firmware.name(), run.output);
        Ok(run)
    }

    /// Whether exactly this version lies there, and it is what the updater says is installed.
    pub fn has(&self, version: &str, run: &Run) -> Result<bool> {
        let app = app(version)?;
        let same = app.0.iter().all(|(path, content)| {
            std::fs::read(self.folder.join(path)).is_ok_and(|found| found == *content)
        });
        let gone = ["lib/util.py", "data"]
            .iter()
            .all(|path| app.0.keys().any(|k| k.starts_with(path)) || !self.folder.join(path).exists());
        let said = std::fs::read_to_string(self.folder.join("version.json")).unwrap_or_default();
        let said: serde_json::Value = serde_json::from_str(&said).unwrap_or_default();
        let tells = said["version"] == version && said["confirmed"] == true;
        let runs = run.output.lines().any(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            matches!(words[..], ["app", v, "trial" | "idle", ..] if v == version)
        });
        Ok(same && gone && tells && runs)
    }

    /// How often it booted in all.
    pub fn boots(&self) -> u32 {
        self.boots
    }
}

/// What came of a whole story.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Tests of `device/tests` that passed.
    pub tests: u64,
    /// Boots in all.
    pub boots: u32,
    /// Updates that were kept.
    pub kept: u32,
    /// Updates that were undone.
    pub undone: u32,
    /// Servers that were taken for who they are.
    pub accepted: u32,
    /// Servers that were not.
    pub rejected: u32,
}

/// v1.0.0 takes v1.1.0 and keeps it; then it tries v1.2.0, which raises, and goes back, for good.
pub fn kept_and_undone(world: &World, firmware: &Firmware, agent: Agent, counts: &mut Counts) -> Result<()> {
    let mut board = world.board(Offer::Good, agent)?;
    let run = board.run(firmware, Tls::None, &[])?;
    let name = firmware.name();
    ensure!(board.has("v1.1.0", &run)?, "{name}: v1.1.0 is not installed:\n{}", run.output);
    counts.kept += 1;
    world.ask(&board, Offer::Broken)?;
    let run = board.run(firmware, Tls::None, &[])?;
    ensure!(run.output.contains("broken on purpose"), "{name}: v1.2.0 was not tried:\n{}", run.output);
    ensure!(board.has("v1.1.0", &run)?, "{name}: v1.2.0 was not undone:\n{}", run.output);
    let again = board.run(firmware, Tls::None, &[])?;
    let blocked = again.output.contains("app v1.1.0 idle v1.1.0 blocked v1.2.0") && again.boots == 1;
    ensure!(blocked, "{name}: v1.2.0 is not blocked:\n{}", again.output);
    counts.undone += 1;
    counts.boots += board.boots();
    Ok(())
}

/// The same server over https: its certificate is checked where the firmware can do that, and another
/// authority's does not do.
pub fn certificates(world: &World, firmware: &Firmware, agent: Agent, counts: &mut Counts) -> Result<()> {
    let (tls, name) = (firmware.tls, firmware.name());
    let mut board = world.board(Offer::Secure, agent)?;
    if tls != Tls::Unchecked {
        let good = std::fs::read(board.folder.join("ota_ca/serve.der"))?;
        world.distrust(&board)?;
        let run = board.run(firmware, tls, &[])?;
        let refused =
            run.output.contains("refused: ") && run.output.contains("certificate is by an authority");
        ensure!(refused && run.boots == 1, "{name}: a strange certificate is not refused:\n{}", run.output);
        counts.rejected += 1;
        std::fs::write(board.folder.join("ota_ca/serve.der"), good)?;
    }
    let run = board.run(firmware, tls, &[])?;
    ensure!(board.has("v1.1.0", &run)?, "{name}: v1.1.0 is not installed over https:\n{}", run.output);
    let warned = run.output.contains("cannot check certificates");
    ensure!(warned == (tls == Tls::Unchecked), "{name}: what it says of certificates:\n{}", run.output);
    counts.kept += 1;
    counts.accepted += u32::from(tls != Tls::Unchecked);
    counts.boots += board.boots();
    Ok(())
}

/// Every test of `device/tests`.
pub fn unit_tests(firmware: &Firmware, counts: &mut Counts) -> Result<()> {
    let folder = mpota_vboard::repository().join("device/tests");
    let mut files: Vec<_> = std::fs::read_dir(&folder)?.flatten().map(|e| e.path()).collect();
    files.retain(|p| is_test(p));
    files.sort();
    ensure!(!files.is_empty(), "no tests in device/tests");
    for file in files {
        let file = format!("device/tests/{}", file.file_name().unwrap_or_default().to_string_lossy());
        let (ok, output) = firmware.test(&file)?;
        let passed =
            output.lines().find_map(|line| line.split_once(" passed, 0 failed")?.0.parse::<u64>().ok());
        let passed = passed.filter(|n| ok && *n > 0);
        counts.tests += passed.with_context(|| format!("{}: {file}:\n{output}", firmware.name()))?;
    }
    Ok(())
}

fn is_test(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with("test_") && name.ends_with(".py")
}
