//! Releases with their modules compiled: which form a board takes, and that no module lies there in two.

#![allow(clippy::unwrap_used, reason = "these are tests")]

mod common;

use common::{World, app_tree, confirmed, new_key, run, text, tiny, version};
use mpota_vboard::bench::{App, Release};
use mpota_vboard::{Board, FileSystem};

/// Every firmware of the tests loads these.
const LOADS: &str = "[mpy]\nversions = [6]\n";
const ALL: &str = "[mpy]\nversions = [5, 6]\n";
/// And none of them these, which are for MicroPython before 1.19.
const OTHER: &str = "[mpy]\nversions = [5]\n";

fn app(version: &str) -> App {
    tiny(version).with("lib/extra.py", format!("def here():\n    return {version:?}\n"))
}

fn publish(world: &World, version: &str, toml: &str, app: App) {
    world.bench.publish(&Release { toml: toml.into(), ..Release::new(version, app) }).unwrap();
}

/// The modules of the app, without the updater's.
fn modules(board: &Board) -> Vec<String> {
    let ours = |path: &String| path.starts_with("/lib/ota_") || path.starts_with("/lib/mpota");
    let paths = app_tree(board).into_keys().filter(|path| !ours(path) && path != "/secrets.py");
    paths.filter(|path| path.ends_with("py")).collect()
}

const SOURCE: [&str; 5] = ["/app.py", "/boot.py", "/lib/extra.py", "/lib/util.py", "/main.py"];
const COMPILED: [&str; 5] = ["/app.mpy", "/boot.py", "/lib/extra.mpy", "/lib/util.mpy", "/main.py"];

#[test]
fn a_board_takes_the_form_that_it_loads_and_no_module_lies_there_twice() {
    let mut ran = 0;
    for (plain, private, signed, file_system) in [
        (false, false, false, FileSystem::Lfs),
        (false, false, true, FileSystem::Fat),
        (true, false, false, FileSystem::Lfs),
        (false, true, true, FileSystem::Lfs),
        (true, true, false, FileSystem::Fat),
    ] {
        let about = format!("plain {plain}, private {private}, signed {signed}");
        let dir = tempfile::tempdir().unwrap();
        let (line, key) = new_key(&dir, "release");
        let mut world = World::with(|options| options.token = private.then(|| "tkn-123".into()));
        if private {
            world.set("token", "'tkn-123'");
            world.set("insecure_token_over_http", "True");
        }
        if signed {
            world.set("keys", &format!("['{line}']"));
        }
        world.file_system = file_system;
        let publish = |version: &str, toml: &str| {
            let key = signed.then(|| key.clone());
            let release = Release { toml: toml.into(), key, plain, ..Release::new(version, app(version)) };
            world.bench.publish(&release).unwrap();
        };
        let board = world.board();
        for (next, toml, expected) in [
            ("v1.1.0", LOADS, COMPILED),
            ("v1.2.0", ALL, COMPILED),
            ("v1.3.0", OTHER, SOURCE),
            ("v1.4.0", LOADS, COMPILED),
            ("v1.5.0", "", SOURCE),
        ] {
            publish(next, toml);
            let log = run(&board).output;
            assert!(log.contains(&format!("app {next}")), "{about}: {log}");
            assert_eq!(version(&board), confirmed(next), "{about}");
            assert_eq!(modules(&board), expected, "{about}: {next}");
            ran += 1;
        }
    }
    println!("  cases {ran}: releases in a form");
    assert_eq!(ran, 25);
}

#[test]
fn an_undo_brings_the_other_form_back() {
    let mut ran = 0;
    for (before, after) in [("", LOADS), (LOADS, "")] {
        let world = World::new();
        publish(&world, "v1.1.0", before, app("v1.1.0"));
        let board = world.board();
        run(&board);
        let tree = app_tree(&board);
        publish(&world, "v1.2.0", after, app("v1.2.0").with("app.py", "1 / 0\n"));
        let log = run(&board).output;
        assert!(log.contains("v1.2.0") && log.contains("ZeroDivisionError"), "{log}");
        assert_eq!(version(&board), confirmed("v1.1.0"), "{log}");
        assert_eq!(app_tree(&board), tree);
        ran += 1;
    }
    println!("  cases {ran}: forms that are undone");
    assert_eq!(ran, 2);
}

