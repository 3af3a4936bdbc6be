//! Fault 65: the plan of the swap is gone, or damaged.

use crate::common::{World, app_tree, tiny, version, with_updater};
use crate::updater::BOOT;
use crate::{at_rest, limited, takes_another};
use mpota_format::journal::{Record, State, newest};
use mpota_vboard::bench::{Agent, App, compile};
use mpota_vboard::{Board, FileSystem};
use serde_json::json;

pub fn record(board: &Board) -> Record {
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
    let staged = board.run_with(&json!({"boots": 1})).unwrap().output;
    assert!(staged.contains("v1.1.0 is staged"), "{staged}");
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

/// Both copies of the plan are lost in one of these ways.
fn lose(board: &Board, how: &str) {
    let (one, other) = how.split_once(", ").unwrap_or((how, how));
    damage(board, "/.ota/new/plan", one);
    damage(board, "/.ota/old/plan", other);
}

/// The board runs v1.0.0 and knows it, v1.1.0 is blocked; of that one no more is left than what v1.0.0 has
/// no place for.
fn back_again(board: &Board, old: &Board, about: &str) {
    let log = board.run_with(&json!({"sleeps": 4, "wifi": false, "boots": 30})).unwrap().output;
    assert!(log.contains("app v1.0.0 idle"), "{about}: {log}");
    let now = record(board);
    assert_eq!((now.state, now.repair, now.bad.as_str()), (State::Idle, false, "v1.1.0"), "{about}: {log}");
    assert!(!now.why.is_empty() && now.why != "a backup was damaged", "{about}: {}", now.why);
    assert_eq!(version(board), version(old), "{about}");
    assert!(at_rest(board), "{about}");
    let (mine, tree) = (app_tree(board), app_tree(old));
    let other: Vec<_> = tree.iter().filter(|(path, file)| mine.get(*path) != Some(file)).collect();
    assert!(other.is_empty(), "{about}: {other:?}: {log}");
    let left: Vec<_> = mine.keys().filter(|path| !tree.contains_key(*path)).collect();
    let harmless = |path: &str| path.starts_with("/new") || path == "/mpota";
    assert!(left.iter().all(|path| harmless(path)), "{about}: {left:?}");
}

#[test]
fn fault_65_with_both_copies_of_the_plan_lost_the_board_comes_to_a_whole_version() {
    let mut ran = 0;
    for file_system in [FileSystem::Lfs, FileSystem::Fat] {
        for state in [State::Staged, State::Swapping, State::Trial, State::Confirmed, State::Undoing] {
            let mut world = limited();
            world.file_system = file_system;
            world.publish("v1.1.0", next(state));
            let old = world.board();
            old.run_with(&json!({"wifi": false})).unwrap();
            let goal = world.board();
            goal.run_with(&json!({"sleeps": 3})).unwrap();
            let parts = match state {
                State::Swapping | State::Undoing => 0..4,
                State::Trial => 0..2, // the second one is without a network: nobody confirms it
                _ => 0..1,
            };
            for part in parts {
                let undone = matches!(state, State::Swapping | State::Undoing) || part == 1;
                let board = stopped(&world, state, if state == State::Trial { 0 } else { part });
                let image = std::fs::read(board.image()).unwrap();
                let hows = ["gone", "empty", "a bit", "gone, a half"];
                for how in hows.into_iter().take(if part == 0 { 4 } else { 1 }) {
                    let about = format!("{file_system:?} {state} {part}: both {how}");
                    std::fs::write(board.image(), &image).unwrap();
                    lose(&board, how);
                    if undone {
                        back_again(&board, &old, &about);
                    } else {
                        let log = board.run_with(&json!({"sleeps": 3})).unwrap().output;
                        assert!(whole(&board, &goal), "{about}: {log}");
                    }
                    takes_another(&world, &board, &about);
                    world.bench.withdraw("v9.0.0").unwrap();
                    ran += 1;
                }
            }
        }
    }
    println!("  cases {ran}: both copies of the plan are lost");
    assert_eq!(ran, 2 * (5 * 4 + 7));
}

/// Two releases of which the second one has files where the first one has folders, the other way round, and
/// a module in another form, before the one of the first in an import, and as a folder.
fn shapes() -> (App, App) {
    let module = |text: &str| compile(text.as_bytes()).unwrap();
    let helpers = "import form, place, folder\n";
    let old = tiny("v1.0.0")
        .with("app.py", format!("{helpers}V = 'v1.0.0'\n"))
        .with("form.mpy", module("A = 1\n"))
        .with("lib/place.mpy", module("A = 2\n"))
        .with("folder.py", "A = 3\n")
        .with("data", "a file")
        .with("www/en/index.html", "a page")
        .with("www/en/copy.html", "a page")
        .with("one.txt", "the same")
        .with("two.txt", "the same");
    let new = tiny("v1.1.0")
        .with("app.py", format!("{helpers}V = 'v1.1.0'\n"))
        .with("form.py", "1 / 0\n")
        .with("place.py", "1 / 0\n")
        .with("folder/__init__.py", "1 / 0\n")
        .with("folder/more/x.py", "#\n")
        .with("data/one.txt", "1")
        .with("www", "a file")
        .with("two.txt", "another");
    (old, new)
}

/// What is to be put back, and how the updater lies on the board: v1.0.0 and v1.1.0.
fn kinds() -> Vec<(&'static str, App, App)> {
    let (old, new) = shapes();
    let raises =
        [("ota_updater.py", BOOT, "    1 / 0\n"), ("mpota/plan.py", "import json\n", "import gone\n")];
    let hangs = [("ota_trial.py", "import gc\n", "import not_there\n")];
    let released = |version| with_updater(tiny(version), "lib/", Agent::Mpy, &[]);
    vec![
        ("files, folders and modules", old, new),
        (
            "an updater that was there by hand",
            tiny("v1.0.0"),
            with_updater(tiny("v1.1.0"), "lib/", Agent::Mpy, &raises),
        ),
        ("a released updater", released("v1.0.0"), with_updater(tiny("v1.1.0"), "lib/", Agent::Mpy, &hangs)),
        (
            "an updater in another form",
            released("v1.0.0"),
            with_updater(tiny("v1.1.0"), "lib/", Agent::Py, &raises),
        ),
        (
            "an updater in another place",
            released("v1.0.0"),
            with_updater(tiny("v1.1.0"), "", Agent::Mpy, &raises),
        ),
    ]
}

#[test]
fn fault_65_without_the_plan_folders_modules_and_the_updater_are_put_back_through_cuts() {
    let (mut ran, mut cuts) = (0, 0);
    for file_system in [FileSystem::Lfs, FileSystem::Fat] {
        for (what, first, second) in kinds() {
            let mut world = limited();
            world.file_system = file_system;
            world.bench.withdraw("v1.0.0").unwrap();
            world.publish("v1.0.0", first);
            world.publish("v1.1.0", second);
            let old = world.board();
            old.run_with(&json!({"wifi": false})).unwrap();
            for (state, part) in [(State::Swapping, 2), (State::Undoing, 0)] {
                let about = format!("{file_system:?} {state} {part}: {what}");
                let board = stopped(&world, state, part);
                lose(&board, "gone");
                let image = std::fs::read(board.image()).unwrap();
                let whole = board.run_with(&json!({"wifi": false, "boots": 30})).unwrap();
                assert!(whole.output.contains("the plan is lost"), "{about}: {}", whole.output);
                back_again(&board, &old, &about);
                takes_another(&world, &board, &about);
                world.bench.withdraw("v9.0.0").unwrap();
                ran += 1;
                for cut in (1..whole.writes).step_by(whole.writes.div_ceil(5) as usize) {
                    std::fs::write(board.image(), &image).unwrap();
                    board.run_with(&json!({"wifi": false, "boots": 30, "cut": cut})).unwrap();
                    back_again(&board, &old, &format!("{about}, cut {cut} of {}", whole.writes));
                    cuts += 1;
                }
            }
        }
    }
    println!("  cases {ran}: what is put back without the plan, {cuts} cuts on the way");
    assert!(ran == 2 * 5 * 2 && cuts > 3 * ran, "{ran} {cuts}");
}

#[test]
fn fault_65_without_the_plan_a_damaged_backup_is_told_and_the_next_release_heals_it() {
    let mut ran = 0;
    for state in [State::Swapping, State::Undoing] {
        for how in ["gone", "a bit"] {
            let world = limited();
            world.publish("v1.1.0", next(state).without("assets"));
            let board = stopped(&world, state, if state == State::Swapping { 3 } else { 0 });
            lose(&board, "gone");
            let copies: Vec<_> =
                board.tree().unwrap().into_keys().filter(|p| p.starts_with("/.ota/old/")).collect();
            assert!(copies.len() > 2, "{copies:?}");
            for path in copies {
                damage(&board, &path, how);
            }
            board.run_with(&json!({"wifi": false, "boots": 5})).unwrap();
            let now = record(&board);
            let about = format!("{state}, copies {how}");
            assert_eq!((now.state, now.repair, now.bad.as_str()), (State::Idle, true, "v1.1.0"), "{about}");
            if state == State::Swapping {
                takes_another(&world, &board, &about);
            }
            ran += 1;
        }
    }
    println!("  cases {ran}: plan and backups are lost");
    assert_eq!(ran, 4);
}

/// `boot.py` that says each time that it was not fed for longer than before, by the clock of the flash.
const FEEDS: &str = "import machine
    last = [machine.flash_us(), 0]
    def feed():
        now = machine.flash_us()
        if now - last[0] > last[1]:
            last[1] = now - last[0]
            print('fed', last[1])
        last[0] = now
    ota_updater.boot(feed)
";

#[test]
fn fault_65_without_the_plan_a_watchdog_is_fed_on_the_way_back() {
    let (mut ran, mut most) = (0, 0);
    for file_system in [FileSystem::Lfs, FileSystem::Fat] {
        for (state, part) in [(State::Swapping, 2), (State::Swapping, 3), (State::Undoing, 1)] {
            let about = format!("{file_system:?} {state} {part}");
            let mut world = limited();
            world.file_system = file_system;
            let big = |n: u32| (0..100_000).map(|i: u32| ((i * n) >> 7) as u8).collect::<Vec<_>>();
            let made = |version, n| {
                let app = tiny(version).replacing("boot.py", "ota_updater.boot()\n", FEEDS);
                (0..12).fold(app.with("big.bin", big(n)), |app, i| {
                    app.with(&format!("data/{i}.txt"), format!("{n} of {i}\n"))
                })
            };
            world.bench.withdraw("v1.0.0").unwrap();
            world.publish("v1.0.0", made("v1.0.0", 3));
            let new = made("v1.1.0", 5);
            world
                .publish("v1.1.0", if state == State::Undoing { new.with("app.py", "1 / 0\n") } else { new });
            let board = stopped(&world, state, part);
            lose(&board, "gone");
            let slow = json!({
                "wifi": false, "boots": 30, "flash_clock": true,
                "erase_us": 20_000, "program_us": 400, "hash_us": 4000,
            });
            let log = board.run_with(&slow).unwrap().output;
            assert!(log.contains("the plan is lost") && log.contains("app v1.0.0 idle"), "{about}: {log}");
            let gaps: Vec<u32> = log.lines().filter_map(|l| l.strip_prefix("fed ")?.parse().ok()).collect();
            let gap = gaps.iter().max().copied().unwrap();
            println!("  {about}: {} ms between two calls of feed, by the clock of the flash", gap / 1000);
            assert!(gap > 1000 && gap < 200_000, "{about}: {gap} us: {log}");
            most = most.max(gap);
            ran += 1;
        }
    }
    println!("  cases {ran}: ways back with a watchdog, fed each {} ms at least", most / 1000);
    assert_eq!(ran, 6);
}
