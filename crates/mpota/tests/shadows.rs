//! What an import on the board would find by mistake is not built.

#![allow(clippy::unwrap_used, reason = "what cannot go on here is a failed test")]

mod common;

use std::collections::BTreeMap;

use common::App;
use mpota::board::updater;
use mpota::release::manifest::{self, ManifestOptions};

const ROOTS: [&str; 2] = ["", "lib/"];

/// What the release of these files is refused with; empty where it is not.
fn refused(files: &[&str], allowed: &[&str]) -> String {
    let app = App::empty();
    for path in files {
        app.write(path, "x = 1\n");
    }
    let mut options = ManifestOptions::new("v1.0.0", files).unwrap();
    options.root = app.path("");
    options.allow.shadow = allowed.iter().map(|&name| name.to_owned()).collect();
    // Whether they compile is not what is asked here.
    options.allow.syntax = files.iter().filter(|path| path.ends_with(".py")).map(|&p| p.to_owned()).collect();
    match manifest::make(&options) {
        Ok(_) => String::new(),
        Err(error) => miette::Report::new(error).chain().map(|error| error.to_string() + "\n").collect(),
    }
}

fn forms(name: &str) -> [String; 6] {
    [
        format!("{name}.py"),
        format!("{name}.mpy"),
        format!("{name}/__init__.py"),
        format!("{name}/more.mpy"),
        format!("{name}/data.txt"),
        format!("{name}/deep/er.txt"),
    ]
}

/// The updater's files in a folder, by their names without the ending.
fn whole(root: &str, end: &str) -> BTreeMap<String, String> {
    let stems = updater::files().map(|path| path.strip_suffix(".py").unwrap());
    stems.map(|stem| (stem.to_owned(), format!("{root}{stem}{end}"))).collect()
}

fn paths(files: &BTreeMap<String, String>) -> Vec<&str> {
    files.values().map(String::as_str).collect()
}

#[test]
fn fault_49_what_hides_a_module_of_the_firmware_is_refused_by_its_path_and_released_when_it_is_meant() {
    let mut ran = 0;
    for name in updater::firmware_modules() {
        for root in ROOTS {
            for form in forms(name) {
                let path = format!("{root}{form}");
                let said = refused(&["boot.txt", &path], &[]);
                let words = format!(
                    "{path} hides the firmware's module {name}: an app that imports {name} gets this file instead"
                );
                assert_eq!(said.trim_end(), words);
                assert_eq!(refused(&["boot.txt", &path], &[name]), "");
                // FAT does not tell upper from lower case.
                let loud = path.replacen(name.as_str(), &name.to_uppercase(), 1);
                assert!(refused(&[&loud], &[]).contains("hides the firmware's module"), "{loud}");
                ran += 3;
            }
        }
        for path in [
            format!("x/{name}.py"),
            format!("lib/x/{name}.py"),
            format!("{name}.txt"),
            format!("lib/{name}x.py"),
        ] {
            assert_eq!(refused(&[&path], &[]), "", "{path}");
            ran += 1;
        }
    }
    println!(
        "  cases {ran}: names of the firmware's modules, as files, compiled and as packages, in / and lib/"
    );
    assert_eq!(ran, updater::firmware_modules().len() * 40);
    assert!(ran >= 400, "{ran}");
}

#[test]
fn fault_49_a_part_of_the_updater_is_refused() {
    let mut ran = 0;
    for name in updater::modules() {
        for root in ROOTS {
            for form in forms(name) {
                let path = format!("{root}{form}");
                let package = updater::files().any(|file| file.starts_with(&format!("{name}/")));
                let data = package && path.ends_with(".txt");
                let said = refused(&["boot.txt", &path], &[]);
                let known = ["would take the place of the updater's", "would be found where the updater is"];
                assert_eq!(!data, known.iter().any(|words| said.contains(words)), "{path}: {said}");
                assert!(data || said.contains(&path), "{path}: {said}");
                // No option lets it in.
                assert_eq!(said.is_empty(), refused(&[&path], &[]).is_empty());
                assert!(!refused(&[&path], &[name]).is_empty());
                ran += 1;
            }
        }
    }
    println!("  cases {ran}: names of the updater's modules alone");
    assert_eq!(ran, updater::modules().len() * 12);
}

#[test]
fn fault_51_the_updater_is_released_whole_and_once_or_not_at_all() {
    let mut ran = 0;
    for (root, other) in [("", "lib/"), ("lib/", "")] {
        for (end, twin) in [(".py", ".mpy"), (".mpy", ".py")] {
            let all = whole(root, end);
            assert_eq!(refused(&paths(&all), &[]), "");
            for stem in all.keys() {
                let file = &all[stem];
                let mut less = all.clone();
                less.remove(stem);
                if !less.is_empty() {
                    let said = refused(&paths(&less), &[]);
                    let missing = format!("but {root}{stem}.py is not in the release");
                    assert!(said.contains(&missing), "{file}: {said}");
                }
                let mixed = less.iter().map(|(k, v)| (k.clone(), v.clone()));
                let mixed: BTreeMap<_, _> =
                    mixed.chain([(stem.clone(), format!("{root}{stem}{twin}"))]).collect();
                assert_eq!(refused(&paths(&mixed), &[]), "", "{file} as {twin}");
                for again in [
                    format!("{root}{stem}{twin}"),
                    format!("{other}{stem}{end}"),
                    format!("{other}{stem}{twin}"),
                ] {
                    let said = refused(&[&paths(&all)[..], &[&again]].concat(), &[]);
                    assert!(said.contains("are the same module of the updater"), "{again}: {said}");
                    assert!(said.contains(file) && said.contains(&again), "{again}: {said}");
                }
                let mut apart = less.clone();
                apart.insert(stem.clone(), format!("{other}{stem}{end}"));
                if apart.len() > 1 {
                    let said = refused(&paths(&apart), &[]);
                    assert!(said.contains("has to be in one folder"), "{file}: {said}");
                }
                ran += 6;
            }
            for module in updater::modules() {
                for path in [format!("{root}{module}/new.py"), format!("{other}{module}/new.mpy")] {
                    let said = refused(&[&paths(&all)[..], &[&path]].concat(), &[]);
                    assert!(said.contains(&format!("{path} would be found where the updater is")), "{said}");
                    ran += 1;
                }
            }
        }
    }
    println!("  cases {ran}: files of the updater that are missing, double, in two folders or not its own");
    assert_eq!(ran, 4 * (6 * updater::files().count() + 2 * updater::modules().len()));
}

