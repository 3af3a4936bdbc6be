//! The rules that other updaters broke, each as a test of its own.

#![allow(clippy::unwrap_used, reason = "these are tests")]

mod common;

use common::{SETTINGS, World, app_tree, confirmed, run, run_fast, text, tiny};
use mpota_vboard::End;
use serde_json::json;

#[test]
fn at_no_cut_does_version_json_confirm_what_is_not_there_whole_and_data_is_untouched() {
    let world = World::new();
    let new = tiny("v1.1.0")
        .with("lib/new/x.py", "#\n")
        .with("lib/util.py", "# other helpers\n")
        .without("assets/logo.bin");
    world.publish("v1.1.0", new);
    let board = world.board();
    board.write("/readings.csv", b"1,2,3\n").unwrap();
    let before = std::fs::read(board.image()).unwrap();
    let old_tree = app_tree(&board);
    let whole = run(&board);
    assert!(whole.output.contains("v1.1.0 is installed"), "{}", whole.output);
    let new_tree = app_tree(&board);
    let (mut ran, mut told) = (0, 0);
    for cut in 1..=whole.writes {
        std::fs::write(board.image(), &before).unwrap();
        let torn = [0, 40, 255][cut as usize % 3];
        assert_eq!(
            board.run_with(&json!({"cut": cut, "torn": torn})).unwrap().end,
            End::PowerLost,
            "cut {cut}"
        );
        let tree = app_tree(&board);
        let version = board.read("/version.json").unwrap();
        if String::from_utf8_lossy(&version).contains("\"v1.1.0\", \"confirmed\": true") {
            assert_eq!(tree, new_tree, "cut {cut}");
            told += 1;
        } else if tree != new_tree {
            assert!(
                !String::from_utf8_lossy(&version).contains("v1.1.0")
                    || tree["/app.py"] == new_tree["/app.py"]
            );
        }
        assert_eq!(board.read("/settings.json").unwrap(), SETTINGS, "cut {cut}");
        assert_eq!(board.read("/readings.csv").unwrap(), b"1,2,3\n", "cut {cut}");
        for (path, was) in &old_tree {
            assert!(
                tree.contains_key(path) || !new_tree.contains_key(path) || was.is_none(),
                "cut {cut}: {path}"
            );
        }
        ran += 1;
    }
    println!("  cases {ran}: cuts, {told} of them after the version was written");
    assert!(ran > 50 && told > 2 && told < ran / 3, "{ran} {told}");
}

#[test]
fn nothing_is_deleted_unless_the_undo_is_complete() {
    let world = World::new();
    let bad = tiny("v1.1.0")
        .with("app.py", "V = 1 / 0\n")
        .with("lib/util.py", "# other helpers\n")
        .with("added.py", "#\n");
    world.publish("v1.1.0", bad);
    let board = world.board();
    let before = app_tree(&board);
    // Staged, installed, tried and given up; the undo would be next.
    board.run_with(&json!({"boots": 3})).unwrap();
    let helpers = "# helpers\n".repeat(40);
    let saved: Vec<String> =
        board.tree().unwrap().into_keys().filter(|p| p.starts_with("/.ota/old/")).collect();
    let backup =
        saved.iter().find(|p| board.read(p).unwrap() == helpers.as_bytes()).expect("a backup of lib/util.py");
    board.write(backup, b"# damaged\n").unwrap();
    let log = board.run_with(&json!({"wifi": false})).unwrap().output;
    assert!(log.contains("backup is damaged: lib/util.py") && log.contains("app v1.0.0"), "{log}");
    let tree = board.tree().unwrap();
    for path in &saved {
        // What was put back whole was moved there; the rest still lies in its place.
        let number = path.rsplit('/').next().unwrap();
        assert!(
            tree.contains_key(path) || number != backup.rsplit('/').next().unwrap(),
            "{path} was deleted: {log}"
        );
    }
    assert!(tree.contains_key("/lib/util.py"), "a file without a backup stays as it is");
    // The next release heals it.
    world.publish("v1.2.0", tiny("v1.0.0").with("new.txt", "1"));
    assert!(run(&board).output.contains("got lib/util.py"));
    let mut healed = app_tree(&board);
    healed.remove("/new.txt");
    assert_eq!(healed, before);
}

#[test]
fn unchanged_is_decided_on_the_installed_file() {
    let world = World::new();
    let helpers = "# helpers\n".repeat(40);
    world.publish("v1.1.0", tiny("v1.1.0"));
    let board = world.board();
    // Of the same size, and one letter different: no record says so.
    board.write("/lib/util.py", helpers.replacen("help", "hemp", 1).as_bytes()).unwrap();
    let log = run(&board).output;
    assert!(log.contains("got lib/util.py") && log.contains("v1.1.0 is installed"), "{log}");
    assert_eq!(text(&board, "/lib/util.py"), helpers);
}

#[test]
fn files_and_folders_that_were_new_in_an_undone_release_are_gone() {
    let world = World::new();
    let bad = tiny("v1.1.0")
        .with("main.py", "raise ValueError\n")
        .with("added.py", "#\n")
        .with("new/deep/a.txt", "1")
        .with("new/b.txt", "2")
        .without("assets/logo.bin")
        .with("assets/logo.bin/part", "1");
    world.publish("v1.1.0", bad);
    let board = world.board();
    let before = app_tree(&board);
    let log = run_fast(&board, 2).output;
    assert!(log.contains("trial of v1.1.0") && log.contains("back on v1.0.0"), "{log}");
    assert_eq!(app_tree(&board), before);
    assert_eq!(common::version(&board), confirmed("v1.0.0"));
}
