//! `mpota install`.

#![allow(clippy::unwrap_used, reason = "what cannot go on here is a failed test")]

mod common;

use common::App;
use mpota_format::journal::{Record, State};

fn app() -> App {
    let app = App::new();
    app.write("mpota.toml", "project = \"octo/weather\"\nexclude = [\"board\"]\n");
    app.run("build --version v1.0.0").ok();
    app
}

#[test]
fn a_board_has_the_files_the_manifest_the_journal_and_the_version() {
    for plain in ["", "--plain"] {
        let app = app();
        app.run(&format!("build --version v1.0.0 {plain}")).ok();
        app.run("install --dir board --release-only").ok();
        let names: Vec<String> = app.tree("board").into_iter().map(|(name, _)| name).collect();
        let expected = [
            ".ota/manifest.json",
            ".ota/state.0",
            ".ota/state.1",
            "boot.py",
            "lib/util.py",
            "main.py",
            "version.json",
        ];
        assert_eq!(names, expected);
        for path in ["boot.py", "main.py", "lib/util.py"] {
            assert_eq!(app.read(&format!("board/{path}")), app.read(path));
        }
        assert_eq!(app.read("board/.ota/manifest.json"), app.read("dist/manifest.json"));
        for (at, seq) in [(0, 1_000_000_000), (1, 1_000_000_001)] {
            let record = Record::parse(&app.read(&format!("board/.ota/state.{at}"))).unwrap();
            assert_eq!((record.seq, record.state, record.version.as_str()), (seq, State::Idle, "v1.0.0"));
            // It lies where the journal's rule has it, and 32-bit firmware has it as a small number.
            assert!(seq % 2 == at && seq < 1 << 30);
        }
        let version: serde_json::Value = serde_json::from_slice(&app.read("board/version.json")).unwrap();
        assert_eq!(version["version"], "v1.0.0");
    }
}

#[test]
fn a_folder_gets_the_updater_and_all_else_that_a_board_needs_where_nothing_is() {
    let app = app();
    app.run("key new --no-passphrase board-key").ok();
    app.append("mpota.toml", "key = \"board-key\"\n");
    let said = app.run("install --dir board --dry-run").ok();
    assert!(said.out.contains("put lib/mpota/http.py\n") && !app.path("board").exists(), "{}", said.out);
    app.run("install --dir board").ok();
    let updater = mpota_vboard::agent_files().unwrap();
    for (name, content) in &updater {
        assert_eq!(&app.read(&format!("board/lib/{name}")), content, "{name}");
    }
    assert!(app.path("board/ota_ca/isrg-root-x1.der").exists());
    assert_eq!(app.read("board/ota_keys"), app.read("board-key.pub"));
    // The app of these tests looks for updates itself: it has its own settings.
    assert!(!app.path("board/updates.py").exists());
    // An updater that is there in another form is not mixed with this one.
    app.write("other/lib/ota_updater.mpy", "compiled");
    app.run("install --dir other").ok();
    assert!(!app.path("other/lib/ota_updater.py").exists() && !app.path("other/lib/mpota").exists());
}

#[test]
fn an_app_that_does_not_look_gets_the_settings_of_the_template() {
    let app = common::App::empty();
    app.write("mpota.toml", "project = \"octo/weather\"\n");
    app.write("app.py", "def run():\n    pass\n");
    app.run("build --version v1.0.0 --allow-no-updater").ok();
    app.run("install --dir board").ok();
    for path in ["boot.py", "wifi.py", "main.py"] {
        let template = mpota_vboard::repository().join("device/template").join(path);
        assert_eq!(app.read(&format!("board/{path}")), std::fs::read(template).unwrap(), "{path}");
    }
    let updates = app.text("board/updates.py");
    assert!(updates.contains("\"owner\": \"octo\"") && updates.contains("\"keys\": []"), "{updates}");
}

#[test]
fn what_is_there_is_overwritten_only_by_force() {
    for path in ["main.py", ".ota/state.0", "version.json"] {
        let app = app();
        app.write(&format!("board/{path}"), "mine");
        app.write("board/data.txt", "the app's");
        let before = app.tree("board");
        app.run("install --dir board").refused(&["is there already", "--force"]);
        assert!(app.tree("board") == before);
        app.run("install --dir board --force").ok();
        assert_eq!(app.text("board/data.txt"), "the app's");
        assert!(Record::parse(&app.read("board/.ota/state.0")).is_ok());
        assert_eq!(app.read("board/main.py"), app.read("main.py"));
    }
}

#[test]
fn a_damaged_release_touches_nothing() {
    let app = app();
    let pack = "dist/weather-v1.0.0.pack";
    let mut bytes = app.read(pack);
    *bytes.last_mut().unwrap() ^= 1;
    app.write(pack, bytes);
    app.run("install --dir board").refused(&["main.py", "damaged"]);
    assert!(!app.path("board").exists());
}
