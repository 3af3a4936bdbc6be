//! `cargo xtask demo`: what mpota is, in a minute.

use anyhow::{Context, Result, bail};
use mpota::release::keys::{self, SigningKey};
use mpota_serve::{Options, Server};
use mpota_vboard::bench::{Agent, App, Bench, OWNER, REPO, Release};
use mpota_vboard::{Board, End, FileSystem, MicroPython, Run, Word};
use serde_json::json;

/// The token of the private repository. It opens nothing but this demo's own server.
const TOKEN: &str = "github_pat_of_the_demo";

/// What the demo shows is printed, and kept for the picture of it: a number, and what the board has printed.
#[derive(Default)]
pub struct Shown {
    /// Line by line; what begins with a digit is a step.
    pub lines: Vec<String>,
}

fn step(shown: &mut Shown, text: &str) {
    println!("\n\x1b[1m{text}\x1b[0m");
    shown.lines.push(text.to_owned());
}

fn said(shown: &mut Shown, run: &Run) {
    for line in run.output.lines().filter(|line| !line.starts_with("board: end")) {
        println!("  | {line}");
        shown.lines.push(format!("  {line}"));
    }
}

fn check(what: &str, holds: bool) -> Result<()> {
    if holds {
        println!("  ok: {what}");
        return Ok(());
    }
    bail!("this should have been so: {what}")
}

fn version(board: &Board) -> Result<String> {
    Ok(String::from_utf8_lossy(&board.read("/version.json").context("the board has no version.json")?)
        .into_owned())
}

/// The sample app in three versions, the last of which crashes.
fn app(version: &str) -> Result<App> {
    // Without the looks that chance makes before the app: the demo counts requests.
    let app = App::weather()?
        .replacing("lib/station.py", "\"1.0.0\"", &format!("\"{}\"", &version[1..]))
        .replacing("main.py", "updates.look)", "updates.look, reset=0, power=0, wake=0)");
    Ok(match version {
        "v1.0.0" => app,
        "v1.1.0" => app
            .replacing("lib/station.py", "%.1f C\"", "%.1f degrees\"")
            .replacing("settings.json", "greenhouse", "unknown")
            .with("lib/trend.py", "def trend(values):\n    return values[-1] - values[0]\n"),
        _ => app.replacing("lib/station.py", "self.settings[\"offset\"]", "self.settings[\"ofset\"]"),
    })
}

fn secrets(lines: &serde_json::Value) -> String {
    format!("CONFIG = {lines}\n").replace("null", "None").replace("true", "True")
}

/// The whole demo; an error at the first thing that is not as it should be.
pub fn run(_: &[String]) -> Result<()> {
    show().map(|_| ())
}

/// The same, and what it has shown.
pub fn show() -> Result<Shown> {
    let shown = &mut Shown::default();
    let micropython = MicroPython::find(Word::Bits64)?;
    let bench = Bench::new()?;
    let dir = tempfile::tempdir()?;

    step(shown, "1. A signing key, and three releases of a weather station");
    let key_path = dir.path().join("key");
    let line = keys::create(&key_path, "demo", None)?.line;
    let key = SigningKey::load(&key_path, &mut |_| Ok(String::new()))?;
    println!("  {line}");
    let release = |version: &str| -> Result<()> {
        let toml = "keep = [\"settings.json\"]".to_owned();
        bench.publish(&Release { key: Some(key.clone()), toml, ..Release::new(version, app(version)?) })?;
        println!("  {version} is released: manifest.json and {REPO}-{version}.pack");
        Ok(())
    };
    release("v1.0.0")?;

    step(shown, "2. A board: MicroPython with LittleFS, v1.0.0, its own settings, and the key it trusts");
    let mut server =
        Server::start(Options { asset_host: Some("localhost".into()), ..Options::new(bench.releases()) })?;
    let own = secrets(&json!({"base_url": server.base_url(), "keys": [line]}));
    let settings = br#"{"place": "attic", "offset": -0.5}"#;
    let board_files: [(&str, &[u8]); 2] = [("secrets.py", own.as_bytes()), ("settings.json", settings)];
    let board =
        Board::new(&micropython, FileSystem::Lfs, &bench.board_folder("v1.0.0", Agent::Mpy, &board_files)?)?;
    let run = board.run()?;
    said(shown, &run);
    check(
        "it runs v1.0.0, and finds nothing new",
        run.end == End::Sleep && run.output.contains("version 1.0.0"),
    )?;
    check("asking wrote nothing to the flash but its reading", !run.output.contains("fetching"))?;
    println!("  (the question took {} request)", server.requests().len());
    check("one request, no download", server.requests().len() == 1)?;

    step(shown, "3. v1.1.0 is released: fetched, checked, swapped in, tried, kept");
    release("v1.1.0")?;
    server.clear_requests();
    let before = server.connections();
    let run = board.run()?;
    said(shown, &run);
    check("it runs v1.1.0", run.output.contains("version 1.1.0"))?;
    check("the app confirmed it", version(&board)? == r#"{"version": "v1.1.0", "confirmed": true}"#)?;
    check(
        "its own settings are untouched, though the release has others",
        board.read("/settings.json")? == settings,
    )?;
    println!(
        "  (3 restarts to install: exchange, second look, trial; {} requests over {} connections, {} writes to flash)",
        server.requests().len(),
        server.connections() - before,
        run.writes
    );

    step(shown, "4. v1.2.0 crashes: tried once, undone, never tried again");
    release("v1.2.0")?;
    let run = board.run()?;
    said(shown, &run);
    check("it was tried", run.output.contains("trial of v1.2.0"))?;
    check("it crashed", run.output.contains("KeyError"))?;
    check("the board went back by itself", run.output.contains("back on v1.1.0"))?;
    check("it runs v1.1.0", version(&board)?.contains("v1.1.0"))?;
    let run = board.run()?;
    said(shown, &run);
    check("v1.2.0 is blocked", run.output.contains("not tried again") && !run.output.contains("trial"))?;
    server.stop();

    step(shown, "5. The same releases in a private repository; a board with a token, pinned to v1.1.0");
    let mut options = Options { asset_host: Some("localhost".into()), ..Options::new(bench.releases()) };
    options.token = Some(TOKEN.into());
    let server = Server::start(options)?;
    let own =
        secrets(&json!({"base_url": server.base_url(), "keys": [line], "token": TOKEN, "tag": "v1.1.0",
        "insecure_token_over_http": true}));
    let board_files: [(&str, &[u8]); 2] = [("secrets.py", own.as_bytes()), ("settings.json", settings)];
    let board =
        Board::new(&micropython, FileSystem::Lfs, &bench.board_folder("v1.0.0", Agent::Mpy, &board_files)?)?;
    let run = board.run()?;
    said(shown, &run);
    check(
        "it went to v1.1.0, not to the latest",
        version(&board)? == r#"{"version": "v1.1.0", "confirmed": true}"#,
    )?;
    let asked = server.requests();
    let private = format!("/repos/{OWNER}/{REPO}/releases/tags/v1.1.0");
    check(
        "it asked the API for that tag",
        asked.iter().any(|r| r.path.ends_with(&private) && r.authorization_present),
    )?;
    let storage: Vec<_> = asked.iter().filter(|r| r.host.starts_with("localhost")).collect();
    check("files came from the storage host", !storage.is_empty())?;
    check("which never saw the token", storage.iter().all(|r| !r.authorization_present))?;
    check("nothing that the board printed holds the token", !run.output.contains(TOKEN))?;

    println!("\nAll as it should be.");
    Ok(std::mem::take(shown))
}
