//! `mpota install PORT`, `mpota status PORT`: the real mpremote, a pseudo terminal, and a board whose flash is
//! a real file system.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "what cannot go on here is a failed test")]

mod common;

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::OnceLock;

use common::{App, Run, Said};
use mpota::board::updater::Form;
use mpota_format::journal::{Record, State, newest};
use mpota_vboard::bench::{self, Agent, Bench, Release};
use mpota_vboard::wire::Wire;
use mpota_vboard::{Board, FileSystem, MicroPython, Word, clients};

/// A board with these files and nothing else.
fn board(files: &[(&str, &[u8])]) -> Board {
    board_of(1 << 20, files)
}

fn board_of(size: u64, files: &[(&str, &[u8])]) -> Board {
    let folder = tempfile::tempdir().unwrap();
    for (path, content) in files {
        bench::write_file(&folder.path().join(path), content).unwrap();
    }
    let micropython = MicroPython::find(Word::Bits64).unwrap();
    Board::with_size(&micropython, FileSystem::Lfs, size, folder.path()).unwrap()
}

/// A release of the smallest app, in `dist` of an app's folder.
fn released(version: &str) -> App {
    let app = App::empty();
    app.write("mpota.toml", "project = \"octo/weather\"\ninclude = [\"**\"]\nexclude = [\"mpota-*/**\"]\n");
    // It does not sleep: mpremote cannot wake a board.
    let tiny = bench::App::tiny(version).unwrap().replacing("main.py", "machine.deepsleep(1)\n", "");
    for (path, content) in &tiny.0 {
        app.write(path, content);
    }
    app.run(&format!("build --version {version} --allow-no-updater")).ok();
    app
}

/// The folder that mpremote lies in.
fn mpremote() -> PathBuf {
    // Installed with the first use, by one of the tests.
    static HOME: OnceLock<PathBuf> = OnceLock::new();
    let find = || {
        let command = clients::mpremote().unwrap();
        let home = command.get_envs().find(|(key, _)| *key == "PYTHONPATH").and_then(|(_, value)| value);
        home.unwrap().into()
    };
    HOME.get_or_init(find).clone()
}

/// `mpota` with mpremote in its `PATH`, at the board's port.
fn mpota(app: &App, wire: &Wire, arguments: &str) -> Said {
    let home = mpremote();
    let program = wire.folder().join("mpremote");
    let script = format!("#!/bin/sh\nPYTHONPATH={} exec python3 -m mpremote \"$@\"\n", home.display());
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", wire.folder().display(), std::env::var("PATH").unwrap());
    app.mpota(arguments.replace("PORT", wire.port()).split_whitespace()).env("PATH", path).said()
}

fn text(board: &Board, path: &str) -> String {
    String::from_utf8(board.read(path).unwrap()).unwrap()
}

fn record(board: &Board) -> Record {
    let [a, b] = [0, 1].map(|at| board.read(&format!("/.ota/state.{at}")).ok());
    newest(a.as_deref(), b.as_deref()).unwrap()
}

/// The updater and the release lie there, and nothing is left of the way there.
fn is_installed(board: &Board, version: &str) {
    let tree = board.tree().unwrap();
    for (name, content) in Form::Compiled.contents() {
        let (size, _) = tree[&format!("/lib/{name}")].clone().unwrap();
        assert_eq!(size, content.len() as u64, "{name}");
    }
    assert_eq!(text(board, "/app.py"), format!("V = '{version}'\n"));
    let record = record(board);
    assert_eq!((record.state, record.version.as_str()), (State::Idle, version));
    let left = ["/.ota/put", "/.ota/new", "/.ota/old"];
    assert!(!tree.keys().any(|path| left.iter().any(|l| path.starts_with(l))), "{:?}", tree.keys());
    assert!(tree.contains_key("/ota_ca/isrg-root-x1.der"), "{:?}", tree.keys());
}

/// Nobody is at this address.
const SECRETS: &str = "CONFIG = {'owner': 'octo', 'repo': 'weather', 'base_url': 'http://127.0.0.1:9'}\n";

