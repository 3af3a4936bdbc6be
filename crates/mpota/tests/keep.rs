//! `keep` and `replace` of mpota.toml: files that belong to the owner of a board.

#![allow(clippy::unwrap_used, reason = "what cannot go on here is a failed test")]

mod common;

use common::App;
use serde_json::{Value, json};

/// An app with settings, two of them in a folder, and these lines in mpota.toml.
fn app(toml: &str) -> App {
    let app = App::new();
    app.write(
        "mpota.toml",
        format!("project = \"octo/weather\"\nexclude = [\"old\", \"new\", \"board\"]\n{toml}\n"),
    );
    app.write("config.json", "{\"place\": \"attic\"}");
    app.write("data/a.txt", "a");
    app.write("data/deep/b.txt", "b");
    app
}

fn kept(app: &App, dist: &str) -> Vec<String> {
    let manifest = mpota::release::dist::read_manifest(&app.path(format!("{dist}/manifest.json"))).unwrap();
    manifest.files.into_iter().filter(|file| file.keep).map(|file| file.path).collect()
}

#[test]
fn what_the_patterns_match_is_kept_and_said() {
    let mut ran = 0;
    for (patterns, wanted) in [
        ("", &[][..]),
        ("keep = []", &[]),
        ("keep = [\"config.json\"]", &["config.json"]),
        ("keep = [\"./config.json\"]", &["config.json"]),
        ("keep = [\"*.json\", \"data\"]", &["config.json", "data/a.txt", "data/deep/b.txt"]),
        ("keep = [\"data/**\"]", &["data/a.txt", "data/deep/b.txt"]),
        ("keep = [\"data/*\"]", &["data/a.txt"]),
        ("keep = [\"*.json\", \"config.*\"]", &["config.json"]),
    ] {
        for plain in ["", "--plain"] {
            let app = app(patterns);
            let said = app.run(&format!("build --version v1.0.0 {plain}")).ok();
            assert_eq!(kept(&app, "dist"), wanted, "{patterns}");
            let note = format!("note: only boards that lack them get {}: ", wanted.join(", "));
            assert_eq!(said.err.contains(&note), !wanted.is_empty(), "{patterns}: {}", said.err);
            let seen = app.run("verify").ok();
            let line = format!("keep       {}\n", wanted.join(", "));
            assert_eq!(seen.out.contains(&line), !wanted.is_empty(), "{patterns}: {}", seen.out);
            ran += 1;
        }
    }
    println!("  cases {ran}: patterns of `keep`");
    assert_eq!(ran, 16);
}

#[test]
fn what_cannot_be_kept_or_matches_nothing_is_an_error_that_says_so() {
    let hooks = "[hooks]\npost_update = \"lib/util.py\"";
    let mut ran = 0;
    for (toml, words) in [
        ("keep = [\"boot.py\"]", &["boot.py cannot be kept", "a board starts with it"][..]),
        ("keep = [\"main.py\"]", &["main.py cannot be kept"]),
        ("keep = [\"**\"]", &["boot.py cannot be kept"]),
        ("keep = [\"ota_keys\"]", &["ota_keys cannot be kept", "whom boards trust"]),
        ("keep = [\"ota_ca\"]", &["ota_ca/x.der cannot be kept"]),
        ("keep = [\"lib/ota_updater.py\"]", &["lib/ota_updater.py cannot be kept", "a part of the updater"]),
        ("keep = [\"lib/mpota/http.py\"]", &["lib/mpota/http.py cannot be kept", "a part of the updater"]),
        (&format!("keep = [\"lib/util.py\"]\n{hooks}"), &["lib/util.py cannot be kept", "it is a hook"]),
        ("keep = [\"settings.json\"]", &["no file matches \"settings.json\" of `keep`"]),
        ("keep = [\"config.json\", \"data/*.json\"]", &["no file matches \"data/*.json\" of `keep`"]),
        ("keep = [\"[\"]", &["the pattern \"[\" is not a glob"]),
        ("replace = [\"settings.json\"]", &["no file matches \"settings.json\" of `replace`"]),
        ("keep = [\"*.json\"]\nreplace = [\"config.json\"]", &["config.json matches both"]),
        ("keep = \"config.json\"", &["mpota.toml is not right"]),
    ] {
        let app = app(toml);
        app.run("key new --no-passphrase key").ok();
        let key = app.text("key.pub");
        app.write("ota_keys", key);
        app.write("ota_ca/x.der", "x");
        app.remove("key");
        for (name, content) in mpota_vboard::agent_files().unwrap() {
            app.write(&format!("lib/{name}"), content);
        }
        app.run("build --version v1.0.0").refused(words);
        ran += 1;
    }
    println!("  cases {ran}: what cannot be kept");
    assert_eq!(ran, 14);
}

