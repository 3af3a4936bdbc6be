//! Faults 50 and 51: the updater is a part of the release.

use crate::common::{Change, World, app_tree, confirmed, run, tiny, version, with_updater};
use crate::{at_rest, limited, run_on, takes_another};
use mpota_vboard::Board;
use mpota_vboard::bench::Agent;

/// What `boot()` begins with.
pub const BOOT: &str = "    global started, watchdog, _keep\n";

/// A board with an updater in this form, which is a part of its release, or was put there by hand.
fn board(world: &mut World, form: Agent, released: bool) -> Board {
    world.agent = form;
    if released {
        world.bench.withdraw("v1.0.0").unwrap();
        world.publish("v1.0.0", with_updater(tiny("v1.0.0"), "lib/", form, &[]));
    }
    world.board()
}

/// v1.1.0 has an updater with this change: in the end v1.0.0 is there, whole, and can be updated.
fn goes_back(form: Agent, released: bool, change: Change) {
    let about = format!("{change:?} {form:?}, released: {released}");
    let mut world = limited();
    let board = board(&mut world, form, released);
    let before = app_tree(&board);
    let app = tiny("v1.1.0").with("main.py", [tiny("v").0["main.py"].clone(), b"#\n".to_vec()].concat());
    world.publish("v1.1.0", with_updater(app, "lib/", form, &[change]));
    let log = run_on(&board, 4).output;
    assert!(log.contains("v1.1.0 is staged"), "{about}: {log}");
    // Blocked, or up again after hours: that depends on whether it crashed, or only resets.
    assert!(log.contains("back on v1.0.0; v1.1.0 "), "{about}: {log}");
    assert_eq!(app_tree(&board), before, "{about}");
    assert_eq!(version(&board), confirmed("v1.0.0"), "{about}");
    assert!(at_rest(&board), "{about}: {:?}", board.tree().unwrap());
    assert!(run(&board).output.contains("app v1.0.0 idle"), "{about}");
    takes_another(&world, &board, &about);
}

#[test]
fn fault_50_a_new_updater_that_fails_in_boot_or_has_none_is_put_back() {
    let mut ran = 0;
    for to in [
        "    1 / 0\n",
        "    while True:\n        pass\n",
        "    import machine\n    machine.reset()\n",
        "    raise SystemExit\n",
        "    return\n",
        "    global started\n    started += 1\n    return\n",
    ] {
        for (form, released) in [(Agent::Mpy, true), (Agent::Py, true), (Agent::Mpy, false)] {
            goes_back(form, released, ("ota_updater.py", BOOT, to));
            ran += 1;
        }
    }
    for (from, to) in [
        ("def boot(feed=None):", "def boot_later():"),
        ("import sys\n", "import sys\n1 / 0\n"),
        ("import sys\n", "import sys\nwhile True:\n    pass\n"),
        ("import sys\n", "import sys\n__import__('machine').reset()\n"),
        ("def use(name):", "def used(name):"),
    ] {
        for form in [Agent::Mpy, Agent::Py] {
            goes_back(form, true, ("ota_updater.py", from, to));
            ran += 1;
        }
    }
    println!("  cases {ran}: updaters that fail in boot(), or have none");
    assert_eq!(ran, 28);
}

#[test]
fn fault_50_a_new_updater_with_a_part_that_does_not_import_is_put_back() {
    let mut ran = 0;
    for name in [
        "ota_trial.py",
        "ota_swap.py",
        "ota_journal.py",
        "ota_files.py",
        "ota_plan.py",
        "ota_steps.py",
        "ota_moves.py",
    ] {
        for (form, released) in [(Agent::Mpy, true), (Agent::Py, true), (Agent::Mpy, false)] {
            goes_back(form, released, (name, "import ", "import not_there\nimport "));
            ran += 1;
        }
    }
    println!("  cases {ran}: updaters with a part that does not import");
    assert_eq!(ran, 21);
}

#[test]
fn fault_50_a_new_updater_that_could_not_make_the_next_update_is_put_back() {
    let mut ran = 0;
    for (name, _) in mpota_vboard::agent_files().unwrap() {
        if !name.starts_with("mpota/")
            && !["ota_app.py", "ota_keep.py", "ota_rescue.py"].contains(&name.as_str())
        {
            continue;
        }
        let source = std::fs::read_to_string(mpota_vboard::repository().join("device").join(&name)).unwrap();
        // Behind the text at its head, whatever comes first.
        let head = source.split("\"\"\"\n").next().unwrap().to_owned() + "\"\"\"\n";
        goes_back(Agent::Mpy, true, (&name, &head, &format!("{head}import not_there\n")));
        ran += 1;
    }
    println!("  cases {ran}: modules of an update that do not import");
    assert!(ran > 25, "{ran}");
}

