//! `cargo xtask size`: how big the updater is, and how little heap it runs in.

use anyhow::{Result, ensure};
use mpota::keys::{self, SigningKey};
use mpota_serve::{Options, Server};
use mpota_vboard::bench::{Agent, App, Bench, Release, compiled_agent};
use mpota_vboard::{Board, FileSystem, MicroPython, Word};

/// Print both.
pub fn run(_: &[String]) -> Result<()> {
    let mut sum = 0;
    for (name, content) in compiled_agent()? {
        println!("{:>6} bytes  {name}", content.len());
        sum += content.len();
    }
    println!("{sum:>6} bytes  in all\n");

    ordinary_boot()?;

    let dir = tempfile::tempdir()?;
    let line = keys::create(&dir.path().join("key"), "size", None)?.line;
    let key = SigningKey::load(&dir.path().join("key"), &mut |_| Ok(String::new()))?;
    for word in [Word::Bits64, Word::Bits32] {
        let micropython = MicroPython::find(word)?;
        for agent in [Agent::Py, Agent::Mpy] {
            for signed in [false, true] {
                let key = signed.then(|| (line.as_str(), key.clone()));
                let heap = smallest(&micropython, agent, key, None)?;
                println!(
                    "{word:?} {agent:?}, {}: an update of 10 files, 60 KB, runs in {heap} KB of heap, {} KB of it the virtual board's own",
                    if signed { "signed" } else { "unsigned" },
                    harness(&micropython)?
                );
            }
        }
    }
    println!();
    let micropython = MicroPython::find(Word::Bits32)?;
    for plain in [false, true] {
        let heap = |assets| smallest(&micropython, Agent::Mpy, None, Some(Private { assets, plain }));
        let own = if plain { 11 } else { 2 };
        let (few, many) = (heap(1)?, heap(98)?);
        println!(
            "Bits32 Mpy, a private repository, {}: with {} assets {few} KB, with {} assets {many} KB, {:.2} times",
            if plain { "an asset per file" } else { "manifest and pack" },
            own + 1,
            own + 98,
            f64::from(many) / f64::from(few)
        );
    }
    Ok(())
}

/// A repository that only a token may read.
#[derive(Clone, Copy)]
struct Private {
    /// How many assets the release has besides its own.
    assets: usize,
    /// Whether each file is an asset.
    plain: bool,
}

/// What the guard costs on a boot where nothing is to be done: with it and without, side by side.
fn ordinary_boot() -> Result<()> {
    let micropython = MicroPython::find(Word::Bits64)?;
    let bench = Bench::new()?;
    bench.publish(&Release::new("v1.0.0", app("v1.0.0")))?;
    let with = bench.board_folder(
        "v1.0.0",
        Agent::Mpy,
        &[("main.py", b"import machine\nmachine.deepsleep(1)\n")],
    )?;
    let without = bench.board_folder(
        "v1.0.0",
        Agent::Mpy,
        &[("main.py", b"import machine\nmachine.deepsleep(1)\n"), ("boot.py", b"pass\n")],
    )?;
    let mut best = Vec::new();
    for folder in [&with, &without] {
        let board = Board::new(&micropython, FileSystem::Lfs, folder)?;
        let runs: Vec<_> = (0..20).map(|_| board.run()).collect::<std::result::Result<_, _>>()?;
        ensure!(runs.iter().all(|r| r.writes == 0 && r.boots == 1), "an ordinary boot wrote to the flash");
        let us = runs.iter().map(|r| r.microseconds).min().unwrap_or(0);
        best.push((runs[0].reads, us));
    }
    println!(
        "an ordinary boot: 0 writes, {} reads of the flash with the guard and {} without it, {} and {} us (best of 20)\n",
        best[0].0, best[1].0, best[0].1, best[1].1
    );
    Ok(())
}

/// An app of 10 files, 60 KB.
fn app(version: &str) -> App {
    let mut app = App::default();
    for i in 0..8 {
        let text = format!("# {version} {i}\n")
            + &format!("x{i} = {i}  # some code that says what it does\n").repeat(165);
        app = app.with(&format!("lib/part{i}.py"), text);
    }
    let main = format!(
        "import ota_updater\nota_updater.boot()\nimport machine, secrets\nprint('app {version}')\n\
         if ota_updater.update(secrets.CONFIG):\n    machine.reset()\nota_updater.confirm()\nmachine.deepsleep(1)\n"
    );
    let boot = std::fs::read_to_string(mpota_vboard::repository().join("device/template/boot.py"))
        .unwrap_or_default();
    app.with("main.py", main).with("boot.py", boot)
}

/// The smallest heap, in KB, in which the whole update succeeds.
fn smallest(
    micropython: &MicroPython,
    agent: Agent,
    key: Option<(&str, SigningKey)>,
    private: Option<Private>,
) -> Result<u32> {
    let bench = Bench::new()?;
    for version in ["v1.0.0", "v1.1.0"] {
        let mut release = Release::new(version, app(version));
        release.key = key.as_ref().map(|(_, k)| k.clone());
        release.plain = private.is_some_and(|p| p.plain);
        bench.publish(&release)?;
        for n in 0..private.map_or(0, |p| p.assets) {
            std::fs::write(bench.release_dir(version).join(format!("firmware-{n:03}.bin")), "other")?;
        }
    }
    let token = private.map(|_| "tkn-123".to_owned());
    let access = if token.is_some() { "'token': 'tkn-123', 'insecure_token_over_http': True, " } else { "" };
    let options = Options { asset_host: Some("localhost".into()), token, ..Options::new(bench.releases()) };
    let server = Server::start(options)?;
    let keys = key.as_ref().map_or(String::new(), |(line, _)| format!("{line:?}"));
    let config = format!(
        "CONFIG = {{'owner': 'octo', 'repo': 'weather', {access}'base_url': '{}', 'keys': [{keys}]}}\n",
        server.base_url()
    );
    let folder = bench.board_folder("v1.0.0", agent, &[("secrets.py", config.as_bytes())])?;
    let works = |kb: u32| -> Result<bool> {
        let mut board = Board::new(micropython, FileSystem::Lfs, &folder)?;
        board.set_heap(&format!("{kb}K"));
        let done = board.run().is_ok_and(|run| run.output.contains("v1.1.0 is installed"));
        Ok(done)
    };
    let (mut low, mut high) = (16, 512);
    ensure!(works(high)?, "the update fails even with {high} KB");
    while high - low > 1 {
        let middle = (low + high) / 2;
        if works(middle)? { high = middle } else { low = middle }
    }
    Ok(high)
}

/// What the virtual board itself takes, in KB: the smallest heap in which an empty board boots.
fn harness(micropython: &MicroPython) -> Result<u32> {
    let dir = tempfile::tempdir()?;
    std::fs::write(dir.path().join("main.py"), "import machine\nmachine.deepsleep(1)\n")?;
    let (mut low, mut high) = (4, 256);
    while high - low > 1 {
        let middle = (low + high) / 2;
        let mut board = Board::new(micropython, FileSystem::Lfs, dir.path())?;
        board.set_heap(&format!("{middle}K"));
        let works = board.run().is_ok_and(|run| run.end == mpota_vboard::End::Sleep);
        if works { high = middle } else { low = middle }
    }
    Ok(high)
}
