//! What would leave a board without an app or without updates is not built, unless it is meant.

#![allow(clippy::unwrap_used, reason = "what cannot go on here is a failed test")]

mod common;

use common::{App, Said};

/// `mpota build` and `mpota manifest` of the whole app.
fn both(app: &App, options: &str) -> [Said; 2] {
    [
        app.run(&format!("build --version v1.0.0 {options}")),
        app.run(&format!("manifest --version v1.0.0 boot.py main.py lib/util.py {options}")),
    ]
}

#[test]
fn a_file_that_does_not_compile_is_refused_with_its_line_and_released_when_it_is_meant() {
    let cases = [
        ("def add(a, b):\n    return a +\n", 2, "--allow-syntax lib/util.py"),
        ("x = 1\nmatch x:\n    case 1:\n        pass\n", 2, "no `match`"),
        ("try:\n    pass\nexcept* OSError:\n    pass\n", 3, "no `except*`"),
        ("\n\ntype Path = str\n", 3, "no `type` statement"),
        ("def first[T](items):\n    return items[0]\n", 1, "no type parameters"),
    ];
    let mut tried = 0;
    for (source, line, word) in cases {
        let app = App::new();
        app.write("lib/util.py", source);
        for said in both(&app, "") {
            said.refused(&[
                &format!("lib/util.py, line {line}: "),
                word,
                "hint: correct it",
                "--allow-syntax",
            ]);
        }
        assert!(!app.path("dist").exists() && !app.path("manifest.json").exists());
        for said in both(&app, "--allow-syntax main.py") {
            said.refused(&["lib/util.py"]);
        }
        for said in both(&app, "--allow-syntax ./lib/util.py") {
            said.ok();
        }
        tried += 1;
    }
    println!("  cases {tried}: sources that do not compile");
    assert_eq!(tried, 5);
}

#[test]
fn only_python_is_read_as_python() {
    let app = App::new();
    app.write("lib/notes.txt", "def broken(:\n");
    app.write("lib/fast.mpy", b"M\x06\x00\x1f");
    app.run("build --version v1.0.0").ok();
    app.write("lib/LOUD.PY", "def broken(:\n");
    app.run("build --version v1.0.0").refused(&["lib/LOUD.PY, line 1"]);
}

#[test]
fn a_boot_py_that_does_not_start_the_updater_is_refused_and_released_when_it_is_meant() {
    let app = App::new();
    let cases =
        ["print('hello')\n", "# import ota_updater; ota_updater.boot()\n", "import ota_updater\n", ""];
    for boot in cases {
        app.write("boot.py", boot);
        // Whoever runs boot.py first has no updater yet when main.py fails.
        app.write("main.py", "import ota_updater\nota_updater.boot()\n");
        for said in both(&app, "") {
            said.refused(&["boot.py does not start the updater", "hint: put", "--allow-no-updater"]);
        }
        for said in both(&app, "--allow-no-updater") {
            said.ok();
        }
    }
    println!("  cases {}: boot.py without the updater", cases.len());
    app.write("boot.py", include_str!("../../../device/template/boot.py"));
    for said in both(&app, "") {
        said.ok();
    }
}

#[test]
fn the_files_of_the_example_are_released_without_a_word() {
    let app = App::empty();
    for path in [
        "mpota.toml",
        "boot.py",
        "main.py",
        "app.py",
        "updates.py",
        "wifi.py",
        "lib/sensor.py",
        "lib/station.py",
        "assets/station.txt",
        "settings.json",
    ] {
        app.write(
            path,
            std::fs::read(mpota_vboard::repository().join("examples/weather").join(path)).unwrap(),
        );
    }
    let said = app.run("build --version v1.0.0").ok();
    assert!(!said.err.contains("warning"), "{}", said.err);
}

#[test]
fn a_file_that_is_allowed_and_not_there_is_a_mistake() {
    let app = App::new();
    for option in ["--allow-syntax", "--allow-link"] {
        for said in both(&app, &format!("{option} lib/utl.py")) {
            said.refused(&[option, "lib/utl.py", "not one of the files"]);
        }
    }
}

#[test]
fn a_file_of_trusted_keys_must_hold_some_and_a_handover_is_said() {
    let app = App::new();
    let mut tried = 0;
    for (text, words) in [
        ("# nobody\n\n", &["ota_keys holds no key", "--allow-no-updater"][..]),
        ("ssh-rsa AAAA x\n", &["ota_keys, line 1: not a line of the form"]),
        ("\nssh-ed25519 AAAA x\n", &["ota_keys, line 2: the `ssh-ed25519` key is damaged", "mpota key show"]),
    ] {
        app.write("ota_keys", text);
        app.run("build --version v1.0.0").refused(words);
        app.run("manifest --version v1.0.0 boot.py main.py ota_keys").refused(words);
        tried += 1;
    }
    app.write("ota_keys", b"# B\xfcro\n");
    app.run("build --version v1.0.0").refused(&["ota_keys, line 1: not a line of the form"]);
    tried += 1;
    println!("  cases {tried}: files of keys that are none");
    app.write("ota_keys", "# nobody\n");
    app.run("build --version v1.0.0 --allow-no-updater").ok();

    for name in [".one", ".two"] {
        app.run(&format!("key new --no-passphrase {name}")).ok();
    }
    let public = std::fs::read_to_string(app.path(".two.pub")).unwrap();
    app.write("ota_keys", format!("# the office\n{public}"));
    let unsigned = app.run("build --version v1.0.0").ok();
    assert!(unsigned.err.contains("this release is not signed"), "{}", unsigned.err);
    let handed = app.run("build --version v1.0.0 --key .one").ok();
    assert!(handed.err.contains("does not have the key that signs this release, SHA256:"), "{}", handed.err);
    let same = app.run("build --version v1.0.0 --key .two").ok();
    assert!(!same.err.contains("]: ota_keys"), "{}", same.err);
}
