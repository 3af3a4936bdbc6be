//! Faults 53 and 73: there is not enough memory.

use crate::broken::with_template;
use crate::common::{World, app_tree, confirmed, tiny, version};
use crate::{at_rest, limited, run_on, takes_another};
use mpota_vboard::bench::{App, TINY_MAIN};
use mpota_vboard::{Board, End, FileSystem};
use serde_json::json;

/// Python that takes all of the memory but `free` bytes.
fn take(free: u32) -> String {
    format!(
        "def take():\n    hog = None\n    try:\n        while True:\n            if gc.mem_free() < {free} + 4096:\n                \
         gc.collect()\n                if gc.mem_free() < {free}:\n                    break\n            \
         hog = (bytearray(64), hog)\n    except MemoryError:\n        pass\n    return hog\n"
    )
}

/// The template, with an app that leaves `free` bytes of memory.
fn greedy(version: &str, free: u32) -> App {
    let app = format!(
        "import gc\nimport machine\nimport ota_main\nimport ota_updater\nimport updates\n\
         print('state', ota_updater.status()['state'])\n{}\
         def work():\n    global hog\n    hog = take()\n    print('ran', V)\n\
         def run():\n    work()\n    ota_main.look()\n    \
         updates.install()\n    machine.deepsleep(1)\n",
        take(free)
    );
    with_template(version, &app)
}

#[test]
fn fault_53_the_error_says_that_the_memory_is_not_enough() {
    let (mut ran, mut short) = (0, 0);
    for kb in [4, 8, 16, 24, 32, 48, 64, 96, 128] {
        let mut world = World::new();
        world.set("limits", "{'retries': 1}");
        let main = format!(
            "import gc, machine, ota_updater, secrets\n{}hog = take()\ntry:\n    \
             print('staged', ota_updater.update(secrets.CONFIG))\n\
             except ota_updater.OtaError as e:\n    del hog\n    print('memory', e.memory, e)\nmachine.deepsleep(1)\n",
            take(kb << 10)
        );
        world.publish("v1.1.0", tiny("v1.1.0"));
        let mut board = world.board();
        board.set_heap("400K");
        board.write("/main.py", main.as_bytes()).unwrap();
        let log = board.run().unwrap().output;
        if !log.contains("staged v1.1.0") {
            assert!(log.contains("memory True not enough memory: "), "{kb} KB: {log}");
            assert!(log.contains("; call early(True) and reset"), "{kb} KB: {log}");
            short += 1;
        }
        ran += 1;
    }
    println!("  cases {ran}: sizes of the memory that is left, {short} of which are too small");
    assert!(ran == 9 && short > 2 && short < 9, "{short} of {ran}");
}

#[test]
fn fault_53_the_template_updates_an_app_that_leaves_no_memory() {
    let mut ran = 0;
    for kb in [4, 8, 12, 16] {
        let world = World::new();
        world.bench.withdraw("v1.0.0").unwrap();
        world.publish("v1.0.0", greedy("v1.0.0", kb << 10));
        world.publish("v1.1.0", greedy("v1.1.0", kb << 10));
        let mut board = world.board();
        board.set_heap("400K");
        let run = board.run_with(&json!({"boots": 15, "sleeps": 2})).unwrap();
        let log = run.output;
        assert_eq!(run.end, End::Sleep, "{kb} KB: {log}");
        assert!(log.contains("ota W no update: not enough memory: "), "{kb} KB: {log}");
        assert!(log.contains("v1.1.0 is installed") && log.contains("ran v1.1.0"), "{kb} KB: {log}");
        assert_eq!(version(&board), confirmed("v1.1.0"), "{kb} KB");
        // And again: the way is no other for the next one.
        world.publish("v1.2.0", greedy("v1.2.0", kb << 10));
        let log = board.run_with(&json!({"boots": 15, "sleeps": 2})).unwrap().output;
        assert!(log.contains("v1.2.0 is installed"), "{kb} KB: {log}");
        ran += 1;
    }
    println!("  cases {ran}: apps that leave no memory");
    assert_eq!(ran, 4);
}

#[test]
fn fault_53_a_hang_ends_where_nothing_can_be_imported_any_more() {
    // As when the memory is gone: use() raises in the timer's callback.
    let none_left = "import sys\ndef none_left(name):\n    raise MemoryError()\nsys.modules['ota_trial'].use = none_left\n";
    let main =
        TINY_MAIN.replace("        ota_updater.confirm()\n", "").replace("machine.deepsleep(1)\n", none_left);
    let world = limited();
    world.publish("v1.1.0", tiny("v1.1.0").with("main.py", main + "while True:\n    pass\n"));
    let board = world.board();
    let log = run_on(&board, 2).output;
    assert!(log.contains("back on v1.0.0; v1.1.0 "), "{log}");
    assert_eq!(version(&board), confirmed("v1.0.0"));
    println!("  cases 1: a trial that ends without memory");
}

#[test]
fn fault_73_a_staged_release_with_many_files_is_installed_or_given_up() {
    let many = |version: &str| {
        (0..300).fold(tiny(version), |app, i| app.with(&format!("many/{i}.txt"), format!("{version} {i}\n")))
    };
    let world = limited();
    world.bench.withdraw("v1.0.0").unwrap();
    world.publish("v1.0.0", many("v1.0.0"));
    world.publish("v1.1.0", many("v1.1.0"));
    let config = world.board().read("/secrets.py").unwrap();
    let folder = world.bench.board_folder("v1.0.0", world.agent, &[("secrets.py", &config)]).unwrap();
    let mut board = Board::with_size(&world.micropython, FileSystem::LfsSmall, 2 << 20, &folder).unwrap();
    let before = app_tree(&board);
    let log = board.run_with(&json!({"boots": 1})).unwrap().output;
    assert!(log.contains("v1.1.0 is staged"), "{log}");
    let staged = std::fs::read(board.image()).unwrap();
    board.run_with(&json!({"boots": 1})).unwrap();
    let swapping = std::fs::read(board.image()).unwrap();
    let (mut ran, mut installed, mut given_up) = (0, 0, 0);
    for image in [staged, swapping] {
        // With 80 KB the virtual board itself leaves too little to go on or back in 30 starts each.
        for kb in (90..=160).step_by(10) {
            std::fs::write(board.image(), &image).unwrap();
            board.set_heap(&format!("{kb}K"));
            let options = json!({"boots": 80, "sleeps": 1, "wifi": false, "timer_divide": 10, "sleep_divide": 1000, "repl_ms": 100});
            let Ok(run) = board.run_with(&options) else {
                continue; // not even the virtual board itself runs in so little
            };
            assert!(run.boots < 80, "{kb} KB: it resets for ever: {}", run.output);
            // With memory again it comes to rest, and takes another.
            board.set_heap("2M");
            let log = board.run_with(&json!({"sleeps": 2, "timer_divide": 10})).unwrap().output;
            if version(&board) == confirmed("v1.1.0") {
                installed += 1;
            } else {
                assert_eq!(app_tree(&board), before, "{kb} KB: {}{log}", run.output);
                given_up += 1;
            }
            takes_another(&world, &board, &format!("{kb} KB"));
            world.bench.withdraw("v9.0.0").unwrap();
            assert!(at_rest(&board), "{kb} KB");
            ran += 1;
        }
    }
    println!("  cases {ran}: heaps, {installed} with the new version, {given_up} with the old one");
    assert!(ran > 8 && installed > 2, "{ran}, {installed}, {given_up}");
}
