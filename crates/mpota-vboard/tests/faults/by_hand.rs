//! Fault 61: files that a person has copied over those of the installed release.

use crate::common::{World, confirmed, run, text, tiny, version};
use crate::{limited, run_on};
use mpota_vboard::Board;
use mpota_vboard::bench::Release;

/// Asks twice in a start, and prints what `status()` says of it.
const MAIN: &str = "import ota_updater
ota_updater.boot()
import machine
import secrets
for _ in (1, 2):
    try:
        if ota_updater.update(secrets.CONFIG):
            machine.reset()
        ota_updater.confirm()
    except ota_updater.OtaError as e:
        print('refused:', e)
print('changed', ota_updater.status()['changed'])
machine.deepsleep(1)
";

/// Path and content of files that are put on a board.
type Files = &'static [(&'static str, &'static [u8])];

fn world() -> World {
    let world = limited();
    world.bench.withdraw("v1.0.0").unwrap();
    let app = tiny("v1.0.0").with("main.py", MAIN).with("config.json", "{}").with("lib/fast.mpy", compiled());
    let toml = "keep = [\"config.json\"]".into();
    world.bench.publish(&Release { toml, ..Release::new("v1.0.0", app) }).unwrap();
    world
}

fn compiled() -> Vec<u8> {
    mpota_vboard::bench::compile(b"def f():\n    return 1\n").unwrap()
}

/// What the board says in a start: the warnings, and the line of `status()`.
fn said(board: &Board) -> Vec<String> {
    let output = run(board).output;
    let of_interest = |line: &&str| line.contains("by hand") || line.starts_with("changed");
    output.lines().filter(of_interest).map(str::to_owned).collect()
}

#[test]
fn fault_61_files_that_were_copied_over_by_hand_are_noticed() {
    let mut ran = 0;
    let cases: [(&str, Files, &str); 6] = [
        ("nothing", &[], ""),
        ("a kept file", &[("/config.json", b"{\"mine\": 1}")], ""),
        ("a file", &[("/app.py", b"V = 'by hand'\n")], "app.py"),
        (
            "three files",
            &[("/app.py", b"V = 'me'\n"), ("/assets/logo.bin", b""), ("/lib/util.py", b"")],
            "app.py and 2 more",
        ),
        (
            "a source beside what was compiled of it",
            &[("/lib/fast.py", b"def f():\n    return 2\n")],
            "lib/fast.py",
        ),
        ("a file of nobody", &[("/notes.txt", b"mine")], ""),
    ];
    for (what, files, named) in cases {
        let world = world();
        let board = world.board();
        for (path, content) in files {
            board.write(path, content).unwrap();
        }
        let mut wanted = vec![format!("changed {named}")];
        if !named.is_empty() {
            let one =
                format!("ota W {named}: not as in v1.0.0, changed by hand? repair in CONFIG puts it back");
            wanted.insert(0, one); // once in a start
        }
        assert_eq!(
            said(&board).iter().map(|line| line.trim_end()).collect::<Vec<_>>(),
            wanted.iter().map(|line| line.trim_end()).collect::<Vec<_>>(),
            "{what}"
        );
        ran += 1;
    }
    println!("  cases {ran}: what lies on a board beside its release");
    assert_eq!(ran, 6);
}

#[test]
fn fault_61_the_hashes_tell_in_a_repair_and_in_the_next_update() {
    let mut ran = 0;
    for repair in [true, false] {
        let mut world = world();
        if repair {
            world.set("repair", "True");
        } else {
            world.publish("v1.1.0", tiny("v1.1.0"));
        }
        let board = world.board();
        board.write("/app.py", b"V = 'v9.9.9'\n").unwrap(); // as long as it was
        let log = run_on(&board, 2).output;
        let named = "app.py was changed on the board, and is replaced; a copy is .ota/kept/0-app.py";
        assert!(log.contains(named), "repair {repair}: {log}");
        let now = if repair { "v1.0.0" } else { "v1.1.0" };
        assert_eq!(version(&board), confirmed(now), "repair {repair}");
        assert_eq!(text(&board, "/app.py"), format!("V = '{now}'\n"));
        assert_eq!(text(&board, "/.ota/kept/0-app.py"), "V = 'v9.9.9'\n");
        ran += 1;
    }
    println!("  cases {ran}: files of the same size with other content");
    assert_eq!(ran, 2);
}
