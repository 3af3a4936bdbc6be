//! `mpota verify NEW --against OLD`.

#![allow(clippy::unwrap_used, reason = "what cannot go on here is a failed test")]

mod common;

use common::{App, Run};
use mpota::release::compare::Difference;
use mpota::release::verify::VerifyOptions;
use mpota::remote::target::Target;
use mpota_format::manifest::Place;
use mpota_serve::{ListenerKind, Options, Server};
use mpota_vboard::bench::{Agent, App as Tiny, Bench, Release, config};
use mpota_vboard::{Board, FileSystem, MicroPython, Word};
use serde_json::{Value, json};

/// Two releases that differ in every way, in the layout that the server wants.
fn releases(plain: bool) -> App {
    let app = App::new();
    app.write("mpota.toml", "project = \"octo/weather\"\nexclude = [\"releases\"]\n");
    let plain = if plain { "--plain" } else { "" };
    app.write("lib/gone.py", "x = 1\n");
    app.write("assets/same.bin", [7; 5000]);
    app.run(&format!("build --version v1.0.0 {plain} --output releases/octo/weather/v1.0.0")).ok();
    app.remove("lib/gone.py");
    app.write("lib/new.py", "y = 2\n".repeat(100));
    app.append("main.py", "print('more')\n");
    app.run(&format!("build --version v1.1.0 {plain} --output releases/octo/weather/v1.1.0")).ok();
    app
}

const OLD: &str = "releases/octo/weather/v1.0.0";
const NEW: &str = "releases/octo/weather/v1.1.0";

fn difference(app: &App, arguments: &str) -> Value {
    let said = app.run(&format!("verify {arguments} --json")).ok();
    serde_json::from_str::<Value>(&said.out).unwrap()["against"].clone()
}

#[test]
fn files_added_changed_and_removed_are_told_and_what_is_fetched() {
    for plain in [false, true] {
        let app = releases(plain);
        let manifest =
            mpota::release::dist::read_manifest(&app.path(format!("{NEW}/manifest.json"))).unwrap();
        let stored = |path: &str| {
            let file = manifest.files.iter().find(|file| file.path == path).unwrap();
            if let Place::Packed { length, .. } = file.place { length } else { file.size }
        };
        let files = stored("lib/new.py") + stored("main.py");
        let size = app.read(&format!("{NEW}/manifest.json")).len();
        let said = difference(&app, &format!("{NEW} --against {OLD}"));
        let expected = json!({
            "against": OLD, "version": "v1.0.0", "newer": true,
            "added": ["lib/new.py"], "changed": ["main.py"], "removed": ["lib/gone.py"], "kept": [],
            "manifest": size, "files": files,
        });
        assert_eq!(said, expected);
        let table = app.run(&format!("verify {NEW} --against {OLD}")).ok().out;
        for line in ["added      lib/new.py", "changed    main.py", "removed    lib/gone.py"] {
            assert!(table.contains(line), "{table}");
        }
        let total = size as u64 + files;
        assert!(table.contains(&format!("fetch      {total} bytes: {size} of the manifest, {files} of")));
    }
}

#[test]
fn the_same_release_costs_its_manifest_only_and_an_older_one_is_warned_about() {
    let app = releases(false);
    let same = app.run(&format!("verify {NEW} --against {NEW}")).ok();
    assert!(same.out.contains(", 0 of files") && same.err.contains("v1.1.0 is not newer than v1.1.0"));
    let back = app.run(&format!("verify {OLD} --against {NEW}")).ok();
    assert!(back.out.contains("removed    lib/new.py"), "{}", back.out);
    assert!(back.err.contains("warning[verify::not_newer]: v1.0.0 is not newer than v1.1.0"), "{}", back.err);
}

