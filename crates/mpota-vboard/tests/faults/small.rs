//! Fault 60's neighbour: many small files on a flash with little room.

use serde_json::json;

use crate::common::{app_tree, confirmed, tiny, version};
use crate::{at_rest, limited, run_on};
use mpota_vboard::Board;
use mpota_vboard::bench::App;

const FILES: usize = 300;

fn content_of(version: &str, size: usize, i: usize) -> String {
    format!("{version} {i} ").repeat(100)[..size].to_owned()
}

/// The app with so many files of this size.
fn app(version: &str, files: usize, size: usize) -> App {
    let with = |app: App, i| app.with(&format!("data/{i}.txt"), content_of(version, size, i));
    (0..files).fold(tiny(version), with)
}

/// The numbers of "12 KB of flash needed, 8 KB free".
fn needed_and_free(log: &str) -> (i64, i64) {
    let number = |before: &str| {
        let end = log.find(before).unwrap_or_else(|| panic!("{log}"));
        log[..end].rsplit([' ', '\n']).next().unwrap().parse::<i64>().unwrap()
    };
    (number(" KB of flash needed, "), number(" KB free"))
}

/// LittleFS keeps a file until the new one is written: so it has to go first.
fn replace(board: &Board, size: usize) {
    board.remove("/other.bin").unwrap();
    board.write("/other.bin", &vec![b'o'; size]).unwrap();
}

#[test]
fn fault_60_small_files_need_little_room_and_what_is_asked_for_is_enough() {
    let mut ran = 0;
    for size in [12, 120, 600] {
        for breaks in [false, true] {
            let about = format!("{size} {breaks}");
            let mut world = limited();
            world.flash = 4 << 20;
            world.bench.withdraw("v1.0.0").unwrap();
            world.publish("v1.0.0", app("v1.0.0", FILES, size));
            let board = world.board();
            let next = app("v1.1.0", FILES, size);
            world.publish("v1.1.0", if breaks { next.with("app.py", "1 / 0\n") } else { next });
            // A file that takes nearly all there is.
            let mut other = (4 << 20) - (200 << 10);
            while board.write("/other.bin", &vec![b'o'; other]).is_err() {
                other -= 16 << 10;
            }
            // Room for the manifest and the plan.
            other -= 120 << 10;
            replace(&board, other);
            let mut before = app_tree(&board);
            let (mut log, mut asked) = (run_on(&board, 0).output, 0);
            // What is asked for, and not a block more. On a full flash LittleFS may count blocks twice.
            while log.contains("of flash needed") {
                let (needed, free) = needed_and_free(&log);
                assert!(needed >= free && (size > 128 || needed < 600), "{about}: {log}");
                assert_eq!(app_tree(&board), before, "{about}: {log}");
                other -= (usize::try_from((needed - free).max(1)).unwrap() << 10).next_multiple_of(4096);
                replace(&board, other);
                before = app_tree(&board);
                log = run_on(&board, 2).output;
                asked = needed;
            }
            assert!(asked > 0, "{about}: {log}");
            assert!(!log.contains("no space left") && !log.contains("Errno 28"), "{about}: {log}");
            if breaks {
                assert!(log.contains("back on v1.0.0; v1.1.0 is blocked"), "{about}: {log}");
            } else {
                assert_eq!(version(&board), confirmed("v1.1.0"), "{about}: {log}");
            }
            assert!(at_rest(&board), "{about}: {log}");
            println!("  {FILES} files of {size} bytes: {asked} KB asked for");
            ran += 1;
        }
    }
    println!("  cases {ran}: many small files, and little room");
    assert_eq!(ran, 6);
}

/// An app logs its data, and the flash is full when the exchange begins, or in the middle of it. A move of LittleFS
/// that finds no room is in the file system's memory as one that has begun: the next write would end it, and the file
/// would be nowhere.
#[test]
fn fault_60_a_flash_that_is_full_in_the_middle_of_the_exchange_loses_nothing() {
    let (mut ran, mut full, mut new) = (0, 0, 0);
    for (size, fills) in [(12, false), (100, false), (100, true)] {
        for free_blocks in [0, 2, 4] {
            let about = format!("{size} {fills} {free_blocks}");
            let mut world = limited();
            world.flash = 2 << 20;
            world.bench.withdraw("v1.0.0").unwrap();
            world.publish("v1.0.0", app("v1.0.0", 60, size));
            let board = world.board();
            let next = app("v1.1.0", 60, size);
            world.publish("v1.1.0", if fills { next.with("app.py", FILLS) } else { next });
            board.run_with(&json!({"boots": 1})).unwrap();
            let fits = |blocks: usize| board.write("/other.bin", &vec![b'o'; blocks << 12]).is_ok();
            let (mut some, mut most) = (1, 512);
            while most - some > 1 {
                let blocks = (some + most) / 2;
                let _ = board.remove("/other.bin");
                *(if fits(blocks) { &mut some } else { &mut most }) = blocks;
            }
            // Where the new version is to fill it, there is room for the exchange.
            let room = if fills { 40 } else { 0 };
            let _ = board.remove("/other.bin");
            assert!(fits(some - free_blocks - room), "{about}");
            let log = run_on(&board, 3).output;
            full += usize::from(log.contains("OSError(28,)"));
            let now = version(&board).0;
            new += usize::from(now == "v1.1.0");
            assert_eq!(log.contains("back on v1.0.0"), fills, "{about}: {log}");
            for i in 0..60 {
                let path = format!("/data/{i}.txt");
                let content = board.read(&path).unwrap_or_else(|e| panic!("{about} {path}: {e:?}: {log}"));
                assert_eq!(String::from_utf8(content).unwrap(), content_of(&now, size, i), "{about}: {log}");
            }
            ran += 1;
        }
    }
    println!("  cases {ran}: {full} times the flash was full in the exchange, {new} updates kept");
    assert_eq!(ran, 9);
    assert!(full > 2 && new > 2, "{full} {new}");
}

/// A version that fills the flash and ends.
const FILLS: &str = "n = 0
try:
    while True:
        with open('/full%d' % n, 'wb') as f:
            for _ in range(16 if n < 99 else 1):
                f.write(bytes(256))
        n += 1
except OSError:
    pass
1 / 0
";
