//! The order of imports: on firmware a file on `sys.path` comes before a built-in module that may be
//! extended, and behind one that may not.

use crate::{board, board_of, said};
use mpota_vboard::Word;
use mpota_vboard::bench::compiled_agent;
use serde_json::json;

/// Every stand-in of the board, and what decides where it is found.
const NAMES: [(&str, Place); 8] = [
    ("machine", Place::Extensible),
    ("time", Place::Extensible),
    ("os", Place::Extensible),
    ("json", Place::Extensible),
    ("socket", Place::Extensible),
    ("network", Place::Fixed),
    ("tls", Place::Fixed),
    ("ntptime", Place::Frozen),
];
#[derive(Debug, Clone, Copy, PartialEq)]
enum Place {
    /// Files come first.
    Extensible,
    /// It comes first.
    Fixed,
    /// It comes where `.frozen` stands: behind the root, before `/lib`.
    Frozen,
}

#[test]
fn a_file_comes_before_a_stand_in_where_it_comes_before_the_real_module() {
    let mut ran = 0;
    // Stand-ins or the interpreter's own: with each of these options more of them are the former.
    for options in [json!({}), json!({"count_calls": true, "no_certificates": true, "clock": 7})] {
        for (name, place) in NAMES {
            for (path, wins) in [
                (format!("{name}.py"), place != Place::Fixed),
                (format!("lib/{name}.py"), place == Place::Extensible),
                (format!("{name}/__init__.py"), place != Place::Fixed),
                (format!("lib/{name}/__init__.py"), place == Place::Extensible),
            ] {
                let main = format!(
                    "import {name}\nimport sys\nprint('file', hasattr({name}, 'MINE'), '{name}' in sys.modules)\n"
                );
                let board = board(&[("main.py", &main), (&path, "MINE = 1\n")]);
                let run = board.run_with(&options).unwrap();
                let wanted = if wins { "True True" } else { "False False" };
                assert_eq!(said(&run, "file"), [wanted], "{path} {options}: {}", run.output);
                ran += 1;
            }
        }
    }
    println!("  cases {ran}: files named like modules");
    assert_eq!(ran, 64);
}

#[test]
fn the_ways_to_ask_for_a_stand_in_give_what_firmware_gives() {
    let mine = "MINE = 1\n";
    let mut ran = 0;
    for (what, wanted) in [
        ("import machine as m", "True"),
        // The u, or a path without files, forces the built-in.
        ("import umachine as m", "False"),
        ("import umachine\nclass m: pass\nif hasattr(umachine, 'reset'): m.MINE = 1", "True"),
        ("import sys\nsys.path[:] = ['.frozen']\nimport machine as m", "False"),
        ("import sys\nsys.path[:] = []\nimport machine as m", "False"),
        ("import sys\nimport machine\nsys.path[:] = ['.frozen']\nimport machine as m", "True"),
        ("import machine\nimport umachine as m", "False"),
        // A module of a package is none of the firmware's.
        ("import package as m", "True"),
        ("from package import machine as m", "True"),
        ("import package.inner as m", "True"),
        ("import package.other as m", "True"),
        // What an import does to sys.path stays.
        ("import socket as m\nimport sys\nm = m if sys.path[-1] == '/added' else 0", "True"),
    ] {
        let main = format!("{what}\nprint('file', hasattr(m, 'MINE'))\n");
        let files = [
            ("main.py", main.as_str()),
            ("machine.py", mine),
            ("package/__init__.py", "from .machine import MINE\n"),
            ("package/machine.py", mine),
            ("package/other.py", "from .network import MINE\n"),
            ("package/network.py", mine),
            ("package/inner.py", "from . import machine\nMINE = machine.MINE\n"),
            ("socket.py", "import sys\nsys.path.append('/added')\nMINE = 1\n"),
        ];
        for word in [Word::Bits64, Word::Bits32] {
            let run = board_of(word, &files).run_with(&json!({"count_calls": true})).unwrap();
            assert_eq!(said(&run, "file"), [wanted], "{what}: {}", run.output);
            ran += 1;
        }
    }
    println!("  cases {ran}: ways to import");
    assert_eq!(ran, 24);
}

#[test]
fn a_file_of_the_app_is_the_app_s_and_not_the_updater_s() {
    let agent: Vec<(String, &[u8])> =
        compiled_agent().unwrap().iter().map(|(name, mpy)| (format!("lib/{name}"), &mpy[..])).collect();
    let mut ran = 0;
    for (name, what) in
        [("machine", "reset"), ("time", "sleep_ms"), ("os", "stat"), ("json", "loads"), ("socket", "socket")]
    {
        for path in [format!("{name}.py"), format!("lib/{name}.py"), format!("lib/{name}/__init__.py")] {
            let main = format!(
                "import ota_updater\nota_updater.boot()\nimport {name}\nprint('app', {name}.MINE)\n\
                 ours = ota_updater.use('{name}')\nprint('ours', hasattr(ours, 'MINE'), hasattr(ours, '{what}'))\n\
                 import {name} as again\nprint('again', again is {name})\n"
            );
            let mut board = board(&[("main.py", &main), (&path, "MINE = 1\n"), ("lib/more.py", "")]);
            for (place, mpy) in &agent {
                if ["lib/ota_updater.mpy", "lib/ota_firmware.mpy", "lib/ota_journal.mpy", "lib/ota_files.mpy"]
                    .contains(&place.as_str())
                {
                    board.write(&format!("/{place}"), mpy).unwrap();
                }
            }
            board.set("count_calls", true.into()); // more stand-ins
            let run = board.run().unwrap();
            let heard = [said(&run, "app"), said(&run, "ours"), said(&run, "again")].concat();
            assert_eq!(heard, ["1", "False True", "True"], "{path}: {}", run.output);
            ran += 1;
        }
    }
    println!("  cases {ran}: files of the app");
    assert_eq!(ran, 15);
}
