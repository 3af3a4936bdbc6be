//! Releases that do not work: faults.md 35 to 41. Each ends on the old version by itself, within the
//! limits of the trial, and the bad version is not tried again.

#![allow(clippy::unwrap_used, reason = "these are tests")]

mod common;

use common::{World, app_tree, confirmed, run, run_fast, text, tiny, version, with_updater};
use mpota_vboard::bench::{Agent, App, Release, TINY_MAIN};
use mpota_vboard::{Board, End};
use serde_json::json;

/// v1.1.0 is `app`; the board tries it, gives it up for a reason that has `why` in it, and is left as
/// it was. Returns the log.
fn goes_back(name: &str, app: App, why: &str) -> String {
    let world = limited();
    world.publish("v1.1.0", app);
    let board = world.board();
    goes_back_on(&world, &board, name, why)
}

fn limited() -> World {
    let mut world = World::new();
    world.set(
        "limits",
        "{'trial_resets': 2, 'trial_starts': 2, 'trial_s': 150, 'trial_wait_s': 150, 'retries': 1}",
    );
    world
}

fn goes_back_on(world: &World, board: &Board, name: &str, why: &str) -> String {
    let before = app_tree(board);
    let log = run_fast(board, 4).output;
    assert!(log.contains("trial of v1.1.0, start by reset, 1 of 2"), "{name}: {log}");
    let line = log.lines().find(|l| l.contains("back on v1.0.0; v1.1.0 "));
    let line = line.unwrap_or_else(|| panic!("{name}: {log}"));
    assert!(line.contains(why), "{name}: {line}");
    assert_eq!(app_tree(board), before, "{name}");
    assert_eq!(version(board), confirmed("v1.0.0"));
    let again = run_fast(board, 1);
    assert!(
        again.output.contains("app v1.0.0 idle") && !again.output.contains("trial of"),
        "{name}: tried again"
    );
    // A different release is taken.
    world.publish("v1.2.0", tiny("v1.2.0"));
    assert!(run(board).output.contains("v1.2.0 is installed"), "{name}");
    log
}

fn main_py(text: &str) -> App {
    tiny("v1.1.0").with("main.py", text)
}

#[test]
fn fault_35_main_py_with_a_syntax_error() {
    goes_back("syntax", main_py("def broken(:\n"), "SyntaxError");
}

#[test]
fn fault_35_main_py_raises() {
    goes_back("raises", main_py("raise ValueError('no sensor')\n"), "ValueError");
    goes_back("import", main_py("import not_there\n"), "ImportError");
    goes_back("memory", main_py("bytearray(1 << 40)\n"), "");
}

#[test]
fn fault_35_main_py_returns() {
    let log = goes_back("returns", main_py("print('the end')\n"), "not confirmed within 150 s");
    assert_eq!(log.matches("the end").count(), 1, "main.py must not run twice in one boot");
}

#[test]
fn fault_35_main_py_hangs() {
    goes_back("hangs", main_py("while True:\n    pass\n"), "not confirmed within 150 s");
    goes_back("sleeps", main_py("import time\ntime.sleep(9999)\n"), "not confirmed within 150 s");
}

#[test]
fn fault_35_main_py_hangs_with_a_watchdog_on() {
    let text = "import machine\nw = machine.WDT(timeout=40)\nwhile True:\n    pass\n";
    let log = goes_back("watchdog", main_py(text), "the watchdog has ended it");
    assert_eq!(log.matches("board: watchdog").count(), 2);
}

#[test]
fn fault_35_main_py_resets_at_once() {
    let log = goes_back("resets", main_py("import machine\nmachine.reset()\n"), "not confirmed in 2 resets");
    assert!(log.contains("start by reset, 2 of 2") && !log.contains("3 of 2"));
}

#[test]
fn fault_35_main_py_calls_sys_exit() {
    goes_back("exits", main_py("import sys\nsys.exit()\n"), "not confirmed in 2 resets");
}

