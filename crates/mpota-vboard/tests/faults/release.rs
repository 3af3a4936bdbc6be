//! Faults 74, 75, 76 and 80: what stands in a release, and what the app does meanwhile.

use crate::common::{World, app_tree, confirmed, run, text, tiny, version};
use crate::{at_rest, limited, run_on, takes_another};
use mpota_vboard::bench::{App, Release, compile};
use mpota_vboard::{Board, FileSystem};
use serde_json::json;

#[test]
fn fault_74_a_repair_takes_the_installed_release_and_no_other_under_its_name() {
    let mut ran = 0;
    for (name, damage) in [("as it is", false), ("with a damaged file", true)] {
        for other in [false, true] {
            let mut world = limited();
            world.set("repair", "True");
            let board = world.board();
            let before = app_tree(&board);
            if damage {
                board.write("/lib/util.py", b"damaged").unwrap();
            }
            let damaged = app_tree(&board);
            if other {
                world.bench.withdraw("v1.0.0").unwrap();
                world.publish("v1.0.0", tiny("v1.0.0").with("lib/util.py", "# of somebody else\n"));
            }
            let log = run(&board).output;
            if other {
                let said = "refused: v1.0.0 is offered with other content than the one installed: refused";
                assert!(log.contains(said), "{name}: {log}");
                assert_eq!(app_tree(&board), damaged, "{name}");
            } else {
                assert!(!log.contains("refused"), "{name}: {log}");
                assert_eq!(app_tree(&board), before, "{name}: {log}");
            }
            assert_eq!(version(&board), confirmed("v1.0.0"), "{name}");
            takes_another(&world, &board, name);
            ran += 1;
        }
    }
    println!("  cases {ran}: repairs");
    assert_eq!(ran, 4);
}

/// v1.1.0 with this hook; the board after a few starts, and its log.
fn hooked(path: &str, hook: impl AsRef<[u8]>, app: App) -> (World, Board, String) {
    let world = limited();
    let toml = format!("[hooks]\npost_update = \"{path}\"");
    world.bench.publish(&Release { toml, ..Release::new("v1.1.0", app.with(path, hook)) }).unwrap();
    let board = world.board();
    let log = run_on(&board, 4).output;
    (world, board, log)
}

#[test]
fn fault_75_a_hook_cannot_confirm_and_its_update_is_no_other_one() {
    let broken = tiny("v1.1.0").with("app.py", "V = 1 / 0\n");
    let mut ran = 0;
    for (hook, said) in [
        ("import ota_updater\nprint('hook', ota_updater.confirm())\n", "hook False"),
        ("import ota_updater, secrets\nprint('hook', ota_updater.update(secrets.CONFIG))\n", "hook None"),
        ("import ota_updater, secrets\nprint('hook', ota_updater.check(secrets.CONFIG))\n", "hook None"),
        ("import ota_updater\nprint('hook', ota_updater.status()['state'])\n", "hook trial"),
        ("import ota_updater\nprint('hook', ota_updater.boot())\n", "hook None"),
    ] {
        for (app, kept) in [(tiny("v1.1.0"), true), (broken.clone(), false)] {
            let (world, board, log) = hooked("hooks/migrate.py", hook, app);
            assert!(log.contains(said), "{hook}: {log}");
            assert_eq!(log.contains("v1.1.0 is installed"), kept, "{hook}: {log}");
            assert_eq!(
                log.contains("back on v1.0.0; v1.1.0 is blocked: ZeroDivisionError"),
                !kept,
                "{hook}: {log}"
            );
            assert_eq!(version(&board), confirmed(if kept { "v1.1.0" } else { "v1.0.0" }), "{hook}");
            assert!(at_rest(&board), "{hook}");
            takes_another(&world, &board, hook);
            ran += 1;
        }
    }
    for (hook, why) in [
        ("import machine\nmachine.reset()\n", "not confirmed in 2 resets"),
        ("import sys\nsys.exit()\n", "not confirmed in 2 resets"),
        (
            "import ota_updater, machine\nota_updater.confirm()\nmachine.reset()\n",
            "not confirmed in 2 resets",
        ),
        ("import ota_updater\nota_updater.rollback('by the hook')\n", "by the hook"),
    ] {
        let (world, board, log) = hooked("hooks/migrate.py", hook, tiny("v1.1.0"));
        let what = if why.contains("resets") { "comes up again" } else { "is blocked" };
        let said = format!("back on v1.0.0; v1.1.0 {what}: {why}");
        assert!(log.contains(&said), "{hook}: {log}");
        assert_eq!(version(&board), confirmed("v1.0.0"), "{hook}");
        takes_another(&world, &board, hook);
        ran += 1;
    }
    println!("  cases {ran}: hooks that use the updater, or reset");
    assert_eq!(ran, 14);
}

#[test]
fn fault_75_a_hook_in_mpy_runs_once_and_its_errors_count() {
    let mut ran = 0;
    for path in ["hooks/migrate.mpy", "migrate.mpy", "lib/migrate.mpy"] {
        let good = compile(b"with open('/hooked', 'a') as f:\n    f.write('x')\n").unwrap();
        // The first start does not confirm: the hook is over by then.
        let late = tiny("v1.1.0").replacing(
            "main.py",
            "import app\n",
            "import app\nif ota_updater.status()['boots'] == 1:\n    machine.reset()\n",
        );
        let (world, board, log) = hooked(path, good, late);
        assert!(log.contains("v1.1.0 is installed"), "{path}: {log}");
        assert_eq!(text(&board, "/hooked"), "x", "{path}");
        takes_another(&world, &board, path);
        let (world, board, log) = hooked(path, compile(b"raise ValueError('no')\n").unwrap(), tiny("v1.1.0"));
        assert!(log.contains("back on v1.0.0; v1.1.0 is blocked: ValueError"), "{path}: {log}");
        takes_another(&world, &board, path);
        ran += 2;
    }
    println!("  cases {ran}: hooks in .mpy");
    assert_eq!(ran, 6);
}

