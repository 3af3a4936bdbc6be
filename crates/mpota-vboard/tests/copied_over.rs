//! A folder that `mpota install` made, copied over a board that has been used.

#![allow(clippy::unwrap_used, reason = "these are tests")]

mod common;

use common::{World, app_tree, confirmed, run, text, tiny, version};
use mpota_format::journal::{Record, State, newest};
use mpota_vboard::{Board, FileSystem, bench};
use serde_json::json;
use std::path::{Path, PathBuf};

/// The app says which version the updater takes it for.
fn app(version: &str) -> bench::App {
    tiny(version).replacing(
        "main.py",
        "print('app'",
        "print('told', ota_updater.status()['version'])\nprint('app'",
    )
}

fn record(board: &Board) -> Record {
    let [a, b] = [0, 1].map(|at| board.read(&format!("/.ota/state.{at}")).ok());
    newest(a.as_deref(), b.as_deref()).unwrap()
}

/// Every file below a folder, by its path on the board.
fn files(folder: &Path, prefix: &str, found: &mut Vec<(String, PathBuf)>) {
    let mut entries: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        let name = format!("{prefix}/{}", path.file_name().unwrap().to_str().unwrap());
        if path.is_dir() {
            files(&path, &name, found);
        } else {
            found.push((name, path));
        }
    }
}

/// A used board: it ran v1.0.0, was offered v1.1.0, and is in this state. Its journal was begun by a folder
/// too, or by its own updater.
fn used(world: &World, state: State, by_folder: bool) -> Board {
    let board = world.board();
    if !by_folder {
        let mut first = Record::new(1, State::Idle);
        first.version = "v1.0.0".into();
        board.remove("/.ota/state.0").unwrap();
        board.write("/.ota/state.1", &first.to_bytes().unwrap()).unwrap();
    }
    match state {
        State::Idle => drop(run(&board)),
        _ => drop(board.run_with(&json!({"boots": 1})).unwrap()),
    }
    for _ in 0..6 {
        if record(&board).state == state {
            break;
        }
        board.run_with(&json!({"boots": 1, "wifi": false})).unwrap();
    }
    assert_eq!(record(&board).state, state);
    board
}

#[test]
fn fault_72_a_folder_copied_over_a_used_board_is_what_runs_from_then_on() {
    let mut ran = 0;
    for file_system in [FileSystem::Lfs, FileSystem::Fat] {
        for state in [State::Idle, State::Staged, State::Swapping, State::Trial] {
            // The copy may have ended after one of the two records. On a board whose journal a folder began
            // it has to be whole.
            for (left_out, by_folder) in
                [("", true), ("", false), ("/.ota/state.0", false), ("/.ota/state.1", false)]
            {
                if file_system == FileSystem::Fat && !by_folder {
                    continue; // it is the same journal
                }
                let mut world = World::new();
                world.file_system = file_system;
                world.publish(
                    "v1.1.0",
                    tiny("v1.1.0").with("lib/util.py", "# others\n").with("new.py", "#\n"),
                );
                let board = used(&world, state, by_folder);
                let before = record(&board);
                world.publish("v2.0.0", app("v2.0.0"));
                let folder = world.bench.board_folder("v2.0.0", world.agent, &[]).unwrap();
                let mut copied = Vec::new();
                files(&folder, "", &mut copied);
                copied.retain(|(path, _)| path != left_out);
                for (path, source) in &copied {
                    board.write(path, &std::fs::read(source).unwrap()).unwrap();
                }
                let about =
                    format!("{file_system:?} {state}, begun by a folder: {by_folder}, without {left_out:?}");
                assert!(by_folder || record(&board).seq > before.seq + 1_000_000, "{about}");
                let tree = app_tree(&board);
                for wifi in [false, true] {
                    let log = board.run_with(&json!({"wifi": wifi, "sleeps": 2})).unwrap().output;
                    assert!(
                        log.contains("told v2.0.0\n") && log.contains("app v2.0.0 idle"),
                        "{about}: {log}"
                    );
                    assert!(!log.contains("v1.") && !log.contains(" E "), "{about}: {log}");
                }
                assert_eq!(app_tree(&board), tree, "{about}");
                assert_eq!(
                    (record(&board).state, version(&board)),
                    (State::Idle, confirmed("v2.0.0")),
                    "{about}"
                );
                // And it is a board like any other.
                world.publish("v2.1.0", app("v2.1.0"));
                let log = run(&board).output;
                assert!(
                    log.contains("v2.1.0 is installed") && log.contains("app v2.1.0 trial"),
                    "{about}: {log}"
                );
                assert_eq!(text(&board, "/app.py"), "V = 'v2.1.0'\n", "{about}");
                let left = |path: &String| path.starts_with("/.ota/new/") || path.starts_with("/.ota/old/");
                assert!(!board.tree().unwrap().keys().any(left), "{about}: {:?}", board.tree().unwrap());
                ran += 1;
            }
        }
    }
    println!("  cases {ran}: used boards that a folder was copied over");
    assert_eq!(ran, 20);
}