#[test]
fn what_a_board_cannot_start_without_stays_on_it() {
    let app = App::new();
    let updater = |folder: &str| {
        let mut paths = Vec::new();
        for (name, content) in mpota_vboard::agent_files().unwrap() {
            paths.push(format!("{folder}{name}"));
            app.write(&paths[paths.len() - 1], content);
        }
        paths
    };
    let old = updater("lib/");
    app.run("build --version v1.0.0 --output old").ok();
    app.write("mpota.toml", "project = \"octo/weather\"\ninclude = [\"lib/util.py\"]\n");
    app.run("build --version v1.1.0 --output new").ok();
    let said = difference(&app, "new --against old");
    let sorted = |more: &[&str]| {
        let mut paths: Vec<&str> = old.iter().map(String::as_str).chain(more.iter().copied()).collect();
        paths.sort_by_key(|path| path.replace('/', "\0"));
        json!(paths)
    };
    assert_eq!(said["kept"], sorted(&["boot.py", "main.py"]));
    assert_eq!(said["removed"], json!([]));
    // The updater in another place: the old one goes.
    app.write("mpota.toml", format!("project = \"octo/weather\"\ninclude = {:?}\n", updater("")));
    app.run("build --version v1.1.0 --output newer").ok();
    let said = difference(&app, "newer --against old");
    assert_eq!(
        (&said["removed"], &said["kept"]),
        (&sorted(&["lib/util.py"]), &json!(["boot.py", "main.py"]))
    );
}

#[test]
fn both_may_be_a_folder_an_address_or_a_repository_and_private() {
    let app = releases(false);
    for token in [None, Some("t0ken")] {
        let options = Options { token: token.map(str::to_owned), ..Options::new(app.path("releases")) };
        let server = Server::start(options).expect("a server");
        let base = server.base_url();
        let url = format!("{base}/octo/weather/releases/download/v1.0.0");
        let mut pairs = vec![("octo/weather", "octo/weather@v1.0.0"), ("octo/weather@v1.1.0", OLD)];
        if token.is_none() {
            pairs.extend([(NEW, &*url), ("octo/weather", &url)]);
        }
        for (new, old) in pairs {
            let mut command = app.mpota(["verify", new, "--against", old, "--base-url", base]);
            command.env("MPOTA_TOKEN", token.unwrap_or("none")).env("PATH", "");
            let said = command.said().ok();
            assert!(said.out.contains("changed    main.py"), "{new} {old}: {}", said.out);
        }
        let mut command = app.mpota(["verify", NEW, "--against", "octo/rain", "--base-url", base]);
        command.env("PATH", "").said().refused(&["octo/rain"]);
    }
    app.run(&format!("verify {NEW} --against nothing")).refused(&["nothing", "hint: "]);
}

/// A board updates from one to the other, after these of its files were changed. What `verify --against`
/// has told, and the bytes of files that the board has fetched.
fn told_and_fetched(toml: &str, old: Tiny, new: Tiny, changed: &[(&str, &[u8])]) -> (Difference, u64) {
    let bench = Bench::new().expect("a bench");
    let release = |version: &str, app| Release { toml: toml.into(), ..Release::new(version, app) };
    bench.publish(&release("v1.0.0", old)).expect("v1.0.0");
    let server =
        Server::start(Options { asset_host: Some("localhost".into()), ..Options::new(bench.releases()) });
    let server = server.expect("a server");
    let config = config(&[("base_url", &format!("'{}'", server.base_url()))]);
    let own: [(&str, &[u8]); 2] = [("secrets.py", config.as_bytes()), ("settings.json", b"{}")];
    let folder = bench.board_folder("v1.0.0", Agent::Mpy, &own).expect("a board's files");
    let micropython = MicroPython::find(Word::Bits64).expect("MicroPython");
    let board = Board::new(&micropython, FileSystem::Lfs, &folder).expect("a board");
    for (path, content) in changed {
        board.write(&format!("/{path}"), content).expect("a file on the board");
    }
    bench.publish(&release("v1.1.0", new)).expect("v1.1.0");

    let mut options = VerifyOptions::new(Target::Folder(bench.release_dir("v1.1.0")));
    options.against = Some(Target::Folder(bench.release_dir("v1.0.0")));
    let told = mpota::release::verify::verify(&options).expect("a report").against.expect("a difference");

    let output = board.run().expect("the virtual board").output;
    assert!(output.contains("v1.1.0 is installed"), "not updated: {output}");
    let fetched =
        server.requests().into_iter().filter(|r| r.listener == ListenerKind::Asset && r.status != 404);
    // The board looks once more when the new version runs, and fetches nothing but the manifest.
    let fetched: Vec<(String, u64)> = fetched.map(|request| (request.path, request.bytes_sent)).collect();
    let manifests = fetched.iter().filter(|(_, bytes)| *bytes == told.manifest).count() as u64;
    assert!(manifests >= 1, "{fetched:?}");
    let sent = fetched.iter().map(|(_, bytes)| bytes).sum::<u64>() - manifests * told.manifest;
    let files =
        output.lines().find_map(|line| line.strip_prefix("ota I fetching ")?.split(' ').next()?.parse().ok());
    let files: u64 = files.unwrap_or_else(|| panic!("nothing is fetched: {output}"));
    // Gaps of up to 6 KB between them come along, as a request for each would cost more.
    assert!((files..files + 3 * 6144).contains(&sent), "{files} bytes of files, {sent} came");
    (told, files)
}

