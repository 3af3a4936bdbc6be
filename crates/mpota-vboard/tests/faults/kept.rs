//! Fault 60: files of a release that the app or a person changed on the board.

use std::collections::BTreeMap;

use crate::common::{World, app_tree, confirmed, run, text, tiny, version, with_updater};
use crate::{at_rest, limited, run_on};
use mpota_format::journal::{Record, State};
use mpota_format::manifest::Manifest;
use mpota_vboard::bench::{Agent, App, Release, config};
use mpota_vboard::{Board, FileSystem};
use serde_json::json;

const BOTH: [FileSystem; 2] = [FileSystem::Lfs, FileSystem::Fat];
const KEEP: &str = "keep = [\"config.json\", \"data/**\"]";

/// A world on this file system in which v1.0.0 is this app.
fn world(file_system: FileSystem, toml: &str, app: App) -> World {
    let mut world = limited();
    world.file_system = file_system;
    world.bench.withdraw("v1.0.0").unwrap();
    publish(&world, "v1.0.0", toml, app);
    world
}

fn publish(world: &World, version: &str, toml: &str, app: App) {
    world.bench.publish(&Release { toml: toml.into(), ..Release::new(version, app) }).unwrap();
}

/// The app with settings, and with data that only this version brings.
fn app(version: &str) -> App {
    tiny(version)
        .with("config.json", format!("as {version} has it"))
        .with("data/log.txt", format!("log of {version}"))
        .with(&format!("data/{version}/new.txt"), version)
}

fn broken(version: &str) -> App {
    app(version).with("app.py", "V = 1 / 0\n")
}

/// What lies in the folder of copies.
fn aside(board: &Board) -> BTreeMap<String, String> {
    let paths = board.tree().unwrap().into_keys();
    paths
        .filter_map(|path| Some((path.strip_prefix("/.ota/kept/")?.to_owned(), text(board, &path))))
        .collect()
}

fn copies(wanted: &[(&str, &str)]) -> BTreeMap<String, String> {
    wanted.iter().map(|(name, content)| ((*name).to_owned(), (*content).to_owned())).collect()
}

#[test]
fn fault_60_what_the_owner_changed_survives_updates_an_undo_and_a_repair() {
    let mut ran = 0;
    for file_system in BOTH {
        let world = world(file_system, KEEP, app("v1.0.0"));
        let board = world.board();
        let mine = |about: &str| {
            assert_eq!(text(&board, "/config.json"), "mine", "{file_system:?} {about}");
            assert_eq!(text(&board, "/data/v1.0.0/new.txt"), "mine too", "{file_system:?} {about}");
            assert!(aside(&board).is_empty() && at_rest(&board), "{file_system:?} {about}");
        };
        board.write("/config.json", b"mine").unwrap();
        board.write("/data/v1.0.0/new.txt", b"mine too").unwrap();
        board.remove("/data/log.txt").unwrap();
        for next in ["v1.1.0", "v1.2.0", "v1.3.0"] {
            publish(&world, next, KEEP, app(next));
            let log = run_on(&board, 1).output;
            assert_eq!(version(&board), confirmed(next), "{file_system:?}: {log}");
            mine(next);
            // New in this release, and what is missing: the release's.
            assert_eq!(text(&board, &format!("/data/{next}/new.txt")), next);
            assert_eq!(text(&board, "/data/log.txt"), "log of v1.1.0");
            assert!(!log.contains("got config.json"), "{log}");
            ran += 1;
        }
        let before = app_tree(&board);
        publish(&world, "v1.4.0", KEEP, broken("v1.4.0"));
        let log = run_on(&board, 3).output;
        assert!(log.contains("back on v1.3.0; v1.4.0 is blocked: ZeroDivisionError"), "{log}");
        assert!(log.contains("got data/v1.4.0/new.txt"), "{log}");
        assert_eq!(app_tree(&board), before, "{file_system:?}: what the undone version brought is gone");
        mine("undone");
        // A repair heals what is not kept, and brings what is missing.
        world.bench.withdraw("v1.4.0").unwrap();
        let base = format!("'{}'", world.server.base_url());
        board.write("/secrets.py", config(&[("base_url", &base), ("repair", "True")]).as_bytes()).unwrap();
        board.write("/lib/util.py", b"1 / 0").unwrap();
        board.remove("/data/v1.3.0/new.txt").unwrap();
        let log = run_on(&board, 1).output;
        assert_eq!(text(&board, "/data/v1.3.0/new.txt"), "v1.3.0", "{file_system:?}: {log}");
        assert_eq!(text(&board, "/lib/util.py"), "# helpers\n".repeat(40));
        assert_eq!(text(&board, "/config.json"), "mine");
        assert_eq!(aside(&board), copies(&[("0-util.py", "1 / 0")]), "{log}");
        ran += 2;
    }
    println!("  cases {ran}: updates, undos and repairs of boards with settings of their own");
    assert_eq!(ran, 10);
}

