//! Faults 29 to 34 of faults.md on whole boards. 26 to 28, and these again at every write, are in
//! `cargo xtask powercut`.

#![allow(clippy::unwrap_used, reason = "these are tests")]

mod common;

use common::{SETTINGS, World, app_tree, confirmed, run, run_fast, text, tiny, version};
use mpota_vboard::bench::Agent;
use mpota_vboard::{Board, End, FileSystem};
use serde_json::json;

#[test]
fn fault_29_broken_journals_start_the_app_and_delete_nothing() {
    let world = World::new();
    let garbage: [(&str, &[u8]); 6] = [
        ("empty", b""),
        ("short", b"3f"),
        ("zeros", &[0; 512]),
        ("erased", &[0xff; 512]),
        ("no crc", br#"00000000 {"seq":9,"state":"undoing","next":"v9.0.0"}"#),
        ("text", b"hello, world\n"),
    ];
    let mut ran = 0;
    for (name, content) in garbage {
        for both in [false, true] {
            let board = world.board();
            board.write("/.ota/state.1", content).unwrap();
            if both {
                board.write("/.ota/state.0", content).unwrap();
            }
            board.write("/data.bin", b"mine").unwrap();
            let before = board.tree().unwrap();
            let run = board.run_with(&json!({"wifi": false})).unwrap();
            assert_eq!((run.end, run.writes), (End::Sleep, 0), "{name}: {}", run.output);
            assert!(run.output.contains("app v1.0.0"), "{name}");
            assert_eq!(board.tree().unwrap(), before, "{name}");
            ran += 1;
        }
    }
    println!("  cases {ran}: broken journals");
    assert_eq!(ran, 12);
    // And the board can still be updated.
    let board = world.board();
    board.write("/.ota/state.1", b"").unwrap();
    world.publish("v1.1.0", tiny("v1.1.0"));
    assert!(common::run(&board).output.contains("v1.1.0 is installed"));
}

#[test]
fn fault_30_a_full_flash_leaves_the_old_version_running_and_its_space_free() {
    let world = World::new();
    let big = (0..40_000_u32).map(|i| ((i * 7919) >> 3) as u8).collect::<Vec<u8>>();
    world.publish("v1.1.0", tiny("v1.1.0").with("big.bin", &big));
    let (mut refused, mut installed) = (0, 0);
    // From no room at all to enough of it, block by block.
    for blocks in 62..122 {
        let folder = world
            .bench
            .board_folder(
                "v1.0.0",
                Agent::Mpy,
                &[
                    ("settings.json", SETTINGS),
                    (
                        "secrets.py",
                        mpota_vboard::bench::config(&[
                            ("base_url", &format!("'{}'", world.server.base_url())),
                            ("limits", "{'retries': 1}"),
                        ])
                        .as_bytes(),
                    ),
                ],
            )
            .unwrap();
        let Ok(board) = Board::with_size(&world.micropython, FileSystem::Lfs, blocks << 12, &folder) else {
            continue; // not even v1.0.0 fits
        };
        let before = app_tree(&board);
        let run = run(&board);
        assert_eq!(run.end, End::Sleep, "{blocks} blocks");
        if run.output.contains("v1.1.0 is installed") {
            installed += 1;
        } else {
            assert!(run.output.contains("refused: "), "{blocks} blocks: {}", run.output);
            assert_eq!(app_tree(&board), before, "{blocks} blocks");
            refused += 1;
        }
    }
    println!("  cases {}: flash sizes, {refused} too small, {installed} big enough", refused + installed);
    assert!(refused > 3 && installed > 3, "{refused} refused, {installed} installed");
}

#[test]
fn fault_30_running_out_of_memory_anywhere_loses_nothing() {
    let world = World::new();
    world.publish("v1.1.0", tiny("v1.1.0"));
    let (mut old, mut new) = (0, 0);
    for kb in (24..150).step_by(4) {
        let mut board = world.board();
        let before = app_tree(&board);
        board.set_heap(&format!("{kb}K"));
        let Ok(_) = board.run_with(&json!({"timer_divide": 1000, "sleeps": 3, "boots": 12, "repl_ms": 500}))
        else {
            continue; // not even the virtual board itself runs in so little
        };
        board.set_heap("2M");
        // With memory again it comes to rest, and takes a later release.
        let run = run_fast(&board, 2);
        assert!(run.output.contains("app v1."), "{kb} KB: {}", run.output);
        match version(&board) {
            v if v == confirmed("v1.1.0") => new += 1,
            v => {
                assert_eq!(v, confirmed("v1.0.0"), "{kb} KB");
                assert_eq!(app_tree(&board), before, "{kb} KB");
                old += 1;
            }
        }
    }
    println!("  cases {}: heap sizes, {old} stayed, {new} updated", old + new);
    assert!(old + new > 10);
}

#[test]
fn fault_31_a_staged_file_that_changed_is_found_before_the_swap() {
    let mut ran = 0;
    for content in [&b""[..], b"V = 'v1.1.x'\n"] {
        let world = World::new();
        world.publish("v1.1.0", tiny("v1.1.0"));
        let board = world.board();
        let before = app_tree(&board);
        board.run_with(&json!({"boots": 1})).unwrap();
        let staged = board.tree().unwrap();
        let number = staged.keys().find(|p| p.starts_with("/.ota/new/") && p.ends_with("/0")).unwrap();
        board.write(number, content).unwrap();
        let run = board.run_with(&json!({"wifi": false})).unwrap();
        assert!(run.output.contains("v1.1.0 not installed: no longer as it was staged"), "{}", run.output);
        assert!(run.output.contains("app v1.0.0"));
        assert_eq!(app_tree(&board), before);
        assert!(common::run(&board).output.contains("v1.1.0 is installed"), "the next try succeeds");
        ran += 1;
    }
    assert_eq!(ran, 2);
}

#[test]
fn fault_32_leftovers_of_an_older_update_do_no_harm() {
    let world = World::new();
    world.publish("v1.1.0", tiny("v1.1.0"));
    let board = world.board();
    run(&board);
    let clean = app_tree(&board);
    let board = world.board();
    let mut left = 0;
    world.publish("v1.1.0-rc.1", tiny("v1.1.0-rc.1"));
    board.run_with(&json!({"boots": 1})).unwrap(); // makes the folders, stages v1.1.0
    for name in ["new/0", "new/7", "new/rollback.py", "old/0", "old/r3"] {
        board.write(&format!("/.ota/{name}"), b"left over").unwrap();
        left += 1;
    }
    println!("  cases {left}: leftovers");
    assert_eq!(left, 5);
    run(&board);
    assert!(run(&board).output.contains("app v1.1.0"));
    assert_eq!(app_tree(&board), clean);
    assert!(
        !board.tree().unwrap().keys().any(|p| p.starts_with("/.ota/new/") || p.starts_with("/.ota/old/"))
    );
}

#[test]
fn fault_33_a_file_where_a_directory_is_and_the_other_way_round() {
    // A folder of the board's own stands where the release has a file.
    let world = World::new();
    world.publish("v1.1.0", tiny("v1.1.0").with("readings", "a file"));
    let board = world.board();
    let folder = world.bench.board_folder("v1.0.0", Agent::Mpy, &[("readings/today.csv", b"1,2")]).unwrap();
    let config = board.read("/secrets.py").unwrap();
    std::fs::write(folder.join("secrets.py"), config).unwrap();
    let board = Board::new(&world.micropython, FileSystem::Lfs, &folder).unwrap();
    let before = app_tree(&board);
    let log = run(&board).output;
    assert!(
        log.contains("refused: readings is a directory on the board, with readings/today.csv in it"),
        "{log}"
    );
    assert_eq!(app_tree(&board), before);

    // A file of the board's own stands where the release has a folder.
    let world = World::new();
    world.publish("v1.1.0", tiny("v1.1.0").with("readings/first.csv", "1"));
    let board = world.board();
    board.write("/readings", b"mine").unwrap();
    let before = app_tree(&board);
    let log = run(&board).output;
    assert!(
        log.contains("refused: readings is a file on the board, and a directory in the release"),
        "{log}"
    );
    assert_eq!(app_tree(&board), before);

    // Files of the old release make way, in both directions.
    let world = World::new();
    world.publish(
        "v1.1.0",
        tiny("v1.1.0")
            .without("assets/logo.bin")
            .with("assets", "file")
            .with("app.py/x", "1")
            .without("app.py")
            .with("main.py", "import ota_updater\nota_updater.boot()\nota_updater.confirm()\n"),
    );
    let board = world.board();
    assert!(run(&board).output.contains("v1.1.0 is installed"));
    assert!(app_tree(&board).contains_key("/app.py/x") && app_tree(&board)["/assets"].is_some());
}

#[test]
fn fault_33_a_file_of_the_release_is_open() {
    let world = World::new();
    let main = mpota_vboard::bench::TINY_MAIN
        .replace("import app\n", "import app\nkept = open('assets/logo.bin', 'rb')\n");
    world.bench.withdraw("v1.0.0").unwrap();
    world.publish("v1.0.0", tiny("v1.0.0").with("main.py", main.clone()));
    world.publish("v1.1.0", tiny("v1.1.0").with("main.py", main).with("assets/logo.bin", "smaller"));
    let board = world.board();
    assert!(run(&board).output.contains("v1.1.0 is installed"));
    assert_eq!(board.read("/assets/logo.bin").unwrap(), b"smaller");
}

#[test]
fn fault_34_a_thousand_files_a_big_one_empty_ones_and_odd_names() {
    let world = World::new();
    let mut app = tiny("v1.1.0");
    for i in 0..1000 {
        app = app.with(&format!("many/{:02}/{i}.txt", i / 50), format!("file {i}\n"));
    }
    let big: Vec<u8> = (0..1_000_000_u32).map(|i| (i.wrapping_mul(2_654_435) >> 7) as u8).collect();
    app = app.with("big.bin", &big).with("empty", "").with("also empty.txt", "").with("Größe & Maß.txt", "Ü");
    world.publish("v1.1.0", app.clone());
    let folder = {
        let board = world.board();
        let config = board.read("/secrets.py").unwrap();
        world.bench.board_folder("v1.0.0", Agent::Mpy, &[("secrets.py", &config)]).unwrap()
    };
    // LittleFS takes a block of 4 KB for most of them: 1,000 in the folder, and their copies' names.
    let board = Board::with_size(&world.micropython, FileSystem::Lfs, 16 << 20, &folder).unwrap();
    let run = board.run_with(&json!({"limit_ms": 300_000})).unwrap();
    assert!(
        run.output.contains("v1.1.0 is installed"),
        "{}",
        &run.output[run.output.len().saturating_sub(2000)..]
    );
    let tree = app_tree(&board);
    assert_eq!(tree.keys().filter(|p| p.starts_with("/many/") && p.ends_with(".txt")).count(), 1000);
    assert_eq!(tree["/big.bin"].as_ref().unwrap().0, 1_000_000);
    assert_eq!(tree["/empty"].as_ref().unwrap().0, 0);
    assert_eq!(board.read("/Größe & Maß.txt").unwrap(), "Ü".as_bytes());
    println!("  cases 1: 1,004 files more, {} writes, {} reads", run.writes, run.reads);
}

#[test]
fn fault_30_a_version_that_fills_the_flash_or_the_memory_is_undone() {
    let mut ran = 0;
    let fill_flash = "n = 0
try:
    while True:
        with open('fill%d' % n, 'wb') as f:
            f.write(bytearray(4000))
        n += 1
except OSError:
    pass
while True:
    pass
";
    let fill_memory = "kept = []
try:
    while True:
        kept.append(bytearray(2000))
except MemoryError:
    pass
try:
    while True:
        kept.append([0])
except MemoryError:
    pass
while True:
    pass
";
    for file_system in [FileSystem::Lfs, FileSystem::LfsSmall, FileSystem::Fat] {
        for (name, main) in [("flash", fill_flash), ("memory", fill_memory)] {
            let mut world = World::new();
            world.file_system = file_system;
            world.set(
                "limits",
                "{'trial_resets': 2, 'trial_starts': 2, 'trial_s': 400, 'trial_wait_s': 400, 'retries': 1}",
            );
            world.publish("v1.1.0", tiny("v1.1.0").with("main.py", main));
            let mut board = world.board();
            board.set_heap("256K");
            let run = board
                .run_with(&json!({"timer_divide": 100, "sleeps": 4, "boots": 12, "repl_ms": 10_000}))
                .unwrap();
            assert!(run.output.contains("trial of v1.1.0"), "{name} {file_system:?}: {}", run.output);
            assert!(run.output.contains("back on v1.0.0"), "{name} {file_system:?}: {}", run.output);
            assert_eq!(run.end, End::Sleep, "{name} {file_system:?}");
            ran += 1;
        }
    }
    assert_eq!(ran, 6);
}

#[test]
fn limits_that_are_no_numbers_are_refused_and_not_written_down() {
    let mut ran = 0;
    for limits in ["{'trial_resets': '3'}", "{'trial_s': None}", "{'retries': 0}", "7"] {
        let mut world = World::new();
        world.publish("v1.1.0", tiny("v1.1.0"));
        world.set("limits", limits);
        let board = world.board();
        let run = run(&board);
        assert!(run.output.contains("refused:") && run.end == End::Sleep, "{limits}: {}", run.output);
        ran += 1;
    }
    assert_eq!(ran, 4);
}

/// A file of several blocks whose last one has lost the list of those before it: LittleFS calls it corrupt.
fn plant_corrupt(board: &Board, path: &str, block: usize) {
    let marked: Vec<u8> =
        (0..9000_u32).flat_map(|i| format!("{i:05} {path}\n").into_bytes()).take(30_000).collect();
    board.write(path, &marked).unwrap();
    let mut image = std::fs::read(board.image()).unwrap();
    let end = &marked[marked.len() - 60..];
    let at = image.windows(end.len()).position(|w| w == end).expect("its end lies on the flash");
    let start = at / block * block;
    image[start..start + 8].fill(0xff);
    std::fs::write(board.image(), image).unwrap();
}

#[test]
fn fault_28_a_file_that_littlefs_calls_corrupt_is_in_the_way_of_no_update() {
    let updated = || {
        let world = World::new();
        world.publish("v1.1.0", tiny("v1.1.0"));
        let board = world.board();
        run(&board);
        world.publish("v1.2.0", tiny("v1.2.0").with("big.bin", [7; 9000]));
        (world, board)
    };
    let mut cases = 0;
    for path in ["/version.json", "/.ota/old/99", "/.ota/new/99", "/.ota/new/incoming", "/.ota/state.1"] {
        let (_world, board) = updated();
        plant_corrupt(&board, path, 4096);
        let log = run(&board).output + &run(&board).output;
        assert_eq!(version(&board), confirmed("v1.2.0"), "{path}: {log}");
        cases += 1;
    }
    println!("  cases {cases}: corrupt files");
    assert_eq!(cases, 5);
    // A file of the app is the app's, and the log says what is to be done.
    let (_world, board) = updated();
    plant_corrupt(&board, "/readings.bin", 4096);
    let log = run(&board).output;
    assert!(log.contains("refused: readings.bin is corrupt"), "{log}");
    board.remove("/readings.bin").unwrap();
    let log = run(&board).output;
    assert_eq!(version(&board), confirmed("v1.2.0"), "{log}");
}

#[test]
fn fault_28_a_corrupt_file_does_not_keep_a_trial_from_its_end() {
    // On small blocks the journal's record takes a block of its own.
    let mut world = World::new();
    world.file_system = FileSystem::LfsSmall;
    world.publish("v1.1.0", tiny("v1.1.0"));
    let board = world.board();
    let swapped = board.run_with(&json!({"boots": 3})).unwrap();
    assert_eq!(text(&board, "/app.py"), "V = 'v1.1.0'\n", "{}", swapped.output);
    plant_corrupt(&board, "/.ota/new/99", 512);
    let log = run(&board).output;
    assert!(log.contains("trial of v1.1.0, start by power, 1 of"), "{log}");
    assert!(log.contains("corrupt, and so removed: .ota/new/99"), "{log}");
    assert_eq!(version(&board), confirmed("v1.1.0"), "{log}");
}