#[test]
fn a_fresh_board_runs_the_release_and_takes_the_next_one() {
    let board = board(&[("secrets.py", SECRETS.as_bytes())]);
    let app = released("v1.0.0");
    let wire = Wire::start(&board).unwrap();
    let said = mpota(&app, &wire, "install PORT --dry-run").ok();
    assert!(
        said.out.contains("put lib/mpota/http.mpy") && said.err.contains("nothing was written"),
        "{}",
        said.out
    );
    assert!(!wire.log().contains("/.ota/put"), "a dry run writes nothing");
    let said = mpota(&app, &wire, "install PORT").ok();
    assert!(said.out.contains("state: idle\n") && said.out.contains("version: v1.0.0\n"), "{}", said.out);
    assert!(!said.out.contains("replace") && !said.err.contains("secrets.py"), "{}{}", said.out, said.err);
    let said = mpota(&app, &wire, "status PORT --json").ok();
    let status: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(status["state"], "idle");
    assert_eq!(status["version"], "v1.0.0");
    assert_eq!(status["says"], "v1.0.0 is installed");
    assert_eq!(status["updater"], env!("CARGO_PKG_VERSION"));
    assert!(
        status["flash_free"].as_u64().unwrap() > 100_000 && status["memory_free"].as_u64().unwrap() > 10_000
    );
    // Done again it changes nothing.
    let before = wire.log().matches("os.rename").count();
    let said = mpota(&app, &wire, "install PORT --json").ok();
    let done: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((&done["replaced"], &done["put"]), (&serde_json::json!([]), &serde_json::json!([])), "{done}");
    assert!(
        done["same"].as_u64() > Some(20) && done["written"] == true && done["copies"].is_null(),
        "{done}"
    );
    assert!(done["status"]["version"] == "v1.0.0" && done["version"] == "v1.0.0", "{done}");
    assert_eq!(wire.log().matches("os.rename").count(), before);
    drop(wire);
    is_installed(&board, "v1.0.0");
    assert_eq!(text(&board, "/secrets.py"), SECRETS);
    update(&board);
}

/// An update runs on a board that was set up like this.
fn update(board: &Board) {
    let bench = Bench::new().unwrap();
    for version in ["v1.0.0", "v1.1.0"] {
        bench.publish(&Release::new(version, bench::App::tiny(version).unwrap())).unwrap();
    }
    let server = mpota_serve::Server::start(mpota_serve::Options {
        asset_host: Some("localhost".into()),
        ..mpota_serve::Options::new(bench.releases())
    })
    .unwrap();
    let secrets = bench::config(&[("base_url", &format!("'{}'", server.base_url()))]);
    board.write("/secrets.py", secrets.as_bytes()).unwrap();
    let run = board.run().unwrap();
    assert!(run.output.contains("app v1.1.0 trial"), "{}", run.output);
    let record = record(board);
    assert_eq!((record.state, record.version.as_str()), (State::Idle, "v1.1.0"), "{}", run.output);
}

#[test]
fn what_the_owner_has_on_a_used_board_is_copied_first() {
    let mine: [(&str, &[u8]); 7] = [
        ("boot.py", b"import gc\nprint('my own line')\ngc.collect()\n"),
        ("main.py", b"print('my app')\nimport time\nwhile True:\n    time.sleep(1)\n"),
        ("app.mpy", b"M\x06 an older form"),
        ("data.txt", b"precious"),
        ("settings.json", b"{\"mine\": 1}"),
        ("lib/ota_updater.py", b"# an older updater\n"),
        ("secrets.py", SECRETS.as_bytes()),
    ];
    let board = board(&mine);
    let app = released("v1.0.0");
    app.remove("boot.py");
    app.write("settings.json", "{}");
    app.append("mpota.toml", "keep = [\"settings.json\"]\n");
    app.run("build --version v1.0.0 --allow-no-updater").ok();
    let wire = Wire::start(&board).unwrap();
    let said = mpota(&app, &wire, "install PORT --copies copies").ok();
    for line in [
        "replace main.py\n",
        "replace boot.py",
        "remove app.mpy",
        "remove lib/ota_updater.py",
        "keep settings.json\n",
    ] {
        assert!(said.out.contains(line), "no {line:?} in {}", said.out);
    }
    for (path, content) in &mine {
        let copied = ["boot.py", "main.py", "app.mpy", "lib/ota_updater.py"].contains(path);
        assert_eq!(app.path("copies").join(path).exists(), copied, "{path}");
        assert!(!copied || app.read(&format!("copies/{path}")) == *content, "{path}");
    }
    assert!(wire.log().contains("my own line"), "the owner's boot.py runs on");
    drop(wire);
    is_installed(&board, "v1.0.0");
    for path in ["data.txt", "settings.json", "secrets.py"] {
        let (_, content) = mine.iter().find(|(name, _)| *name == path).unwrap();
        assert_eq!(board.read(&format!("/{path}")).unwrap(), *content, "{path}");
    }
    let boot = text(&board, "/boot.py");
    assert!(boot.starts_with("# The updater's guard.") && boot.ends_with("\ngc.collect()\n"), "{boot}");
    assert!(!board.tree().unwrap().contains_key("/app.mpy"));
    update(&board);
}