#[test]
fn fault_60_a_kept_file_that_the_trial_has_changed_is_not_removed_by_the_undo() {
    let mut ran = 0;
    for file_system in BOTH {
        for (what, write, stays) in [
            ("edited", "f = open('data/v1.1.0/new.txt', 'w')\nf.write('edited')\nf.close()", Some("edited")),
            ("added to", "f = open('data/v1.1.0/new.txt', 'a')\nf.write('+')\nf.close()", Some("v1.1.0+")),
            ("emptied", "open('data/v1.1.0/new.txt', 'w').close()", None),
            ("written again", "f = open('data/v1.1.0/new.txt', 'w')\nf.write('v1.1.0')\nf.close()", None),
            ("as it is", "pass", None),
        ] {
            let world = world(file_system, KEEP, app("v1.0.0"));
            let board = world.board();
            let before = app_tree(&board);
            publish(&world, "v1.1.0", KEEP, app("v1.1.0").with("app.py", format!("{write}\n1 / 0\n")));
            let log = run_on(&board, 3).output;
            assert!(log.contains("back on v1.0.0; v1.1.0 is blocked"), "{file_system:?} {what}: {log}");
            let mut after = app_tree(&board);
            if let Some(content) = stays {
                assert_eq!(text(&board, "/data/v1.1.0/new.txt"), content, "{file_system:?}");
                assert!(log.contains("kept, it was changed during the trial: /data/v1.1.0/new.txt"), "{log}");
                after.remove("/data/v1.1.0");
                after.remove("/data/v1.1.0/new.txt");
            }
            assert_eq!(after, before, "{file_system:?} {what}: {log}");
            assert!(at_rest(&board), "{what}");
            ran += 1;
        }
    }
    println!("  cases {ran}: kept files of a version that is undone");
    assert_eq!(ran, 10);
}

#[test]
fn fault_60_a_kept_file_that_comes_between_staging_and_the_restart_is_the_owners() {
    let mut ran = 0;
    for file_system in BOTH {
        for (what, content, wanted) in [
            ("the owner's", &b"mine"[..], "mine"),
            // What a power cut on FAT may leave of the release's own.
            ("empty", b"", "as v1.1.0 has it"),
            ("the same", b"as v1.1.0 has it", "as v1.1.0 has it"),
        ] {
            for next in [app("v1.1.0"), broken("v1.1.0")] {
                let world = world(file_system, "", tiny("v1.0.0"));
                let board = world.board();
                let undone = next.0["app.py"].starts_with(b"V = 1");
                publish(&world, "v1.1.0", KEEP, next);
                board.run_with(&json!({"boots": 1})).unwrap();
                board.write("/config.json", content).unwrap();
                let log = run_on(&board, 3).output;
                let about = format!("{file_system:?} {what} {undone}: {log}");
                assert_eq!(version(&board), confirmed(if undone { "v1.0.0" } else { "v1.1.0" }), "{about}");
                let there = board.read("/config.json").ok();
                let stays = !undone || wanted == "mine";
                assert_eq!(there.as_deref(), stays.then_some(wanted.as_bytes()), "{about}");
                assert!(at_rest(&board), "{about}");
                ran += 1;
            }
        }
    }
    println!("  cases {ran}: files that come after staging");
    assert_eq!(ran, 12);
}