fn tiny(version: &str) -> Tiny {
    Tiny::tiny(version).expect("the template of boot.py")
}

#[test]
fn a_real_board_fetches_as_many_bytes_as_were_told() {
    let old = tiny("v1.0.0").with("lib/gone.py", "x = 1\n").with("data/same.bin", [7; 3000]);
    let new = tiny("v1.1.0").with("lib/new.py", "y = 2\n".repeat(300)).with("data/same.bin", [7; 3000]);
    let (told, fetched) = told_and_fetched("", old, new, &[]);
    assert!(told.files > 0 && told.added == ["lib/new.py"] && told.removed == ["lib/gone.py"], "{told:?}");
    assert_eq!(fetched, told.files);
}

#[test]
fn fault_60_a_board_with_settings_of_its_own_fetches_as_many_bytes_as_were_told() {
    let settings = |c: &str| c.repeat(99);
    let old = tiny("v1.0.0").with("conf.json", settings("1"));
    let new = tiny("v1.1.0").with("conf.json", settings("2")).with("conf.d/new.json", settings("n"));
    let same = tiny("v1.1.0").with("conf.json", settings("1"));
    let keep = "keep = [\"{conf.json,conf.d/**}\"]";
    let mine: [(&str, &[u8]); 1] = [("conf.json", b"mine")];
    let mut ran = 0;
    for (toml, new, changed, kept) in [
        (keep, &new, &[][..], &["conf.json"][..]),
        (keep, &new, &mine, &["conf.json"]),
        ("keep = [\"conf.json\"]", &same, &[], &["conf.json"]),
        ("keep = [\"conf.json\"]", &same, &mine, &["conf.json"]),
        ("", &new, &[], &[]),
        ("", &new, &mine, &[]),
        ("", &same, &[], &[]),
    ] {
        let (told, fetched) = told_and_fetched(toml, old.clone(), new.clone(), changed);
        assert_eq!(told.kept, kept, "{toml} {changed:?}");
        assert_eq!(fetched, told.files, "{toml} {changed:?}");
        ran += 1;
    }
    // What is not kept, and is the same in both releases, is fetched by those boards on which it was changed:
    // that `verify` cannot know, and so it says so.
    let (told, fetched) = told_and_fetched("", old, same, &mine);
    let conf = mpota_format::pack::compress(settings("1").as_bytes(), true).expect("a packed file");
    assert_eq!(fetched, told.files + conf.len() as u64);
    ran += 1;
    println!("  cases {ran}: updates of which verify has told the bytes");
    assert_eq!(ran, 8);
}
