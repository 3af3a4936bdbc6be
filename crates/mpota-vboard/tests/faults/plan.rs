//! Fault 65: the plan of the swap is gone, or damaged.

use crate::common::{World, app_tree, tiny, version};
use crate::{at_rest, limited, takes_another};
use mpota_format::journal::{Record, State, newest};
use mpota_vboard::bench::App;
use mpota_vboard::{Board, FileSystem};
use serde_json::json;

fn record(board: &Board) -> Record {
    let [a, b] = [0, 1].map(|at| board.read(&format!("/.ota/state.{at}")).ok());
    newest(a.as_deref(), b.as_deref()).unwrap()
}

/// v1.1.0: every kind of step is in its plan.
fn next(state: State) -> App {
    let app = tiny("v1.1.0")
        .with("lib/util.py", "# others\n")
        .with("new/deep/x.py", "#\n")
        .without("assets/logo.bin")
        .with("assets", "a file now")
        .with("boot.py", [tiny("v").0["boot.py"].clone(), b"print('new boot')\n".to_vec()].concat());
    if state == State::Undoing { app.with("app.py", "V = 1 / 0\n") } else { app }
}

/// A board that stopped in this state. In `swapping` and `undoing` after about this part of the writes.
fn stopped(world: &World, state: State, part: u32) -> Board {
    let board = world.board();
    board.run_with(&json!({"boots": 1})).unwrap();
    let step = |options: serde_json::Value| board.run_with(&options).unwrap();
    for _ in 0..40 {
        let now = record(&board).state;
        let image = std::fs::read(board.image()).unwrap();
        if now == state && part == 0 {
            return board;
        }
        let boot = json!({"boots": 1, "wifi": state == State::Confirmed && now == State::Trial});
        let whole = step(boot.clone());
        if now == state {
            // The same start once more, without the end of it.
            std::fs::write(board.image(), &image).unwrap();
            let cut = (whole.writes * part / 4).max(1);
            let mut again = boot;
            again["cut"] = cut.into();
            step(again);
            if record(&board).state == state {
                return board;
            }
        } else if state == State::Confirmed && now == State::Trial {
            for cut in 1..whole.writes {
                std::fs::write(board.image(), &image).unwrap();
                step(json!({"boots": 1, "cut": cut}));
                if record(&board).state == state {
                    return board;
                }
            }
        }
    }
    panic!("never {state}");
}

fn damage(board: &Board, path: &str, how: &str) {
    let Ok(mut content) = board.read(path) else { return };
    match how {
        "gone" => return board.remove(path).unwrap(),
        "empty" => content.clear(),
        "a bit" => {
            let at = content.len() / 2;
            content[at] ^= 1;
        }
        _ => content.truncate(content.len() / 2),
    }
    board.write(path, &content).unwrap();
}

/// Every file of the app but what the trial has elsewhere.
fn whole(board: &Board, like: &Board) -> bool {
    app_tree(board) == app_tree(like)
}

#[test]
fn fault_65_with_one_copy_of_the_plan_lost_all_goes_on_as_if_nothing_were() {
    let mut ran = 0;
    for file_system in [FileSystem::Lfs, FileSystem::Fat] {
        for state in [State::Staged, State::Swapping, State::Trial, State::Confirmed, State::Undoing] {
            let mut world = limited();
            world.file_system = file_system;
            world.publish("v1.1.0", next(state));
            let old = world.board();
            let goal = world.board();
            goal.run_with(&json!({"sleeps": 3})).unwrap();
            for part in if matches!(state, State::Swapping | State::Undoing) { 0..3 } else { 0..1 } {
                let board = stopped(&world, state, part);
                let image = std::fs::read(board.image()).unwrap();
                for path in ["/.ota/new/plan", "/.ota/old/plan"] {
                    for how in ["gone", "empty", "a bit", "a half"] {
                        let about = format!("{file_system:?} {state} {part}: {path} {how}");
                        std::fs::write(board.image(), &image).unwrap();
                        damage(&board, path, how);
                        let log = board.run_with(&json!({"sleeps": 3})).unwrap().output;
                        assert_eq!(version(&board), version(&goal), "{about}: {log}");
                        assert!(whole(&board, &goal), "{about}: {log}");
                        assert!(at_rest(&board), "{about}");
                        ran += 1;
                    }
                }
                takes_another(&world, &board, &format!("{state}"));
                world.bench.withdraw("v9.0.0").unwrap();
            }
            assert_eq!(whole(&goal, &old), state == State::Undoing);
        }
    }
    println!("  cases {ran}: a copy of the plan is lost");
    assert_eq!(ran, 2 * 9 * 8);
}

#[test]
fn fault_65_with_both_copies_of_the_plan_lost_the_board_comes_to_a_whole_version() {
    let (mut ran, mut at_once) = (0, 0);
    for file_system in [FileSystem::Lfs, FileSystem::Fat] {
        for state in [State::Staged, State::Swapping, State::Trial, State::Confirmed] {
            let mut world = limited();
            world.file_system = file_system;
            // Without the plan a file of the new version cannot be told from one of the board's own: that
            // one would stay in the way of a folder.
            world.publish("v1.1.0", next(state).without("assets"));
            let old = world.board();
            let goal = world.board();
            goal.run_with(&json!({"sleeps": 3})).unwrap();
            for part in if state == State::Swapping { 0..3 } else { 0..1 } {
                let board = stopped(&world, state, part);
                let image = std::fs::read(board.image()).unwrap();
                for how in ["gone", "empty", "a bit"] {
                    let about = format!("{file_system:?} {state} {part}: both {how}");
                    std::fs::write(board.image(), &image).unwrap();
                    damage(&board, "/.ota/new/plan", how);
                    damage(&board, "/.ota/old/plan", how);
                    let run = board.run_with(&json!({"sleeps": 2, "wifi": false, "boots": 30})).unwrap();
                    assert!(run.boots < 30, "{about}: it resets for ever: {}", run.output);
                    let log = board.run_with(&json!({"sleeps": 3})).unwrap().output;
                    if whole(&board, &old) || whole(&board, &goal) {
                        at_once += 1;
                    } else {
                        eprintln!("{about}: {}\n{log}", run.output);
                    }
                    // At the latest the next release makes it whole.
                    takes_another(&world, &board, &about);
                    world.bench.withdraw("v9.0.0").unwrap();
                    let clean = world.board();
                    let mut tree = app_tree(&clean);
                    let mine = app_tree(&board);
                    tree.insert("/app.py".into(), mine["/app.py"].clone());
                    let left: Vec<_> = mine.keys().filter(|p| !tree.contains_key(*p)).collect();
                    assert!(left.iter().all(|p| p.starts_with("/new")), "{about}: {left:?}");
                    assert!(tree.iter().all(|(p, f)| mine.get(p) == Some(f)), "{about}");
                    ran += 1;
                }
            }
        }
    }
    println!("  cases {ran}: both copies of the plan are lost, {at_once} whole at once");
    assert_eq!(ran, 2 * 6 * 3);
}