#[test]
fn fault_60_what_a_release_keeps_counts_and_not_what_the_one_before_kept() {
    let mut ran = 0;
    for file_system in BOTH {
        for (before, after, wanted, saved) in [
            ("", KEEP, Some("mine"), &[][..]),
            (KEEP, "", Some("as v1.1.0 has it"), &[("0-config.json", "mine")]),
            (KEEP, KEEP, Some("mine"), &[]),
            ("", "", Some("as v1.1.0 has it"), &[("0-config.json", "mine")]),
            (KEEP, "exclude = [\"config.json\"]", Some("mine"), &[]),
            ("", "exclude = [\"config.json\"]", None, &[("0-config.json", "mine")]),
        ] {
            let about = format!("{file_system:?} {before:?} {after:?}");
            let world =
                world(file_system, before, tiny("v1.0.0").with("config.json", "1").with("data/x", "x"));
            let board = world.board();
            board.write("/config.json", b"mine").unwrap();
            publish(
                &world,
                "v1.1.0",
                after,
                tiny("v1.1.0").with("config.json", "as v1.1.0 has it").with("data/x", "x"),
            );
            let log = run_on(&board, 1).output;
            assert_eq!(version(&board), confirmed("v1.1.0"), "{about}: {log}");
            let there = board.read("/config.json").ok().map(|bytes| String::from_utf8(bytes).unwrap());
            assert_eq!(there.as_deref(), wanted, "{about}: {log}");
            assert_eq!(aside(&board), copies(saved), "{about}: {log}");
            let said = log.contains("config.json was changed on the board, and is ");
            assert_eq!(said, !saved.is_empty(), "{about}: {log}");
            ran += 1;
        }
        // A folder in the place of a kept file stays, with what is in it.
        let mut world = limited();
        world.file_system = file_system;
        let board = world.board();
        let makes = "import os\nV = 'v1.0.0'\ntry:\n    os.mkdir('config.json')\nexcept OSError:\n    pass\n";
        board.write("/app.py", makes.as_bytes()).unwrap();
        run(&board);
        board.write("/config.json/deep", b"mine").unwrap();
        publish(&world, "v1.1.0", KEEP, app("v1.1.0"));
        let log = run_on(&board, 1).output;
        assert!(log.contains("kept, a folder in the place of a file: config.json"), "{log}");
        assert_eq!(text(&board, "/config.json/deep"), "mine");
        assert_eq!(version(&board), confirmed("v1.1.0"));
        ran += 1;
    }
    println!("  cases {ran}: files that are kept from now on, or no longer");
    assert_eq!(ran, 14);
}

