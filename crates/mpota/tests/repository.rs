//! An ordinary repository as it lies there: what of it gets into a release, and what is said of the rest.

#![allow(clippy::unwrap_used, reason = "what cannot go on here is a failed test")]

mod common;

use common::App;

/// Folders and files that no board needs; what stands in them; and a twin that boards do need.
const LEFT_OUT: [(&str, &str, &str); 10] = [
    ("venv/", "venv/pyvenv.cfg", "venv/data.txt"),
    ("my env/", "my env/pyvenv.cfg", "my env/data.txt"),
    ("node_modules/", "node_modules/a/index.js", "modules/a/index.js"),
    ("typings/", "typings/machine.pyi", "typings/fonts.py"),
    ("lib/stubs/", "lib/stubs/network/__init__.pyi", "lib/stubs/network.py"),
    ("tests/", "tests/test_app.py", "tests/pattern.py"),
    ("lib/test/", "lib/test/conftest.py", "lib/test/__init__.py"),
    ("site-packages/", "site-packages/requests/__init__.py", "packages/requests/__init__.py"),
    ("machine.pyi", "machine.pyi", "machines.py"),
    ("assets/Thumbs.db", "assets/Thumbs.db", "assets/sensors.db"),
];

#[test]
fn fault_68_what_no_board_needs_is_left_out_and_said() {
    for (named, path, twin) in LEFT_OUT {
        let app = App::new();
        app.write(path, "x = 1\n");
        let said = app.run("build --version v1.0.0").ok();
        assert_eq!(app.released(), ["boot.py", "lib/util.py", "main.py"], "{path}");
        assert!(
            said.err.contains(&format!("left out, as no board needs it: {named};")),
            "{path}: {}",
            said.err
        );
        // A pattern that says the name brings it.
        let name = named.trim_end_matches('/');
        app.write("mpota.toml", format!("project = \"octo/weather\"\ninclude = [\"**\", \"{name}\"]\n"));
        app.run("build --version v1.0.0").ok();
        assert!(app.released().contains(&path.to_owned()), "{path}: {:?}", app.released());

        let app = App::new();
        app.write(twin, "x = 1\n");
        let said = app.run("build --version v1.0.0").ok();
        assert!(app.released().contains(&twin.to_owned()), "{twin}: {:?}", app.released());
        assert!(!said.err.contains("left out"), "{twin}: {}", said.err);
    }
    println!("  cases {}: left out, and not left out", LEFT_OUT.len() * 3);
}

#[test]
fn fault_68_hidden_folders_of_tools_are_left_out_even_where_hidden_files_are_wanted() {
    let app = App::new();
    app.write("mpota.toml", "project = \"octo/weather\"\ninclude = [\"**\", \".*/**\", \".*\"]\n");
    let hidden = [".vscode/settings.json", ".idea/a.xml", ".venv/a.py", ".git/config", ".github/a.yml"];
    for path in hidden {
        app.write(path, "");
    }
    app.write(".calibration", "1");
    app.write(".settings/net.json", "{}");
    app.run("build --version v1.0.0").ok();
    assert_eq!(app.released(), [".calibration", ".settings/net.json", "boot.py", "lib/util.py", "main.py"]);
    println!("  cases {}: hidden folders of tools", hidden.len());
}

#[test]
fn fault_68_what_may_not_be_meant_is_named() {
    let image = |first: u8| [&[first][..], &vec![7; 120_000]].concat();
    let cases: Vec<(&str, Vec<u8>, &str, Vec<u8>)> = vec![
        ("firmware.uf2", vec![1], "firmware.txt", vec![1]),
        ("a/esp.bin", image(0xe9), "a/font.bin", image(0x42)),
        ("avr.hex", vec![1], "avr.py", b"x = 1".to_vec()),
        ("ESP.BIN", image(0xe9), "small.bin", vec![0xe9, 1]),
        ("docs/photo.jpg", vec![1], "assets/photo.jpg", vec![1]),
        ("main.py.bak", vec![1], "backup.py", b"x = 1".to_vec()),
        ("app.py~", vec![1], "app_old.py", b"x = 1".to_vec()),
        ("lib/x.py.orig", vec![1], "lib/original.py", b"x = 1".to_vec()),
        ("old.zip", vec![1], "zip.py", b"x = 1".to_vec()),
        ("a.code-workspace", vec![1], "workspace.json", b"{}".to_vec()),
    ];
    for (path, content, twin, harmless) in &cases {
        let app = App::new();
        app.write(path, content);
        app.write(twin, harmless);
        let said = app.run("build --version v1.0.0").ok();
        assert!(said.err.contains(&format!("warning[build::doubt]: {path} is ")), "{path}: {}", said.err);
        assert!(!said.err.contains(&format!("warning[build::doubt]: {twin} ")), "{twin}: {}", said.err);
        assert!(app.released().contains(&(*path).to_owned()), "{path}");
    }
    println!("  cases {}: named, and not named", cases.len() * 2);
}

#[test]
fn fault_68_the_largest_files_are_told_and_what_boards_have_no_room_for() {
    let app = App::new();
    for (name, size) in [("a", 700), ("b", 900), ("c", 100_000), ("d", 800), ("e", 600), ("f", 500)] {
        app.write(&format!("data/{name}"), vec![b'x'; size]);
    }
    let said = app.run("build --version v1.0.0").ok();
    let largest = "data/c 100000, main.py ";
    assert!(
        said.err.contains(largest) && said.err.contains("data/b 900, data/d 800, data/a 700\n"),
        "{}",
        said.err
    );
    let warned = |size: usize| {
        app.write("data/c", vec![b'x'; size]);
        let said = app.run("build --version v1.0.0").ok().err;
        (
            said.contains("warning[build::size]: the files take"),
            said.contains("a Pico has"),
            said.contains("common ESP32"),
        )
    };
    // It compresses to nothing: what lies on the board counts.
    assert_eq!(warned(1_300_000), (false, false, false));
    assert_eq!(warned(1_450_000), (true, true, false));
    assert_eq!(warned(2_050_000), (true, true, true));
    println!("  cases 4: sizes");
}

#[test]
fn fault_68_init_shows_what_it_found() {
    let app = App::empty();
    app.write("main.py", "open('state.txt', 'w').write('1')\n");
    app.write("lib/util.py", "x = 1\n");
    app.write("config.json", "{}");
    app.write("state.txt", "0");
    app.write("logo.bin", "1");
    app.write("venv/pyvenv.cfg", "");
    app.write("README.md", "");
    let said = app.run("init --project octo/rain").ok();
    let lines = [
        "code for the board: lib/util.py, main.py\n",
        "other files for the board: config.json, logo.bin, state.txt\n",
        "left out, as no board needs it: venv/\n",
        "files of the owner, it seems: config.json, state.txt\n",
        "keep = [\"config.json\", \"state.txt\"]",
    ];
    for line in lines {
        assert!(said.err.contains(line), "no {line:?} in {}", said.err);
    }
    assert!(!said.err.contains("README"), "{}", said.err);
    let app = App::empty();
    let said = app.run("init --project octo/rain").ok();
    assert!(!said.err.contains("owner, it seems") && !said.err.contains("left out"), "{}", said.err);
    println!("  cases {}: lines of init", lines.len() + 2);
}