#[test]
fn a_module_of_the_owner_that_hides_one_of_the_release_goes_and_a_copy_of_it_stays() {
    let mut ran = 0;
    for crashes in [false, true] {
        let world = World::new();
        publish(&world, "v1.1.0", LOADS, app("v1.1.0"));
        let board = world.board();
        run(&board);
        board.write("/lib/extra.py", b"# mine\n").unwrap();
        board.write("/lib/own.py", b"# nobody else has it\n").unwrap();
        let tree = app_tree(&board);
        let next = app("v1.2.0").with("lib/also.py", "#\n");
        publish(&world, "v1.2.0", LOADS, if crashes { next.with("app.py", "1 / 0\n") } else { next });
        let log = run(&board).output;
        assert!(log.contains("W lib/extra.py was changed on the board, and is removed; a copy is"), "{log}");
        assert_eq!(text(&board, "/.ota/kept/0-extra.py"), "# mine\n");
        if crashes {
            assert_eq!(app_tree(&board), tree, "{log}");
        } else {
            assert_eq!(version(&board), confirmed("v1.2.0"), "{log}");
            let there = modules(&board);
            assert!(
                !there.contains(&"/lib/extra.py".into()) && there.contains(&"/lib/own.py".into()),
                "{there:?}"
            );
        }
        ran += 1;
    }
    println!("  cases {ran}: modules in the way");
    assert_eq!(ran, 2);
}

/// Have the channel `beta` name this version.
fn promote(world: &World, version: &str) {
    let release = world.bench.release_dir(version);
    let channel = release.with_file_name("beta");
    std::fs::create_dir_all(&channel).unwrap();
    std::fs::copy(release.join("manifest.json"), channel.join("manifest.json")).unwrap();
}

#[test]
fn a_channel_with_nothing_new_and_a_repair_know_the_form_that_is_installed() {
    let mut ran = 0;
    for repair in [false, true] {
        for compiled in [false, true] {
            let mut world = World::new();
            world.set("channel", "'beta'");
            world.set("repair", if repair { "True" } else { "False" });
            world.bench.withdraw("v1.0.0").unwrap();
            publish(&world, "v1.0.0", LOADS, app("v1.0.0"));
            promote(&world, "v1.0.0");
            // Laid out as `mpota install --dir` does, which knows of no board.
            let board = world.board();
            let (now, module) =
                if compiled { ("v1.1.0", "/lib/extra.mpy") } else { ("v1.0.0", "/lib/extra.py") };
            if compiled {
                publish(&world, now, LOADS, app(now));
                promote(&world, now);
                run(&board);
            }
            assert_eq!(version(&board), confirmed(now));
            let tree = app_tree(&board);
            assert!(tree.contains_key(module), "{tree:?}");
            let asked = world.server.requests().len();
            let log = run(&board).output;
            assert!(!log.contains("refused") && !log.contains("changed"), "{log}");
            assert_eq!(app_tree(&board), tree, "{log}");
            assert!(world.server.requests().len() > asked);
            if repair {
                board.write(module, b"no module").unwrap();
                let log = run(&board).output;
                assert_eq!(app_tree(&board), tree, "{log}");
            }
            ran += 1;
        }
    }
    println!("  cases {ran}: forms that are installed");
    assert_eq!(ran, 4);
}

#[test]
fn a_manifest_of_another_version_in_the_place_of_the_compiled_one_is_refused() {
    let world = World::new();
    publish(&world, "v1.1.0", LOADS, app("v1.1.0"));
    publish(&world, "v1.2.0", LOADS, app("v1.2.0"));
    let [from, to] =
        ["v1.1.0", "v1.2.0"].map(|version| world.bench.release_dir(version).join("manifest-mpy-6.json"));
    let good = std::fs::read(&to).unwrap();
    let board = world.board();
    let mut ran = 0;
    for (bytes, said) in [
        (Some(std::fs::read(from).unwrap()), "release v1.2.0 has a manifest of v1.1.0"),
        (Some(b"<html>".to_vec()), "sends a web page, not a release"),
        (None, "not found: manifest-mpy-6.json in release v1.2.0"),
    ] {
        match bytes {
            Some(bytes) => std::fs::write(&to, bytes).unwrap(),
            None => std::fs::remove_file(&to).unwrap(),
        }
        let log = run(&board).output;
        assert!(log.contains(said), "{log}");
        assert_eq!(version(&board), confirmed("v1.0.0"), "{log}");
        ran += 1;
    }
    std::fs::write(&to, good).unwrap();
    run(&board);
    assert_eq!(version(&board), confirmed("v1.2.0"));
    println!("  cases {ran}: compiled forms that are none");
    assert_eq!(ran, 3);
}
