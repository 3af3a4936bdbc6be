//! `mpota init` with the files of an app, and what `mpota build` says of an app that never looks for an update.

#![allow(clippy::unwrap_used, reason = "what cannot go on here is a failed test")]

mod common;

use common::App;
use mpota::app::scaffold::Life;

const FILES: [&str; 5] = ["boot.py", "main.py", "updates.py", "wifi.py", "app.py"];

#[test]
fn each_life_is_written_names_the_project_and_builds_without_a_warning() {
    let mut ran = 0;
    for life in Life::ALL {
        let app = App::empty();
        let said = app.run(&format!("init --project octo/rain --life {life}")).ok();
        assert_eq!(said.err.matches("wrote ").count(), 6, "{}", said.err);
        assert!(said.err.contains("SSID"), "{}", said.err);
        let updates = app.text("updates.py");
        assert!(updates.contains("\"repo\": \"rain\"") && !updates.contains("weather"), "{updates}");
        let said = app.run("build --version v1.0.0").ok();
        assert!(!said.err.contains("warning") && !said.err.contains("ota_main"), "{life}: {}", said.err);
        let mut files = FILES.map(str::to_owned);
        files.sort();
        assert_eq!(app.released(), files, "{life}");
        ran += 1;
    }
    println!("  cases {ran}: lives");
    assert_eq!(ran, 4);
}

#[test]
fn nothing_is_overwritten_and_the_default_is_said() {
    let app = App::empty();
    let said = app.run("init --project octo/rain").ok();
    assert!(said.err.contains("for an app that sleeps") && said.err.contains("--life runs|"), "{}", said.err);
    assert_eq!(app.text("app.py"), std::fs::read_to_string(template("sleeps/app.py")).unwrap());
    // Another life: what is there stays, what is gone is written.
    app.write("updates.py", "mine");
    app.remove("app.py");
    let said = app.run("init --life runs").ok();
    assert_eq!(said.err.matches("left as it is").count(), 4, "{}", said.err);
    assert_eq!(app.text("updates.py"), "mine");
    assert_eq!(app.text("app.py"), std::fs::read_to_string(template("runs/app.py")).unwrap());
    app.run("init").refused(&["mpota.toml"]);
    assert_eq!(app.run("init --life sleepy").code, 2);
    // Beside an app of somebody's own nothing is written but mpota.toml.
    let app = App::empty();
    app.write("main.py", "mine");
    let said = app.run("init --project octo/rain").ok();
    assert_eq!(said.err.matches("wrote ").count(), 1, "{}", said.err);
    assert!(!app.path("app.py").exists());
    println!("  cases 6: folders with files in them");
}

fn template(path: &str) -> std::path::PathBuf {
    mpota_vboard::repository().join("device/template").join(path)
}

#[test]
fn an_app_that_never_looks_or_never_confirms_is_told_so() {
    let boot = std::fs::read_to_string(template("boot.py")).unwrap();
    let main = |rest: &str| format!("import ota_updater\nota_updater.boot()\n{rest}");
    let (looks, confirms) = ("never call ota_updater.update()", "never call ota_updater.confirm()");
    let unguarded = "main.py does not start the app by ota_main.run()";
    let mut ran = 0;
    for (main, other, said) in [
        (main("import app\n"), "", vec![looks, confirms]),
        (
            main("import app\n"),
            "import ota_updater\ndef f():\n    ota_updater.update({})\n",
            vec![confirms, unguarded],
        ),
        (main("ota_updater.update({})\nota_updater.confirm()\n"), "", vec![unguarded]),
        (
            main("import app\n"),
            "from ota_updater import update, confirm\nupdate({})\nconfirm()\n",
            vec![unguarded],
        ),
        (
            main("import ota_main\nota_main.run('app', f)\n"),
            "import ota_aio, ota_updater\nasync def f():\n    await ota_aio.update({})\n    ota_updater.confirm()\n",
            vec![],
        ),
        (main("import ota_main\nota_main.run('app', f)\n"), "", vec![looks, confirms]),
    ] {
        let app = App::empty();
        app.write("mpota.toml", "project = \"octo/weather\"\n");
        app.write("boot.py", &boot);
        app.write("main.py", &main);
        app.write("app.py", other);
        let err = app.run("build --version v1.0.0").ok().err;
        for words in [looks, confirms, unguarded] {
            assert_eq!(err.contains(words), said.contains(&words), "{words:?} of {main}{other}: {err}");
        }
        assert_eq!(err.matches("]: main.py").count(), said.iter().filter(|w| **w != unguarded).count());
        ran += 1;
    }
    // Compiled files: nobody knows. The updater's own files do not count.
    let app = App::empty();
    app.write("mpota.toml", "project = \"octo/weather\"\n[requires]\nmpy = \"6.3\"\n");
    app.write("boot.py", &boot);
    app.write("main.py", main("import app\n"));
    app.write("app.mpy", b"M\x06\x00\x1f");
    assert!(!app.run("build --version v1.0.0").ok().err.contains("never call"));
    app.remove("app.mpy");
    for (name, content) in mpota_vboard::agent_files().unwrap() {
        app.write(&format!("lib/{name}"), content);
    }
    assert!(app.run("build --version v1.0.1").ok().err.contains("never call"));
    println!("  cases {}: apps that look and confirm, or do not", ran + 2);
    assert_eq!(ran, 6);
}