#[test]
fn fault_76_a_file_that_the_app_put_into_a_folder_that_makes_way_is_not_lost() {
    let mut ran = 0;
    for file_system in [FileSystem::Lfs, FileSystem::Fat] {
        for (path, folder) in [
            ("data/mine", "data"),
            ("data/deep/mine", "data"),
            ("data/deep/er/mine", "data"),
            ("data/deep", "data/deep"), // a file where the release had a folder, by the app's hand
        ] {
            let mut world = limited();
            world.file_system = file_system;
            let old = tiny("v1.0.0").with("data/a", "1").with("data/deep/b", "2").with("data/deep/er/c", "3");
            world.bench.withdraw("v1.0.0").unwrap();
            world.publish("v1.0.0", old);
            world.publish("v1.1.0", tiny("v1.1.0").with("data", "a file now"));
            let board = world.board();
            let log = board.run_with(&json!({"boots": 1})).unwrap().output;
            assert!(log.contains("v1.1.0 is staged"), "{path}: {log}");
            if path == folder {
                board.remove("/data/deep/er/c").unwrap();
                // What it does not have any more cannot be kept: this is what the swap finds missing.
                let log = board.run_with(&json!({"wifi": false})).unwrap().output;
                assert!(
                    log.contains("v1.1.0 not installed: no longer as it was staged: data"),
                    "{path}: {log}"
                );
                ran += 1;
                continue;
            }
            board.write(&format!("/{path}"), b"of the app").unwrap();
            let before = app_tree(&board);
            let log = board.run_with(&json!({"wifi": false})).unwrap().output;
            assert!(log.contains("v1.1.0 not installed: no longer as it was staged: data"), "{path}: {log}");
            assert!(log.contains("app v1.0.0 idle"), "{path}: {log}");
            assert_eq!(app_tree(&board), before, "{file_system:?} {path}");
            let log = run(&board).output;
            let said = format!("is a directory on the board, with {path} in it");
            assert!(log.contains("refused: ") && log.contains(&said), "{path}: {log}");
            assert_eq!(app_tree(&board), before, "{file_system:?} {path}");
            takes_another(&world, &board, path);
            assert_eq!(text(&board, &format!("/{path}")), "of the app");
            ran += 1;
        }
    }
    println!("  cases {ran}: folders that are not what they were");
    assert_eq!(ran, 8);
}

/// Whether any of the folders of v1.0.0 is left.
fn folders(board: &Board) -> Vec<String> {
    board
        .tree()
        .unwrap()
        .into_keys()
        .filter(|p| p.starts_with("/one") || p.starts_with("/lib/deep"))
        .collect()
}

#[test]
fn fault_80_folders_that_removed_files_leave_empty_are_gone_also_after_cuts() {
    let mut ran = 0;
    // FAT straight on flash loses folders at any cut, and nothing is promised for it.
    for file_system in [FileSystem::Lfs, FileSystem::LfsSmall, FileSystem::Fat] {
        let mut world = World::new();
        world.file_system = file_system;
        let old = tiny("v1.0.0")
            .with("one/two/three/a.txt", "1")
            .with("one/two/b.txt", "2")
            .with("one/other/c.txt", "3")
            .with("lib/deep/er/est.py", "#\n");
        world.bench.withdraw("v1.0.0").unwrap();
        world.publish("v1.0.0", old);
        world.publish("v1.1.0", tiny("v1.1.0"));
        let board = world.board();
        assert_eq!(folders(&board).len(), 7 + 3);
        // To the first start of the trial.
        board.run_with(&json!({"boots": 1})).unwrap();
        for _ in 0..3 {
            board.run_with(&json!({"boots": 1, "wifi": false})).unwrap();
        }
        let image = std::fs::read(board.image()).unwrap();
        let whole = board.run().unwrap();
        assert!(whole.output.contains("v1.1.0 is installed"), "{file_system:?}: {}", whole.output);
        assert!(folders(&board).is_empty(), "{file_system:?}: {:?}", folders(&board));
        let step = (whole.writes / 25).max(1);
        for cut in (1..=whole.writes).step_by(step as usize) {
            std::fs::write(board.image(), &image).unwrap();
            board.run_with(&json!({"cut": cut})).unwrap();
            let log = board.run_with(&json!({"sleeps": 2})).unwrap().output;
            assert_eq!(version(&board), confirmed("v1.1.0"), "{file_system:?}, cut at {cut}: {log}");
            assert!(folders(&board).is_empty(), "{file_system:?}, cut at {cut}: {:?}", folders(&board));
            ran += 1;
        }
        // A folder that the app has put something into stays.
        std::fs::write(board.image(), &image).unwrap();
        let left = "/one/two/mine";
        board.write(left, b"mine").unwrap();
        board.run().unwrap();
        assert_eq!(folders(&board), ["/one", "/one/two", left], "{file_system:?}");
        ran += 1;
    }
    println!("  cases {ran}: cuts of a confirmation");
    assert!(ran > 60, "{ran}");
}
