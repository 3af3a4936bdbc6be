//! Fault 54: releases of tomorrow, and the updater of yesterday.

use crate::common::{World, app_tree, confirmed, run, text, tiny, updater_of, version, with_updater};
use crate::{at_rest, limited, run_on, takes_another};
use mpota_vboard::Board;
use mpota_vboard::bench::{Agent, App};

/// Put this behind the version in the header, and this at the end of each file line.
fn tomorrow(world: &World, header: (&str, &str), line: &str) {
    let path = world.bench.release_dir("v1.1.0").join("manifest.json");
    let text = std::fs::read_to_string(&path).unwrap();
    let (first, rest) = text.split_once('\n').unwrap();
    let (head, _) = first.split_once(",\"files\":[").unwrap();
    let version = "\"version\":\"v1.1.0\"";
    assert!(head.contains(version), "{head}");
    let head = head.replace(version, &format!("{version}{}", header.0));
    let mut out = format!("{head}{},\"files\":[\n", header.1);
    for row in rest.lines() {
        match row.strip_suffix("},").map(|r| (r, "},")).or_else(|| row.strip_suffix('}').map(|r| (r, "}"))) {
            Some((r, end)) if r.starts_with("{\"path\"") => out += &format!("{r}{line}{end}\n"),
            _ => out += &format!("{row}\n"),
        }
    }
    assert!(out.len() > text.len());
    std::fs::write(path, out).unwrap();
}

#[test]
fn fault_54_what_may_be_passed_over_is_and_the_release_installed() {
    let mut ran = 0;
    for (header, line) in [
        (",\"more\":{\"percent\":25}", ""),
        ("", ",\"more\":{\"mode\":\"rx\"}"),
        (
            ",\"more\":{\"a\":1,\"b\":\"two\",\"c\":[\"x\",3]}",
            ",\"more\":{\"delta-from\":[\"v1.0.0\",12],\"z\":\"\"}",
        ),
    ] {
        let world = limited();
        let board = world.board();
        world.publish("v1.1.0", tiny("v1.1.0"));
        tomorrow(&world, ("", header), line);
        let manifest = std::fs::read(world.bench.release_dir("v1.1.0").join("manifest.json")).unwrap();
        let log = run(&board).output;
        assert!(log.contains("v1.1.0 is installed"), "{header}{line}: {log}");
        assert_eq!(board.read("/.ota/manifest.json").unwrap(), manifest, "{header}{line}");
        takes_another(&world, &board, header);
        ran += 1;
    }
    println!("  cases {ran}: releases with more");
    assert_eq!(ran, 3);
}

#[test]
fn fault_54_what_may_not_be_passed_over_is_refused_by_name() {
    let mut ran = 0;
    for (after_version, at_end, line, said) in [
        (",\"needs\":[\"delta\"]", "", "", "delta"),
        (
            ",\"needs\":[\"firmware\",\"delta-2\"]",
            ",\"images\":[{\"for\":\"rp2\"}]",
            ",\"from\":\"v1.0.0\"",
            "firmware, delta-2",
        ),
        (",\"requires\":{\"psram\":2048}", "", "", "requires.psram"),
        (",\"requires\":{\"micropython\":\"1.21\",\"psram\":2048,\"x-y\":[]}", "", "", "requires."),
        (",\"needs\":[\"delta\"],\"requires\":{\"psram\":1}", "", "", "delta, requires.psram"),
    ] {
        let world = limited();
        let board = world.board();
        let before = app_tree(&board);
        world.publish("v1.1.0", tiny("v1.1.0"));
        tomorrow(&world, (after_version, at_end), line);
        let log = run(&board).output;
        assert!(
            log.contains(&format!("refused: needs an updater that knows: {said}")),
            "{after_version}: {log}"
        );
        assert_eq!((app_tree(&board), version(&board)), (before, confirmed("v1.0.0")), "{after_version}");
        takes_another(&world, &board, after_version);
        ran += 1;
    }
    println!("  cases {ran}: releases that need more");
    assert_eq!(ran, 5);
}

/// The frozen updater: see its README.
fn frozen() -> Vec<(String, Vec<u8>)> {
    let folder = mpota_vboard::repository().join("crates/mpota-vboard/tests/fixtures/updater-1");
    let mut files = Vec::new();
    for inner in ["", "mpota/"] {
        for entry in std::fs::read_dir(folder.join(inner)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if name.ends_with(".py") {
                files.push((format!("{inner}{name}"), std::fs::read(&path).unwrap()));
            }
        }
    }
    files
}