#[test]
fn fault_60_a_changed_file_that_is_not_kept_can_be_had_back_until_the_next_update() {
    let first =
        tiny("v1.0.0").with("conf/a.txt", "a of v1.0.0").with("gone.txt", "gone").with("same.txt", "same");
    let (mut ran, edited) =
        (0, [("conf/a.txt", "my a"), ("gone.txt", "my gone"), ("settings.json", "my settings")]);
    for file_system in BOTH {
        for undone in [false, true] {
            let about = format!("{file_system:?} {undone}");
            let world = world(file_system, "", first.clone());
            let board = world.board();
            for (path, content) in edited {
                board.write(&format!("/{path}"), content.as_bytes()).unwrap();
            }
            let before = app_tree(&board);
            let next = first.clone().without("gone.txt").with("conf/a.txt", "a of v1.1.0");
            let next = next.with("settings.json", "the release's").with("app.py", "V = 'v1.1.0'\n");
            let next = next.with("lib/util.py", "# not changed by anybody but the release\n");
            publish(&world, "v1.1.0", "", if undone { next.with("app.py", "1 / 0\n") } else { next });
            let log = run_on(&board, 3).output;
            let said = "W conf/a.txt was changed on the board, and is replaced; a copy is .ota/kept/0-a.txt until the next update";
            assert!(
                log.contains(said) && log.contains("W gone.txt was changed on the board, and is removed"),
                "{log}"
            );
            let copies_of_mine =
                copies(&[("0-a.txt", "my a"), ("1-gone.txt", "my gone"), ("2-settings.json", "my settings")]);
            assert_eq!(aside(&board), copies_of_mine, "{about}: {log}");
            assert!(at_rest(&board), "{about}");
            if undone {
                assert_eq!(app_tree(&board), before, "{about}");
            } else {
                assert_eq!(text(&board, "/conf/a.txt"), "a of v1.1.0");
                assert_eq!(text(&board, "/settings.json"), "the release's");
                assert!(board.read("/gone.txt").is_err(), "{about}");
                // Nothing new on the server: they stay.
                run(&board);
                assert_eq!(aside(&board), copies_of_mine, "{about}");
                publish(
                    &world,
                    "v1.2.0",
                    "",
                    first.clone().with("app.py", "V = 'v1.2.0'\n").with("conf/a.txt", "a"),
                );
                let log = run_on(&board, 1).output;
                assert_eq!(version(&board), confirmed("v1.2.0"), "{about}: {log}");
                assert!(!log.contains("was changed on the board"), "{about}: {log}");
                assert_eq!(aside(&board), copies(&[]), "{about}");
            }
            ran += 1;
        }
    }
    println!("  cases {ran}: changed files that are replaced");
    assert_eq!(ran, 4);
}

/// Write a file that leaves about this many blocks of 4 KB of the 1 MB.
fn fill_but(board: &Board, free_blocks: u64) {
    let blocks = |size: u64| size.div_ceil(4096);
    let used: u64 =
        board.tree().unwrap().values().map(|file| file.as_ref().map_or(2, |file| blocks(file.0))).sum();
    board.write("/other.bin", &vec![b'o'; ((256 - 2 - used - free_blocks) * 4096) as usize]).unwrap();
}

#[test]
fn fault_60_without_room_for_a_copy_nothing_is_replaced_and_nothing_left_behind() {
    let mut ran = 0;
    for file_system in BOTH {
        for free_blocks in [30, 10] {
            let first = tiny("v1.0.0").with("big.bin", [b'1'; 10]);
            let world = world(file_system, "", first.clone());
            let board = world.board();
            board.write("/big.bin", &vec![b'm'; 200_000]).unwrap();
            fill_but(&board, free_blocks);
            let before = app_tree(&board);
            publish(&world, "v1.1.0", "", first.with("app.py", "V = 'v1.1.0'\n").with("big.bin", "2"));
            let refused = run_on(&board, 1);
            let log = &refused.output;
            assert!(log.contains(" KB of flash needed, "), "{file_system:?}: {log}");
            assert!(!log.contains("was changed on the board"), "{file_system:?}: {log}");
            assert!(refused.writes < 300, "not a copy each time: {} writes", refused.writes);
            assert_eq!((app_tree(&board), aside(&board)), (before, copies(&[])), "{file_system:?}: {log}");
            // With room it is installed.
            board.remove("/other.bin").unwrap();
            let log = run_on(&board, 1).output;
            assert_eq!(version(&board), confirmed("v1.1.0"), "{file_system:?}: {log}");
            assert_eq!(aside(&board), copies(&[("0-big.bin", &"m".repeat(200_000))]), "{log}");
            ran += 1;
        }
    }
    println!("  cases {ran}: a changed file and no room for a copy");
    assert_eq!(ran, 4);
}

