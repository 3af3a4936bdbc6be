//! Faults 49 and 52: files with the names of modules that others have.

use crate::common::{World, app_tree, confirmed, run, text, tiny, version};
use crate::{at_rest, limited, run_on, takes_another};
use mpota_vboard::bench::{Agent, App};
use mpota_vboard::{Board, End};

const NAMES: [&str; 15] = [
    "json",
    "os",
    "binascii",
    "time",
    "machine",
    "hashlib",
    "socket",
    "deflate",
    "io",
    "micropython",
    "array",
    "tls",
    "ssl",
    "gc",
    "builtins",
];
const CONTENTS: [&str; 2] = ["raise ValueError('not me')\n", "pass\n"];

fn places(name: &str) -> [String; 5] {
    [
        format!("{name}.py"),
        format!("lib/{name}.py"),
        format!("{name}/__init__.py"),
        format!("lib/{name}/__init__.py"),
        format!("lib/{name}.mpy"),
    ]
}

fn content(path: &str, text: &str) -> Vec<u8> {
    if path.ends_with(".mpy") { mpota_vboard::bench::compile(text.as_bytes()).unwrap() } else { text.into() }
}

/// An app that loads what lies there under a name, whatever comes of it, and gets its own modules from
/// the firmware.
fn robust(version: &str, name: &str) -> App {
    let head = "import sys\nimport ota_updater\nota_updater.boot()\npath = sys.path[:]\nsys.path[:] = ['.frozen']\n\
                import machine\nimport network\nsys.path[:] = path\n";
    let load = format!(
        "try:\n    print('loaded', getattr(__import__('{name}'), '__file__', 'none'))\n\
         except ValueError as e:\n    print('loaded', e)\nimport app\n"
    );
    tiny(version)
        .replacing(
            "main.py",
            "import ota_updater\nota_updater.boot()\nimport machine\nimport network\n",
            head,
        )
        .replacing("main.py", "import app\n", &load)
}

/// The same board with one file more.
fn board_with(world: &World, path: &str, content: &[u8]) -> Board {
    let config = world.board().read("/secrets.py").unwrap();
    let own: [(&str, &[u8]); 2] = [("secrets.py", &config), (path, content)];
    let folder = world.bench.board_folder("v1.0.0", world.agent, &own).unwrap();
    Board::new(&world.micropython, world.file_system, &folder).unwrap()
}

#[test]
fn fault_49_a_file_on_the_board_named_like_a_module_is_without_effect_on_the_updater() {
    let (mut ran, mut loaded) = (0, 0);
    for name in NAMES {
        let mut world = limited();
        world.bench.withdraw("v1.0.0").unwrap();
        world.publish("v1.0.0", robust("v1.0.0", name));
        world.publish("v1.1.0", robust("v1.1.0", name));
        for (i, path) in places(name).iter().enumerate() {
            for text in CONTENTS {
                let about = format!("{path}: {text}");
                world.agent = if i % 2 == 0 { Agent::Mpy } else { Agent::Py };
                let board = board_with(&world, path, &content(path, text));
                let log = run_on(&board, 1).output;
                assert!(log.contains("v1.1.0 is installed") && !log.contains("ota E"), "{about}: {log}");
                assert_eq!(version(&board), confirmed("v1.1.0"), "{about}");
                assert!(
                    log.contains(&format!(
                        "ota W {} hides the firmware's {name} ",
                        path.trim_end_matches("/__init__.py")
                    )),
                    "{about}: {log}"
                );
                loaded += usize::from(
                    log.contains("loaded not me")
                        || log.contains(&format!("loaded {path}"))
                        || log.contains(&format!("loaded /{path}")),
                );
                ran += 1;
            }
        }
    }
    println!("  cases {ran}: files on the board, {loaded} of which the app loaded");
    assert_eq!(ran, 150);
    // `gc`, `micropython` and the like cannot be hidden.
    assert!(loaded >= 100, "{loaded}");
}

#[test]
fn fault_49_a_release_that_brings_such_a_file_is_installed_or_undone() {
    let (mut ran, mut kept) = (0, 0);
    for name in NAMES {
        for (i, path) in places(name).into_iter().enumerate() {
            for text in &CONTENTS[i % 2..=i % 2] {
                for app in [
                    robust("v1.1.0", name),
                    tiny("v1.1.0").replacing(
                        "main.py",
                        "import app\n",
                        &format!("import app\nimport {name}\n"),
                    ),
                ] {
                    let about = format!("{path}: {text}");
                    let world = limited();
                    let board = world.board();
                    let before = app_tree(&board);
                    world.publish("v1.1.0", app.with(&path, content(&path, text)));
                    let ran_on = run_on(&board, 4);
                    let log = ran_on.output;
                    if log.contains("v1.1.0 is installed") {
                        assert_eq!(version(&board), confirmed("v1.1.0"), "{about}");
                        kept += 1;
                        assert!(at_rest(&board), "{about}");
                        if ran_on.end == End::Repl {
                            // Its own machine.py cannot reset: somebody has to, once.
                            world.publish("v9.0.0", tiny("v9.0.0"));
                            assert!(run_on(&board, 1).output.contains("v9.0.0 is staged"), "{about}");
                        }
                    } else {
                        assert!(log.contains("back on v1.0.0; v1.1.0 is blocked: "), "{about}: {log}");
                        assert!(log.contains(&path), "{about}: {log}");
                        assert_eq!(app_tree(&board), before, "{about}");
                        assert!(at_rest(&board), "{about}");
                    }
                    takes_another(&world, &board, &about);
                    ran += 1;
                }
            }
        }
    }
    println!("  cases {ran}: releases with such a file, {kept} of which were kept");
    assert_eq!(ran, 150);
    assert!(kept > 100 && kept < 150, "{kept}");
}

#[test]
fn fault_52_a_file_that_would_be_hidden_by_romfs_is_refused() {
    let mut ran = 0;
    let rom = ["rom/lib/x.py", "rom/lib/x.mpy", "rom/lib/x/__init__.py", "rom/x.py", "rom/x/__init__.mpy"];
    for there in rom {
        for comes in ["lib/x.py", "lib/x.mpy", "lib/x/__init__.py"] {
            let world = World::new();
            let board = board_with(&world, there, b"V = 'of the firmware'\n");
            let before = app_tree(&board);
            world.publish("v1.1.0", tiny("v1.1.0").with(comes, content(comes, "pass\n")));
            let log = run(&board).output;
            let place = there.trim_end_matches("/__init__.py").trim_end_matches("/__init__.mpy");
            let said = format!("refused: {comes} would never be loaded: /{place} comes before it");
            assert!(log.contains(&said), "{there}, {comes}: {log}");
            assert_eq!(app_tree(&board), before, "{there}, {comes}");
            takes_another(&world, &board, there);
            ran += 1;
        }
    }
    // The root comes before ROMFS, and other names are no matter.
    for comes in ["x.py", "lib/y.py", "lib/xx.py", "lib/y/x.py"] {
        let world = World::new();
        let board = board_with(&world, rom[0], b"V = 'of the firmware'\n");
        world.publish("v1.1.0", tiny("v1.1.0").with(comes, "V = 'of the release'\n"));
        assert!(run(&board).output.contains("v1.1.0 is installed"), "{comes}");
        assert!(text(&board, &format!("/{comes}")).contains("of the release"), "{comes}");
        ran += 1;
    }
    println!("  cases {ran}: files that ROMFS hides, or not");
    assert_eq!(ran, 19);
}
