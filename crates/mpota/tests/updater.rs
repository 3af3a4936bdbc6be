//! `mpota updater`: what it writes, and what it leaves alone.

#![allow(clippy::unwrap_used, reason = "what cannot go on here is a failed test")]

mod common;

use std::collections::BTreeSet;

use common::App;
use mpota_vboard::{agent_files, bench::compiled_agent, repository};

const OWN: [&str; 5] = ["boot.py", "main.py", "updates.py", "wifi.py", "app.py"];

/// The files below `lib/`.
fn lib(app: &App) -> BTreeSet<String> {
    let (mut found, mut folders) = (BTreeSet::new(), vec![String::new()]);
    while let Some(prefix) = folders.pop() {
        for entry in std::fs::read_dir(app.path("board/lib").join(&prefix)).unwrap().flatten() {
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            if entry.path().is_dir() {
                folders.push(name + "/");
            } else {
                found.insert(name);
            }
        }
    }
    found
}

#[test]
fn both_forms_are_written_whole_with_an_app_and_again_without_a_change() {
    let (sources, compiled) = (agent_files().unwrap(), compiled_agent().unwrap());
    let mut ran = 0;
    for (option, files) in [("", &sources), ("--mpy", compiled)] {
        let app = App::empty();
        for turn in 0..2 {
            let said = app.run(&format!("updater board {option} --project octo/rain --life runs")).ok();
            assert!(!said.err.contains("replaced") && !said.err.contains("removed"), "{turn}: {}", said.err);
            assert_eq!(said.err.matches("wrote ").count(), if turn == 0 { 5 } else { 0 }, "{}", said.err);
            for (name, content) in files {
                assert!(app.read(&format!("board/lib/{name}")) == *content, "{option} {name}");
                ran += 1;
            }
            assert_eq!(lib(&app), files.iter().map(|(name, _)| name.clone()).collect());
            assert!(OWN.iter().all(|name| app.path("board").join(name).exists()));
        }
        assert!(app.text("board/updates.py").contains("\"repo\": \"rain\""));
        let runs = repository().join("device/template/runs/app.py");
        assert_eq!(app.text("board/app.py"), std::fs::read_to_string(runs).unwrap());
    }
    println!("  cases {ran}: files of the updater, written twice");
    assert_eq!(ran, 2 * (sources.len() + compiled.len()));
}

#[test]
fn what_is_there_stays_or_is_named() {
    let other = b"print('another updater')\n";
    // What lies there, in which form the updater comes, and what becomes of it with --force.
    let cases = [
        ("lib/ota_updater.py", "", "replaced"),
        ("lib/mpota/http.py", "", "replaced"),
        ("lib/ota_updater.mpy", "--mpy", "replaced"),
        ("lib/ota_updater.mpy", "", "removed"),
        ("lib/ota_updater.py", "--mpy", "removed"),
        ("lib/mpota/http.py", "--mpy", "removed"),
        ("ota_updater.py", "", "removed"),
        ("ota_updater.mpy", "--mpy", "removed"),
        ("mpota/http.py", "--mpy", "removed"),
    ];
    for (path, option, what) in cases {
        let app = App::empty();
        app.write(&format!("board/{path}"), other);
        let said = app.run(&format!("updater board {option}")).refused(&[path, "1 file", "--force"]);
        assert!(!said.err.contains("wrote"), "{}", said.err);
        assert_eq!(app.read(&format!("board/{path}")), other, "{path}");
        assert!(!app.path("board/boot.py").exists() && !app.path("board/lib/ota_swap.py").exists());
        let said = app.run(&format!("updater board {option} --force")).ok();
        assert_eq!(said.err.matches(what).count(), 1, "{path} {option}: {}", said.err);
        assert!(said.err.contains(path), "{}", said.err);
        let read = std::fs::read(app.path("board").join(path));
        assert!(if what == "removed" { read.is_err() } else { read.unwrap() != other }, "{path} {option}");
        app.run(&format!("updater board {option}")).ok();
    }
    println!("  cases {}: files in the way", cases.len());
}

#[test]
fn an_app_that_is_there_is_left_alone() {
    let app = App::empty();
    let own = ["main.py", "updates.py", "lib/util.py", "lib/mpota/mine.py", "ota_keys", "mpota/notes.txt"];
    for path in own {
        app.write(&format!("board/{path}"), "mine");
    }
    let said = app.run("updater board --mpy").ok();
    assert_eq!(said.err.matches("wrote ").count(), 1, "boot.py alone: {}", said.err);
    for path in own {
        assert_eq!(app.text(&format!("board/{path}")), "mine");
    }
    assert!(!app.path("board/app.py").exists());
    app.write("board/boot.py", "mine too");
    let said = app.run("updater board --mpy --force").ok();
    assert!(said.err.contains("boot.py is there"), "{}", said.err);
    assert_eq!(app.text("board/boot.py"), "mine too");
    // Many files are not all named; a project that is none is an error of the command line.
    let app = App::empty();
    for (name, _) in agent_files().unwrap() {
        app.write(&format!("board/lib/{name}"), "old");
    }
    app.run("updater board").refused(&["each of ", ", ..."]);
    assert_eq!(app.run("updater board --project nothing").code, 2);
    println!("  cases {}: files of an app", own.len() + 1);
}

/// What it writes is what `mpota build` takes.
#[test]
fn what_is_written_can_be_released() {
    let mut ran = 0;
    for option in ["", "--mpy"] {
        let app = App::empty();
        app.run(&format!("updater . {option} --project octo/rain")).ok();
        app.run("init --project octo/rain").ok();
        app.run("build --version v1.0.0").ok();
        assert!(
            app.released().iter().any(|name| name.starts_with("lib/mpota/http.")),
            "{:?}",
            app.released()
        );
        ran += 1;
    }
    println!("  cases {ran}: forms of the updater in a release");
    assert_eq!(ran, 2);
}