/// A board whose updater is a part of its release v1.0.0, as source.
fn with_its_updater(world: &World) -> (App, Board) {
    let one = with_updater(tiny("v1.0.0"), "lib/", Agent::Py, &[]);
    world.bench.withdraw("v1.0.0").unwrap();
    world.publish("v1.0.0", one.clone());
    (one.with("app.py", "V = 'v1.1.0'\n"), world.board())
}

#[test]
fn fault_36_a_new_updater_that_does_not_import() {
    let mut ran = 0;
    for (name, content) in
        [("syntax", "def broken(:\n"), ("raises", "1 / 0\n"), ("empty", ""), ("import", "import not_there\n")]
    {
        let world = limited();
        let (two, board) = with_its_updater(&world);
        world.publish("v1.1.0", two.with("lib/ota_updater.py", content));
        let before = app_tree(&board);
        let log = run_fast(&board, 2).output;
        assert!(log.contains("the updater of the new version does not import"), "{name}: {log}");
        assert!(log.contains("back on v1.0.0"), "{name}: {log}");
        assert_eq!(app_tree(&board), before, "{name}");
        assert!(!run_fast(&board, 1).output.contains("trial of"), "{name}");
        ran += 1;
    }
    println!("  cases {ran}: updaters that do not import");
    assert_eq!(ran, 4);
}

#[test]
fn fault_36_an_updater_that_changes_in_the_release() {
    let world = limited();
    let (two, board) = with_its_updater(&world);
    let newer = [("ota_updater.py", "started = 0", "NEWER = 1\nstarted = 0")];
    world.publish("v1.1.0", with_updater(two, "lib/", Agent::Py, &newer));
    assert!(run(&board).output.contains("v1.1.0 is installed"));
    assert_eq!(version(&board), confirmed("v1.1.0"));
    assert!(text(&board, "/lib/ota_updater.py").contains("NEWER"));
}

#[test]
fn fault_36_a_new_boot_py_that_raises() {
    let boot = String::from_utf8(tiny("v1.0.0").0["boot.py"].clone()).unwrap();
    goes_back("raises", tiny("v1.1.0").with("boot.py", boot.clone() + "\nraise OSError(5)\n"), "OSError");
    goes_back("syntax", tiny("v1.1.0").with("boot.py", boot.clone() + "\ndef broken(:\n"), "SyntaxError");
    goes_back(
        "hangs",
        tiny("v1.1.0").with("boot.py", boot + "\nwhile True:\n    pass\n"),
        "not confirmed within",
    );
    goes_back(
        "orphan",
        tiny("v1.1.0").with("boot.py", "print('hello')\n"),
        "does not call ota_updater.boot()",
    );
}

#[test]
fn fault_37_a_version_that_cannot_reach_the_update_server() {
    let main = TINY_MAIN.replace("if network.WLAN(0).isconnected():", "if False:");
    let log = goes_back("offline", main_py(&main), "not confirmed in 2 starts");
    assert!(log.contains("app v1.1.0 trial"));
}

#[test]
fn fault_38_power_lost_during_each_trial_boot() {
    let world = limited();
    let main = TINY_MAIN.replace("import app\n", "import app\nimport machine\nmachine.reset()\n");
    world.publish("v1.1.0", main_py(&main));
    let board = world.board();
    let before = app_tree(&board);
    // Staged, exchanged, looked at once more, tried; then the plug is pulled again and again.
    let mut log = board.run_with(&json!({"boots": 4})).unwrap().output;
    assert!(log.contains("trial of v1.1.0, start by reset, 1 of 2"), "{log}");
    for _ in 0..3 {
        log += &board.run_with(&json!({"boots": 1})).unwrap().output;
    }
    assert!(log.contains("start by power, 2 of 2") && log.contains("not confirmed in 2 starts"), "{log}");
    run_fast(&board, 1);
    assert_eq!(app_tree(&board), before);
}