/// A world whose limits the updater of yesterday has too.
fn known_to_both() -> World {
    let mut world = World::new();
    world.set("limits", "{'trial_s': 150, 'retries': 1}");
    world
}

/// A board with the frozen updater, put there by hand or by its release.
fn old_board(world: &World, form: Agent, released: bool) -> Board {
    let old = |app: App| updater_of(frozen(), app, "lib/", form, &[]);
    world.bench.withdraw("v1.0.0").unwrap();
    world.publish("v1.0.0", old(tiny("v1.0.0")));
    let board = world.board();
    if !released {
        // Its release does not have it.
        world.bench.withdraw("v1.0.0").unwrap();
        world.publish("v1.0.0", tiny("v1.0.0"));
        let manifest = std::fs::read(world.bench.release_dir("v1.0.0").join("manifest.json")).unwrap();
        board.write("/.ota/manifest.json", &manifest).unwrap();
    }
    board
}

#[test]
fn fault_54_a_board_with_the_updater_of_yesterday_gets_to_the_newest_release() {
    let mut ran = 0;
    assert_eq!(frozen().len(), 38);
    for (old, new) in
        [(Agent::Mpy, Agent::Mpy), (Agent::Py, Agent::Mpy), (Agent::Mpy, Agent::Py), (Agent::Py, Agent::Py)]
    {
        for released in [true, false] {
            let about = format!("{old:?} to {new:?}, released: {released}");
            let world = known_to_both();
            let board = old_board(&world, old, released);
            // Whatever today's has, this one is another.
            let changes = [("ota_updater.py", "started = 0", "NEWER = 1\nstarted = 0")];
            let two = with_updater(tiny("v1.1.0"), "lib/", new, &changes);
            world.publish("v1.1.0", two.clone());
            let log = run(&board).output;
            assert!(log.contains("v1.1.0 is installed"), "{about}: {log}");
            assert_eq!(version(&board), confirmed("v1.1.0"), "{about}");
            let (here, gone) = if new == Agent::Py { ("py", "mpy") } else { ("mpy", "py") };
            assert_eq!(
                board.read(&format!("/lib/ota_updater.{here}")).unwrap(),
                two.0[&format!("lib/ota_updater.{here}")],
                "{about}"
            );
            assert!(!app_tree(&board).contains_key(&format!("/lib/ota_updater.{gone}")), "{about}");
            assert!(at_rest(&board), "{about}");
            // One more, with the updater as it is in the repository.
            world.publish("v1.2.0", with_updater(tiny("v1.2.0"), "lib/", new, &[]));
            let log = run(&board).output;
            assert!(log.contains("v1.2.0 is installed"), "{about}: {log}");
            takes_another(&world, &board, &about);
            ran += 1;
        }
    }
    println!("  cases {ran}: updaters of yesterday");
    assert_eq!(ran, 8);
}

#[test]
fn fault_54_the_updater_of_yesterday_comes_back_where_the_new_one_fails() {
    let mut ran = 0;
    for change in [
        ("ota_updater.py", "    global started, watchdog, _keep\n", "    1 / 0\n"),
        ("ota_updater.py", "import sys\n", "import sys\n1 / 0\n"),
        ("ota_trial.py", "import gc\n", "import not_there\n"),
        ("mpota/fetch.py", "import os\n", "import not_there\n"),
    ] {
        let world = known_to_both();
        let board = old_board(&world, Agent::Py, true);
        let before = app_tree(&board);
        world.publish("v1.1.0", with_updater(tiny("v1.1.0"), "lib/", Agent::Mpy, &[change]));
        let log = run_on(&board, 4).output;
        assert!(log.contains("back on v1.0.0; v1.1.0 is blocked: "), "{change:?}: {log}");
        assert_eq!(app_tree(&board), before, "{change:?}");
        assert!(text(&board, "/lib/ota_updater.py").contains("def boot():"));
        takes_another(&world, &board, change.0);
        ran += 1;
    }
    println!("  cases {ran}: new updaters that fail");
    assert_eq!(ran, 4);
}