#[test]
fn an_update_that_is_under_way_is_given_up() {
    let bench = Bench::new().unwrap();
    for version in ["v0.1.0", "v0.2.0"] {
        bench.publish(&Release::new(version, bench::App::tiny(version).unwrap())).unwrap();
    }
    let server = mpota_serve::Server::start(mpota_serve::Options {
        asset_host: Some("localhost".into()),
        ..mpota_serve::Options::new(bench.releases())
    })
    .unwrap();
    let secrets = bench::config(&[("base_url", &format!("'{}'", server.base_url()))]);
    let folder = bench.board_folder("v0.1.0", Agent::Py, &[("secrets.py", secrets.as_bytes())]).unwrap();
    let micropython = MicroPython::find(Word::Bits64).unwrap();
    let app = released("v1.0.0");
    let mut ran = 0;
    for state in [State::Staged, State::Trial] {
        let mut board = Board::new(&micropython, FileSystem::Lfs, &folder).unwrap();
        board.run_with(&serde_json::json!({"boots": 1})).unwrap();
        board.set("wifi", false.into());
        for _ in 0..6 {
            if record(&board).state == state {
                break;
            }
            board.run_with(&serde_json::json!({"boots": 1})).unwrap();
        }
        assert_eq!(record(&board).state, state);
        // The app would sleep: the board is caught at its prompt.
        board.write("/main.py", b"print('at the prompt')\n").unwrap();
        let wire = Wire::start(&board).unwrap();
        let said = mpota(&app, &wire, "install PORT").ok();
        assert!(said.err.contains("an update is under way"), "{}", said.err);
        assert!(said.out.contains("version: v1.0.0\n"), "{}", said.out);
        drop(wire);
        is_installed(&board, "v1.0.0");
        ran += 1;
    }
    println!("  cases {ran}: boards that were in the middle of an update");
    assert_eq!(ran, 2);
}

#[test]
fn a_full_flash_is_told_before_anything_is_written() {
    let ballast = vec![7_u8; 330 << 10];
    let board = board_of(400 << 10, &[("data.bin", &ballast), ("main.py", b"print('mine')\n")]);
    let before = board.tree().unwrap();
    let app = released("v1.0.0");
    let wire = Wire::start(&board).unwrap();
    mpota(&app, &wire, "install PORT").refused(&["flash is too full", "bytes are needed", "mpremote fs rm"]);
    drop(wire);
    assert_eq!(board.tree().unwrap(), before);
    assert_eq!(app.names().iter().filter(|name| name.starts_with("mpota-copies")).count(), 0);
}