#[test]
fn a_build_says_what_is_hidden_and_the_project_file_or_an_option_lets_it_in() {
    let app = App::new();
    app.write("lib/json.py", "loads = None\n");
    let both = |options: &str| {
        [
            app.run(&format!("build --version v1.0.0 {options}")),
            app.run(&format!("manifest --version v1.0.0 boot.py lib/json.py {options}")),
        ]
    };
    for said in both("") {
        said.refused(&[
            "lib/json.py hides the firmware's module json: an app that imports json gets this file instead",
            "the updater itself imports past it",
            "--allow-shadow json, or shadow = [\"json\"] under [allow] in mpota.toml",
        ]);
    }
    for said in both("--allow-shadow os") {
        said.refused(&["lib/json.py hides"]);
    }
    for said in both("--allow-shadow json --allow-shadow os") {
        said.refused(&["--allow-shadow os: no file of the release hides a module of this name"]);
    }
    for said in both("--allow-shadow json") {
        said.ok();
    }
    // A name in the project file that nothing hides any more is no mistake.
    app.append("mpota.toml", "[allow]\nshadow = [\"json\", \"os\"]\n");
    app.run("build --version v1.0.0").ok();
    app.write("lib/time.py", "");
    app.run("build --version v1.0.0").refused(&["lib/time.py hides the firmware's module time"]);
}

#[test]
fn another_updater_of_the_same_name_is_told_what_is_missing() {
    let app = App::new();
    app.write("ota_updater.py", "class OTAUpdater:\n    pass\n");
    app.run("build --version v1.0.0").refused(&[
        "ota_updater.py would take the place of the updater's on the board, but ",
        "is not in the release",
        "others have an ota_updater.py too",
    ]);
    app.remove("ota_updater.py");
    app.write("lib/util.mpy", "M");
    app.run("build --version v1.0.0").refused(&["lib/util.py hides lib/util.mpy: no import finds that"]);
}

#[test]
fn romfs_is_noted_only_where_the_updater_comes_along() {
    let app = App::new();
    let quiet = app.run("build --version v1.0.0").ok();
    assert!(!quiet.err.contains("ROMFS"), "{}", quiet.err);
    for (name, content) in mpota_vboard::agent_files().unwrap() {
        app.write(&format!("lib/{name}"), content);
    }
    let words =
        "note: on firmware with ROMFS, a module of the same name in /rom/lib hides lib/ota_updater.py";
    let built = app.run("build --version v1.0.0").ok();
    assert_eq!(built.err.matches("ROMFS").count(), 1, "{}", built.err);
    assert!(built.err.contains(words), "{}", built.err);
    let verified = app.run("verify dist").ok();
    assert!(verified.err.contains(words), "{}", verified.err);
    let json: serde_json::Value = serde_json::from_str(&app.run("verify dist --json").ok().out).unwrap();
    assert_eq!(json["notes"].as_array().unwrap().len(), 1);
    app.append("mpota.toml", "[requires]\nmpy = \"6.2\"\n");
    let older = app.run("build --version v1.0.0").ok();
    assert!(!older.err.contains("ROMFS"), "{}", older.err);
}

#[test]
fn the_updater_in_this_program_is_the_one_in_device() {
    let there: Vec<String> = mpota_vboard::agent_files().unwrap().into_iter().map(|(name, _)| name).collect();
    assert_eq!(updater::files().collect::<Vec<_>>(), there);
}

/// The board has a list of its own, of what it names in its log.
#[test]
fn the_board_knows_every_module_that_its_code_imports() {
    let files = mpota_vboard::agent_files().unwrap();
    let sources = files.iter().map(|(_, source)| String::from_utf8_lossy(source));
    let Some(list) = sources.filter_map(|s| Some(s.split_once("\nFIRMWARE = \"")?.1.to_owned())).next()
    else {
        return; // this updater has no such list
    };
    let mut told: Vec<&str> = list.split('"').next().unwrap().split(' ').collect();
    told.sort_unstable();
    assert_eq!(told, updater::firmware_modules().iter().map(String::as_str).collect::<Vec<_>>());
}

/// The board's list of the files that are copied before an updater is exchanged for another.
#[test]
fn the_board_knows_every_file_of_its_updater() {
    let files = mpota_vboard::agent_files().unwrap();
    let (_, parts) = files.iter().find(|(name, _)| name == "mpota/parts.py").unwrap();
    let parts = String::from_utf8_lossy(parts);
    let list = parts.split_once("\nNAMES = (").unwrap().1.split_once(").split()").unwrap().0;
    let told: Vec<&str> = list.split([' ', '"', '\n']).filter(|word| !word.is_empty()).collect();
    let there =
        files.iter().filter_map(|(name, _)| name.strip_suffix(".py")).filter(|name| !name.contains('/'));
    assert_eq!(told, there.collect::<Vec<_>>());
}