#[test]
fn fault_39_the_undone_version_is_offered_again() {
    let log = goes_back("blocked", main_py("raise ValueError\n"), "ValueError");
    assert!(log.contains("v1.1.0 was undone, and is not tried again: ValueError"));
}

#[test]
fn fault_40_hooks_that_fail() {
    let mut ran = 0;
    for (hook, why) in [
        ("raise ValueError('cannot migrate')\n", "ValueError"),
        ("while True:\n    pass\n", "not confirmed within"),
        ("import machine\nmachine.reset()\n", "not confirmed in 2 resets"),
    ] {
        let world = limited();
        let app = tiny("v1.1.0").with("hooks/migrate.py", hook);
        let toml = "[hooks]\npost_update = \"hooks/migrate.py\"".into();
        world.bench.publish(&Release { toml, ..Release::new("v1.1.0", app) }).unwrap();
        let board = world.board();
        let log = goes_back_on(&world, &board, hook, why);
        assert!(!log.contains("app v1.1.0"), "the app ran though its hook failed");
        ran += 1;
    }
    for hook in [
        "raise ValueError('cannot go back')\n",
        "while True:\n    pass\n",
        "import machine\nmachine.reset()\n",
    ] {
        let world = limited();
        let app = main_py("raise OSError(19)\n").with("hooks/back.py", hook);
        let toml = "[hooks]\nrollback = \"hooks/back.py\"".into();
        world.bench.publish(&Release { toml, ..Release::new("v1.1.0", app) }).unwrap();
        let board = world.board();
        goes_back_on(&world, &board, hook, "OSError");
        ran += 1;
    }
    println!("  cases {ran}: hooks");
    assert_eq!(ran, 6);
}

#[test]
fn fault_41_calls_at_the_wrong_time() {
    let world = limited();
    let main = "import ota_updater
ota_updater.boot()
import machine, secrets
print('confirm', ota_updater.confirm())
try:
    ota_updater.rollback()
except ota_updater.OtaError as e:
    print('refused:', e)
print('first', ota_updater.update(secrets.CONFIG))
print('second', ota_updater.update(secrets.CONFIG))
ota_updater.rollback()
print('dropped', ota_updater.status()['state'])
print('third', ota_updater.update(secrets.CONFIG))
machine.deepsleep(1)
";
    world.bench.withdraw("v1.0.0").unwrap();
    world.publish("v1.0.0", tiny("v1.0.0").with("main.py", main));
    world.publish(
        "v1.1.0",
        tiny("v1.1.0").with(
            "main.py",
            "import ota_updater, machine\nota_updater.rollback('I do not like it')\nmachine.reset()\n",
        ),
    );
    let board = world.board();
    let before = app_tree(&board);
    let log = run_fast(&board, 1).output;
    assert!(log.contains("confirm False"), "{log}");
    assert!(log.contains("refused: nothing to go back to: v1.0.0 is confirmed"), "{log}");
    assert!(log.contains("first v1.1.0\nsecond v1.1.0\ndropped idle\n"), "{log}");
    assert!(log.contains("third v1.1.0"), "{log}");
    assert_eq!(app_tree(&board), before, "staging touches nothing of the app");
    // On trial it calls rollback() itself.
    let log = run_fast(&board, 1).output;
    assert!(log.contains("v1.1.0 is blocked: I do not like it"), "{log}");
    assert_eq!(app_tree(&board), before);
}

#[test]
fn settings_and_data_are_untouched_throughout() {
    let world = limited();
    world.publish(
        "v1.1.0",
        main_py("with open('readings.csv', 'a') as f:\n    f.write('x')\nraise ValueError\n"),
    );
    let board = world.board();
    board.write("/readings.csv", b"1,2,3\n").unwrap();
    let run = run_fast(&board, 1);
    assert_eq!(run.end, End::Sleep);
    assert_eq!(board.read("/settings.json").unwrap(), common::SETTINGS);
    assert_eq!(
        board.read("/readings.csv").unwrap(),
        b"1,2,3\nx",
        "data of the app is not rolled back either"
    );
}