#[test]
fn an_interrupted_installation_is_finished_by_the_next_one() {
    let app = released("v1.0.0");
    let main: &[u8] = b"print('mine')\n";
    let mut cuts = 0;
    let after = [
        "hashes(",                                                 // the look
        "main.py','rb')",                                          // the copy of what is there
        "put/lib/mpota/http.mpy','wb')",                           // the files come
        "check(\"lib/mpota/http.mpy\"",                            // they are checked
        "place(", // they are put in their places: none of them,
        "\"lib/mpota/inflate.mpy\", \"lib/mpota/manifest.mpy\", ", // some,
        "\"version.json\", ", // all but the last
        "for name in (\"new\"", // what is left over is removed
        "ota_updater.status()", // the restart
    ];
    for after in after {
        let board = board(&[("main.py", main), ("secrets.py", SECRETS.as_bytes())]);
        let wire = Wire::cut(&board, after).unwrap();
        let said = mpota(&app, &wire, "install PORT --copies first");
        println!("  cut after {after:?}: {}", said.err.lines().last().unwrap_or_default());
        assert_eq!(said.code, 1, "{after}: {}{}", said.out, said.err);
        drop(wire);
        let run = board.run().unwrap();
        assert!(run.output.contains("mine") || run.output.contains("app v1.0.0"), "{after}: {}", run.output);
        let wire = Wire::start(&board).unwrap();
        mpota(&app, &wire, "install PORT --copies second").ok();
        drop(wire);
        is_installed(&board, "v1.0.0");
        assert_eq!(text(&board, "/secrets.py"), SECRETS);
        let copies = ["first/main.py", "second/main.py"].map(|path| std::fs::read(app.path(path)).ok());
        assert!(copies.iter().flatten().any(|copy| copy == main), "{after}: the owner's file is lost");
        for folder in ["first", "second"] {
            let _ = std::fs::remove_dir_all(app.path(folder));
        }
        cuts += 1;
    }
    println!("  cases {cuts}: interrupted installations");
    assert_eq!(cuts, 9);
}

#[test]
fn no_board_and_no_mpremote_are_told_with_the_next_step() {
    let app = released("v1.0.0");
    let board = board(&[]);
    let wire = Wire::start(&board).unwrap();
    for command in ["install", "status"] {
        mpota(&app, &wire, &format!("{command} /dev/ttyNONE"))
            .refused(&["no board at /dev/ttyNONE", "mpremote devs"]);
        app.mpota([command, "a0"])
            .env("PATH", "/nonexistent")
            .said()
            .refused(&["mpremote is not installed", "pipx install mpremote"]);
    }
    // A board without an updater has a status too.
    let said = mpota(&app, &wire, "status PORT").ok();
    assert!(said.out.contains("state: none") && said.out.contains("updater: none"), "{}", said.out);
}

#[test]
fn the_doctor_names_what_is_wrong_and_the_next_step() {
    let board = board(&[]);
    let app = App::new();
    app.commit_all();
    let wire = Wire::plain(&board).unwrap();
    let said = mpota(&app, &wire, "doctor PORT --json");
    assert_eq!(said.code, 1, "{}", said.err);
    let found: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    let of = |what: &str| found.as_array().unwrap().iter().find(|f| f["what"] == what).unwrap().clone();
    for (what, ok, next) in [
        ("mpota.toml", true, ""),
        ("files", true, ""),
        ("key", true, ""),
        ("token", false, "gh auth login"),
        ("workflow", true, ""),
        ("tag", false, "git tag v1.0.0"),
        ("board", true, ""),
        ("updater", false, "mpota install /dev/"),
        ("secrets.py", false, "mpremote fs cp"),
    ] {
        let finding = of(what);
        assert_eq!(finding["ok"], ok, "{finding}");
        assert!(finding["next"].as_str().unwrap().starts_with(next), "{finding}");
    }
    // All of it done, all of it is right.
    app.write(".github/workflows/release.yml", "permissions:\n  contents: write\nuses: octo/mpota\n");
    app.git("add -A");
    app.git("commit -q -m more");
    app.git("tag v1.0.0");
    board_ready(&app, &wire);
    let said = mpota(&app, &wire, "doctor PORT").ok();
    assert!(!said.out.contains("wrong"), "{}", said.out);
    let said = mpota(&app, &wire, "doctor /dev/ttyNONE");
    assert!(said.code == 1 && said.out.contains("wrong board: no board at"), "{}", said.out);
    app.write("mpota.toml", "project = 1\n");
    let said = mpota(&app, &wire, "doctor");
    assert!(said.code == 1 && said.out.contains("wrong mpota.toml"), "{}", said.out);
}

fn board_ready(app: &App, wire: &Wire) {
    app.run("build --version v1.0.0").ok();
    mpota(app, wire, "install PORT").ok();
    let secrets = app.path("secrets.py");
    std::fs::write(&secrets, SECRETS).unwrap();
    let mut copy = clients::mpremote().unwrap();
    copy.args(["-m", "mpremote", "connect", wire.port(), "resume", "fs", "cp"]);
    copy.arg(&secrets).arg(":secrets.py").said().ok();
    std::fs::remove_file(secrets).unwrap();
}