/// Every file of the updater on the board, without its folder and its ending.
fn homes(board: &Board) -> Vec<(String, String, String)> {
    let mut found = Vec::new();
    for (path, what) in board.tree().unwrap() {
        let Some((folder, rest)) = ["/lib/", "/"].iter().find_map(|f| Some((*f, path.strip_prefix(f)?)))
        else {
            continue;
        };
        if what.is_some() && (rest.starts_with("ota_") || rest.starts_with("mpota/")) {
            let (stem, ending) = rest.rsplit_once('.').unwrap();
            found.push((folder.to_owned(), stem.to_owned(), ending.to_owned()));
        }
    }
    found
}

#[test]
fn fault_51_the_updater_moves_and_changes_its_form_and_is_there_once() {
    let mut ran = 0;
    let places = [("lib/", Agent::Mpy), ("lib/", Agent::Py), ("", Agent::Mpy), ("", Agent::Py)];
    for released in [true, false] {
        for (from, first) in places {
            for (to, second) in places {
                if (from, first) == (to, second) || (!released && from.is_empty()) {
                    continue;
                }
                let about = format!("{from:?} {first:?} to {to:?} {second:?}, released: {released}");
                let mut world = limited();
                world.flash = 1408 << 10; // of a Pico: the updater is there three times, as sources and with its backup
                let board = if from.is_empty() {
                    let board = board(&mut world, first, false);
                    world.publish("v1.0.1", with_updater(tiny("v1.0.1"), "", first, &[]));
                    let log = run(&board).output;
                    assert!(log.contains("v1.0.1 is installed"), "{about}: {log}");
                    board
                } else {
                    board(&mut world, first, released)
                };
                world.publish("v1.1.0", with_updater(tiny("v1.1.0"), to, second, &[]));
                let log = run(&board).output;
                assert!(log.contains("v1.1.0 is installed") && !log.contains("ota E"), "{about}: {log}");
                assert_eq!(version(&board), confirmed("v1.1.0"), "{about}");
                let ending = if second == Agent::Py { "py" } else { "mpy" };
                let here = homes(&board);
                let mut wanted: Vec<String> =
                    mpota_vboard::agent_files().unwrap().into_iter().map(|f| f.0).collect();
                wanted.retain(|name| {
                    here.contains(&(format!("/{to}"), name.trim_end_matches(".py").into(), ending.into()))
                });
                assert_eq!(wanted.len(), mpota_vboard::agent_files().unwrap().len(), "{about}: {here:?}");
                assert_eq!(here.len(), wanted.len(), "{about}: more than once: {here:?}");
                assert!(at_rest(&board), "{about}");
                // And back, and then a release without it.
                world.publish("v1.2.0", with_updater(tiny("v1.2.0"), from, first, &[]));
                let log = run(&board).output;
                assert!(log.contains("v1.2.0 is installed") && !log.contains("ota E"), "{about}: {log}");
                assert_eq!(homes(&board).len(), wanted.len(), "{about}: {:?}", homes(&board));
                takes_another(&world, &board, &about);
                ran += 1;
            }
        }
    }
    println!("  cases {ran}: places and forms of the updater");
    assert_eq!(ran, 18);
}

#[test]
fn fault_51_a_move_that_does_not_prove_itself_is_taken_back() {
    let mut ran = 0;
    for (to, form) in [("", Agent::Mpy), ("", Agent::Py), ("lib/", Agent::Py)] {
        for change in [
            ("ota_updater.py", BOOT, "    1 / 0\n"),
            ("ota_updater.py", "import sys\n", "import sys\n1 / 0\n"),
            ("ota_trial.py", "import gc\n", "import not_there\n"),
            ("mpota/plan.py", "import json\n", "import not_there\n"),
        ] {
            for released in [true, false] {
                let about = format!("{to:?} {form:?} {change:?}, released: {released}");
                let mut world = limited();
                let board = board(&mut world, Agent::Mpy, released);
                let before = app_tree(&board);
                world.publish("v1.1.0", with_updater(tiny("v1.1.0"), to, form, &[change]));
                let log = run_on(&board, 4).output;
                assert!(log.contains("back on v1.0.0; v1.1.0 is blocked: "), "{about}: {log}");
                assert_eq!(app_tree(&board), before, "{about}");
                assert!(at_rest(&board), "{about}");
                takes_another(&world, &board, &about);
                ran += 1;
            }
        }
    }
    println!("  cases {ran}: moves of updaters that fail");
    assert_eq!(ran, 24);
}