#[test]
fn what_the_app_writes_is_decided_on() {
    let code = "import json\nFILE = '/config.json'\n\ndef save(x):\n    with open(FILE, 'w') as f:\n        json.dump(x, f)\n";
    let said = "config.json, in line 5 of lib/store.py";
    let mut ran = 0;
    for (toml, refused) in [
        ("", true),
        ("keep = [\"data\"]", true),
        ("keep = [\"config.json\"]", false),
        ("replace = [\"config.json\"]", false),
        ("replace = [\"*.json\"]\nkeep = [\"data\"]", false),
    ] {
        let app = app(toml);
        app.write("lib/store.py", code);
        let run = app.run("build --version v1.0.0");
        if refused {
            run.refused(&[said, "keep = [\"config.json\"]", "replace = [\"config.json\"]"]);
        } else {
            run.ok();
        }
        ran += 1;
    }
    // A file that the release does not have is nobody's concern; two files are named together.
    let excluded = app("");
    excluded.write("lib/store.py", code.replace("config", "readings"));
    excluded.run("build --version v1.0.0").ok();
    let two = app("");
    two.write("lib/store.py", code);
    two.append("main.py", "open('data/a.txt', 'a')\n");
    two.run("build --version v1.0.0").refused(&[
        said,
        "; data/a.txt, in line 54 of main.py",
        "[\"config.json\", \"data/a.txt\"]",
    ]);
    // The updater's own code is none of the app.
    let with_updater = app("");
    for (name, content) in mpota_vboard::agent_files().unwrap() {
        let content = if name == "ota_files.py" {
            [&content[..], b"\nopen('config.json', 'w')\n"].concat()
        } else {
            content
        };
        with_updater.write(&format!("lib/{name}"), content);
    }
    with_updater.run("build --version v1.0.0").ok();
    println!("  cases {}: files that the app writes", ran + 3);
    assert_eq!(ran, 5);
}

#[test]
fn kept_files_cost_nothing_where_the_old_release_has_them() {
    let app = app("keep = [\"config.json\", \"data\"]");
    app.run("build --version v1.0.0 --output old").ok();
    app.write("config.json", "{\"place\": \"cellar\"}");
    app.write("data/new.txt", "n".repeat(77));
    app.remove("data/a.txt");
    app.append("main.py", "print('more')\n");
    app.run("build --version v1.1.0 --output new").ok();
    let said = app.run("verify new --against old --json").ok();
    let said: Value = serde_json::from_str(&said.out).unwrap();
    let against = &said["against"];
    assert_eq!(against["kept"], json!(["config.json", "data/deep/b.txt", "data/a.txt"]), "{against}");
    assert_eq!(against["added"], json!(["data/new.txt"]));
    assert_eq!(against["changed"], json!(["main.py"]));
    assert_eq!(against["removed"], json!([]));
    let stored = |path: &str| {
        let files = said["files"].as_array().unwrap();
        files.iter().find(|file| file["path"] == path).unwrap()["stored"].as_u64().unwrap()
    };
    assert_eq!(against["files"], stored("data/new.txt") + stored("main.py"));
    let table = app.run("verify new --against old").ok().out;
    assert!(table.contains(" of files; 3 kept\n"), "{table}");
    // No longer kept: it changes like any other file.
    app.write("mpota.toml", "project = \"octo/weather\"\nexclude = [\"old\", \"new\"]\n");
    app.run("build --version v1.2.0 --output new").ok();
    let said = app.run("verify new --against old --json").ok();
    let said: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(said["against"]["changed"], json!(["config.json", "main.py"]));
    assert_eq!(said["against"]["kept"], json!(["data/a.txt"]));
}

#[test]
fn install_leaves_a_kept_file_that_is_there() {
    let mut ran = 0;
    for plain in ["", "--plain"] {
        for force in [false, true] {
            let app = app("keep = [\"config.json\", \"data\"]");
            app.run(&format!("build --version v1.0.0 {plain}")).ok();
            app.write("board/config.json", "mine");
            app.write("board/data/deep/b.txt/c", "a folder");
            if force {
                app.write("board/main.py", "old");
                app.run("install --dir board")
                    .refused(&["main.py is there already", "not those that it keeps"]);
            }
            let said =
                app.run(if force { "install --dir board --force" } else { "install --dir board" }).ok();
            assert!(said.err.contains("kept config.json, which was there"), "{}", said.err);
            assert!(said.err.contains("kept data/deep/b.txt, which was there"), "{}", said.err);
            assert_eq!(app.text("board/config.json"), "mine");
            assert_eq!(app.text("board/data/a.txt"), "a");
            assert_eq!(app.text("board/data/deep/b.txt/c"), "a folder");
            assert_eq!(app.read("board/main.py"), app.read("main.py"));
            ran += 1;
        }
    }
    println!("  cases {ran}: files that `install` leaves");
    assert_eq!(ran, 4);
}