#[test]
fn fault_60_a_kept_file_is_in_the_way_of_a_folder_and_a_kept_one_in_it_of_a_file() {
    let mut ran = 0;
    for file_system in BOTH {
        for (mine, theirs, why) in [
            ("conf", "conf/a", "conf is a file on the board, and a directory in the release"),
            (
                "conf/a",
                "conf",
                "conf is a directory on the board, with conf/a in it, and a file in the release",
            ),
        ] {
            let first = tiny("v1.0.0").with(mine, "of the release");
            let world = world(file_system, &format!("keep = [\"{mine}\"]"), first);
            let board = world.board();
            board.write(&format!("/{mine}"), b"mine").unwrap();
            let before = app_tree(&board);
            publish(&world, "v1.1.0", "", tiny("v1.1.0").with(theirs, "x"));
            let log = run_on(&board, 1).output;
            assert!(log.contains(&format!("refused: {why}")), "{file_system:?} {mine}: {log}");
            assert_eq!((app_tree(&board), version(&board)), (before, confirmed("v1.0.0")), "{mine}");
            ran += 1;
        }
    }
    println!("  cases {ran}: files and folders in each other's place");
    assert_eq!(ran, 4);
}

/// The build refuses to keep any of these. A board goes on getting them all the same.
#[test]
fn fault_60_the_updaters_own_files_are_replaced_whatever_their_lines_say() {
    let world = world(FileSystem::Lfs, "", with_updater(tiny("v1.0.0"), "lib/", Agent::Mpy, &[]));
    let board = world.board();
    let note = ("ota_app.py", "import json\n", "import json\n# another one\nprint('new updater')\n");
    let later = ("mpota/__init__.py", "class Refused", "print('new package')\n\n\nclass Refused");
    publish(&world, "v1.1.0", "", with_updater(tiny("v1.1.0"), "lib/", Agent::Mpy, &[note, later]));
    let path = world.bench.release_dir("v1.1.0").join("manifest.json");
    let mut manifest = Manifest::parse(&std::fs::read(&path).unwrap()).unwrap();
    let own =
        manifest.files.iter_mut().filter(|file| file.path.contains("ota_") || file.path.contains("mpota"));
    let marked = own.map(|file| file.keep = true).count();
    std::fs::write(&path, manifest.to_bytes().unwrap()).unwrap();
    let log = run_on(&board, 2).output;
    assert_eq!(version(&board), confirmed("v1.1.0"), "{log}");
    assert!(log.contains("new updater") && log.contains("new package"), "{log}");
    assert!(!log.contains("was changed on the board"), "{log}");
    println!("  cases {marked}: files of the updater with `keep` in their lines");
    assert!(marked > 30, "{marked}");
}

/// After an update that was cut and could not be undone nobody knows which files the owner has changed.
#[test]
fn fault_60_what_a_failed_undo_has_left_is_not_taken_for_the_owners() {
    let mut ran = 0;
    for repair in [false, true] {
        let world = world(FileSystem::Lfs, "", app("v1.0.0"));
        let board = world.board();
        for seq in [1_000_000_002, 1_000_000_003] {
            let mut record = Record::new(seq, State::Idle);
            (record.version, record.repair) = ("v1.0.0".to_owned(), repair);
            board.write(&format!("/.ota/state.{}", seq % 2), &record.to_bytes().unwrap()).unwrap();
        }
        board.write("/config.json", b"of another version").unwrap();
        publish(&world, "v1.1.0", "", app("v1.1.0"));
        let log = run_on(&board, 1).output;
        assert_eq!(version(&board), confirmed("v1.1.0"), "{log}");
        assert_eq!(aside(&board).len(), usize::from(!repair), "{log}");
        assert_eq!(text(&board, "/config.json"), "as v1.1.0 has it");
        ran += 1;
    }
    println!("  cases {ran}: boards with and without a damaged backup");
    assert_eq!(ran, 2);
}