#[test]
fn fault_51_two_updaters_in_one_release_are_refused() {
    let mut ran = 0;
    let two = |more: &[&str]| {
        more.iter().fold(with_updater(tiny("v1.1.0"), "lib/", Agent::Mpy, &[]), |a, p| a.with(p, "#\n"))
    };
    let one = |one: &str, two: &str| format!("{one} and {two} are one module of the updater");
    let without = |name: &str| with_updater(tiny("v1.1.0"), "lib/", Agent::Mpy, &[]).without(name);
    let none = |path: &str, name: &str| format!("{path} is of the updater, and the release has no {name}:");
    for (app, reason) in [
        (two(&["ota_updater.py"]), one("lib/ota_updater.mpy", "ota_updater.py")),
        (two(&["lib/ota_updater.py"]), one("lib/ota_updater.mpy", "lib/ota_updater.py")),
        (two(&["lib/ota_swap.py"]), one("lib/ota_swap.mpy", "lib/ota_swap.py")),
        (two(&["mpota/http.py"]), one("lib/mpota/http.mpy", "mpota/http.py")),
        (two(&["lib/mpota/http.py"]), one("lib/mpota/http.mpy", "lib/mpota/http.py")),
        (two(&["lib/ota_swap/__init__.py"]), one("lib/ota_swap/__init__.py", "lib/ota_swap.mpy")),
        (with_updater(two(&[]), "", Agent::Py, &[]), one("lib/mpota/__init__.mpy", "mpota/__init__.py")),
        (two(&["mpota/more.py"]), "lib/mpota/__init__.mpy and mpota/more.py are of the updater".into()),
        (tiny("v1.1.0").with("ota_updater.py", "#\n"), none("ota_updater.py", "ota_swap")),
        (tiny("v1.1.0").with("lib/mpota/http.py", "#\n"), none("lib/mpota/http.py", "ota_updater")),
        (tiny("v1.1.0").with("ota_swap/__init__.py", "#\n"), none("ota_swap/__init__.py", "ota_updater")),
        (without("lib/ota_swap.mpy"), none("lib/mpota/__init__.mpy", "ota_swap")),
        (without("lib/mpota/__init__.mpy"), none("lib/mpota/accept.mpy", "mpota/__init__")),
    ] {
        let world = limited();
        let board = world.board();
        let before = app_tree(&board);
        world.publish("v1.1.0", app);
        let log = run(&board).output;
        assert!(log.contains(&format!("refused: {reason}")), "{ran}: {reason}: {log}");
        assert_eq!(app_tree(&board), before, "{ran}");
        takes_another(&world, &board, &reason);
        ran += 1;
    }
    println!("  cases {ran}: releases with two updaters, or with a part of one");
    assert_eq!(ran, 13);
}

#[test]
fn fault_51_a_module_that_the_new_updater_lacks_is_named_and_is_missed_in_the_trial() {
    let mut ran = 0;
    for released in [true, false] {
        for name in ["mpota/plan", "mpota/tls", "ota_app", "ota_keep", "ota_plan", "ota_steps", "ota_rescue"]
        {
            let about = format!("{name}, released: {released}");
            let mut world = limited();
            let board = board(&mut world, Agent::Mpy, released);
            let before = app_tree(&board);
            // Another guard, so that not only what the release lacks is exchanged.
            let app = with_updater(
                tiny("v1.1.0"),
                "lib/",
                Agent::Mpy,
                &[("ota_updater.py", BOOT, &format!("{BOOT}    pass\n"))],
            );
            world.publish("v1.1.0", app.without(&format!("lib/{name}.mpy")));
            let log = run_on(&board, 4).output;
            assert!(
                log.contains(&format!("ota W the updater of the release does without {name}\n")),
                "{about}: {log}"
            );
            assert!(log.contains("back on v1.0.0; v1.1.0 is blocked: "), "{about}: {log}");
            assert_eq!(app_tree(&board), before, "{about}");
            assert!(at_rest(&board), "{about}");
            takes_another(&world, &board, &about);
            ran += 1;
        }
    }
    // What nobody needs is no reason to stay.
    let mut world = limited();
    let board = board(&mut world, Agent::Mpy, false);
    board.write("/lib/mpota/extra.mpy", b"M").unwrap();
    world.publish("v1.1.0", with_updater(tiny("v1.1.0"), "lib/", Agent::Mpy, &[]));
    let log = run_on(&board, 4).output;
    assert!(log.contains("does without mpota/extra\n") && log.contains("v1.1.0 is installed"), "{log}");
    assert!(!board.tree().unwrap().contains_key("/lib/mpota/extra.mpy"), "{log}");
    println!("  cases {}: modules that a new updater lacks", ran + 1);
    assert_eq!(ran, 14);
}
