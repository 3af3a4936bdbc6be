//! `mpota build` and `mpota manifest`.

#![allow(clippy::unwrap_used, reason = "what cannot go on here is a failed test")]

mod common;

use std::fs;
use std::os::unix::fs::symlink;

use common::{App, Run};
use mpota::release::build::{BuildOptions, build_with};
use mpota_format::manifest::Place;

#[test]
fn the_same_input_gives_the_same_bytes() {
    for plain in ["", "--plain"] {
        let (one, two) = (App::new(), App::new());
        two.run(&format!("build --version v9.9.9 {plain}")).ok();
        for app in [&one, &two] {
            app.run(&format!("build --version v1.0.0 --created 1700000000 {plain}")).ok();
        }
        let tree = one.tree("dist");
        assert!(tree.len() >= 2, "{} files", tree.len());
        assert!(tree == two.tree("dist"), "dist differs {plain}");
    }
}

#[test]
fn a_build_replaces_the_one_before_and_leaves_nothing_beside_it() {
    let app = App::new();
    let mut expected = app.names();
    expected.insert(1, "dist".to_owned());
    app.run("build --version v1.0.0").ok();
    app.run("build --version v1.1.0").ok();
    let names: Vec<String> = app.tree("dist").into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["manifest.json", "weather-v1.1.0.pack"]);
    assert_eq!(app.names(), expected);
}

#[test]
fn a_failed_build_leaves_the_one_before_as_it_was() {
    let app = App::new();
    app.run("build --version v1.0.0").ok();
    let before = app.tree("");
    app.write("lib/secrets.py", "");
    app.run("build --version v1.1.0").refused(&["lib/secrets.py"]);
    app.remove("lib/secrets.py");
    assert!(app.tree("") == before);
}

#[test]
fn the_pack_is_named_as_the_board_guesses_and_holds_compressed_files() {
    let app = App::new();
    app.run("build --version v1.0.0-rc.1").ok();
    let manifest = mpota::release::dist::read_manifest(&app.path("dist/manifest.json")).unwrap();
    let pack = manifest.header.pack.unwrap();
    assert_eq!(pack.asset, "weather-v1.0.0-rc.1.pack");
    assert_eq!(app.read("dist/weather-v1.0.0-rc.1.pack").len() as u64, pack.size);
    let stored = |path: &str| {
        let file = manifest.files.iter().find(|file| file.path == path).unwrap();
        let Place::Packed { length, .. } = file.place else { panic!("not packed") };
        (file.size, length)
    };
    assert!(stored("main.py").1 < stored("main.py").0 / 10);

    app.run("build --version v1.0.0 --no-compress").ok();
    let size: usize = ["boot.py", "main.py", "lib/util.py"].map(|path| app.read(path).len()).iter().sum();
    assert_eq!(app.read("dist/weather-v1.0.0.pack").len(), size);
}

#[test]
fn plain_gives_one_asset_for_each_file() {
    let app = App::new();
    for (setting, option) in [("", "--plain"), ("plain = true\n", "")] {
        app.write("mpota.toml", format!("project = \"octo/weather\"\n{setting}"));
        app.run(&format!("build --version v1.0.0 {option}")).ok();
        let names: Vec<String> = app.tree("dist").into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["boot.py", "lib-util.py", "main.py", "manifest.json"]);
        assert_eq!(app.read("dist/lib-util.py"), app.read("lib/util.py"));
        fs::remove_dir_all(app.path("dist")).unwrap();
    }
}

#[test]
fn gitignore_is_respected_with_and_without_git() {
    let app = App::new();
    app.write(".gitignore", "*.log\n/data/\n");
    app.write("lib/.gitignore", "local.py\n!kept.log\n");
    for path in ["a.log", "lib/b.log", "lib/kept.log", "data/x", "lib/local.py", "local.py"] {
        app.write(path, "x");
    }
    let expected = ["boot.py", "lib/kept.log", "lib/util.py", "local.py", "main.py"];
    app.run("build --version v1.0.0").ok();
    assert_eq!(app.released(), expected);
    app.git("init -q");
    app.run("build --version v1.0.0").ok();
    assert_eq!(app.released(), expected);
}

#[test]
fn the_settings_of_whoever_builds_do_not_count() {
    let app = App::new();
    app.git("init -q");
    app.write(".git/info/exclude", "main.py\n");
    app.write(".ignore", "main.py\n");
    app.run("build --version v1.0.0").ok();
    assert_eq!(app.released(), ["boot.py", "lib/util.py", "main.py"]);
}

#[test]
fn include_and_exclude_are_seen_from_root() {
    let app = App::new();
    for path in ["src/boot.py", "src/lib/a.py", "src/lib/deep/b.py", "src/lib/deep/b.txt", "src/x.py"] {
        app.write(path, "import ota_updater\nota_updater.boot()\n");
    }
    let cases = [
        ("include = [\"*.py\"]", vec!["boot.py", "x.py"]),
        ("include = [\"boot.py\", \"lib\"]", vec!["boot.py", "lib/a.py", "lib/deep/b.py", "lib/deep/b.txt"]),
        ("include = [\"lib/**/*.py\"]", vec!["lib/a.py", "lib/deep/b.py"]),
        ("exclude = [\"lib/deep\", \"x.py\"]", vec!["boot.py", "lib/a.py"]),
        ("exclude = [\"**/*.txt\", \"lib/*.py\"]", vec!["boot.py", "lib/deep/b.py", "x.py"]),
    ];
    for (lines, expected) in cases {
        app.write("mpota.toml", format!("project = \"octo/weather\"\nroot = \"src\"\n{lines}\n"));
        app.run("build --version v1.0.0").ok();
        assert_eq!(app.released(), expected, "{lines}");
    }
}

#[test]
fn a_pattern_that_brings_nothing_is_an_error() {
    let app = App::new();
    app.write("mpota.toml", "project = \"octo/weather\"\ninclude = [\"*.py\", \"libs/**\"]\n");
    app.run("build --version v1.0.0").refused(&["libs/**", "hint: "]);
}

#[test]
fn what_is_not_the_apps_is_never_released() {
    let app = App::new();
    for path in [
        ".git/config",
        ".ota/state.0",
        ".OTA/state.1",
        "version.json",
        "__pycache__/a.pyc",
        "lib/b.pyc",
        ".vscode/settings.json",
        ".settings/net.json",
        "lib/.hidden",
    ] {
        app.write(path, "x");
    }
    app.write("mpota.toml", "project = \"octo/weather\"\ninclude = [\"**\", \".*/*\"]\n");
    app.run("build --version v1.0.0").ok();
    app.run("build --version v1.0.0 --output out").ok();
    app.run("build --version v1.0.0 --output out").ok();
    let manifest = mpota::release::dist::read_manifest(&app.path("out/manifest.json")).unwrap();
    let paths: Vec<&str> = manifest.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, [".settings/net.json", "boot.py", "lib/util.py", "main.py"]);
}

#[test]
fn a_symlink_out_of_the_tree_is_released_when_asked_for_by_name() {
    let outside = App::new();
    let app = App::new();
    symlink(outside.path("main.py"), app.path("lib/far.py")).unwrap();
    symlink(outside.path("lib"), app.path("far")).unwrap();
    app.run("build --version v1.0.0 --allow-link lib/far.py").refused(&["far", "--allow-link far"]);
    app.run("build --version v1.0.0 --allow-link lib/far.py --allow-link far").refused(&["to the folder"]);
    app.remove("far");
    app.run("build --version v1.0.0").refused(&["--allow-link lib/far.py"]);
    app.run("build --version v1.0.0 --plain --allow-link ./lib/far.py").ok();
    assert_eq!(app.read("dist/lib-far.py"), outside.read("main.py"));
    app.run("manifest --version v1.0.0 lib/far.py").refused(&["--allow-link lib/far.py"]);
    app.run("manifest --version v1.0.0 lib/far.py --allow-link lib/far.py").ok();
    app.run("build --version v1.0.0 --allow-link lib/gone.py --allow-link lib/far.py")
        .refused(&["lib/gone.py"]);
    // The permission is for the link, not for what may be in it.
    outside.write("main.py", "password = 'hunter2'\n");
    app.run("build --version v1.0.0 --allow-link lib/far.py")
        .refused(&["lib/far.py, line 1", "--allow-secret"]);
}

#[test]
fn fault_46_a_symlink_out_of_the_tree_is_refused_and_named() {
    let outside = App::new();
    for (link, target) in [("lib/far.py", "main.py"), ("far", "lib"), ("gone.py", "nothing")] {
        let app = App::new();
        symlink(outside.path(target), app.path(link)).unwrap();
        app.run("build --version v1.0.0").refused(&[link]);
        assert!(!app.path("dist").exists());
        app.write("mpota.toml", format!("project = \"octo/weather\"\nexclude = [\"{link}\"]\n"));
        app.run("build --version v1.0.0").ok();
    }
}

#[test]
fn a_symlink_to_a_folder_is_not_passed_over_in_silence() {
    let app = App::new();
    symlink("lib", app.path("same")).unwrap();
    for (include, far) in [
        ("\"**/*.py\"", true),
        ("\"*.py\", \"same\"", true),
        ("\"*/*.py\"", true),
        ("\"*.py\", \"lib/**\"", false),
    ] {
        app.write("mpota.toml", format!("project = \"octo/weather\"\ninclude = [{include}]\n"));
        let said = app.run("build --version v1.0.0");
        if far {
            said.refused(&["same", "folder"])
        } else {
            said.ok()
        };
    }
}

#[test]
fn a_symlink_within_the_tree_is_released_as_the_file_it_leads_to() {
    let app = App::new();
    symlink("util.py", app.path("lib/same.py")).unwrap();
    app.run("build --version v1.0.0 --plain").ok();
    assert_eq!(app.read("dist/lib-same.py"), app.read("lib/util.py"));
}

#[test]
fn fault_46_an_unreadable_file_is_an_error_that_names_it() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    use std::os::unix::process::CommandExt;
    let app = App::new();
    fs::set_permissions(app.path("lib/util.py"), fs::Permissions::from_mode(0o000)).unwrap();
    let mut command = app.mpota(["build", "--version", "v1.0.0"]);
    if fs::metadata(app.path("")).unwrap().uid() == 0 {
        // Root reads everything: somebody else has to try, with a program that he may start.
        fs::set_permissions(app.path(""), fs::Permissions::from_mode(0o777)).unwrap();
        // Not by fs::copy: a program that is open for writing here cannot be started.
        let copy = std::process::Command::new("cp")
            .arg(env!("CARGO_BIN_EXE_mpota"))
            .arg(app.path(".mpota"))
            .status();
        assert!(copy.expect("cp is part of coreutils").success());
        command = std::process::Command::new(app.path(".mpota"));
        command.args(["build", "--version", "v1.0.0"]).current_dir(app.path("")).uid(65534);
    }
    command.said().refused(&["lib/util.py", "denied"]);
}

#[test]
fn a_pipe_is_refused_and_not_waited_for() {
    let app = App::new();
    let made = std::process::Command::new("mkfifo").arg(app.path("lib/pipe.py")).status();
    assert!(made.expect("mkfifo is part of coreutils").success());
    app.run("build --version v1.0.0").refused(&["lib/pipe.py"]);
}

#[test]
fn fault_46_a_write_that_fails_leaves_the_release_before_and_nothing_beside_it() {
    let app = App::new();
    app.run("build --version v1.0.0").ok();
    app.write("lib/large.bin", (0..40_000_u32).flat_map(u32::to_be_bytes).collect::<Vec<u8>>());
    let before = (app.tree(""), app.names());
    let mut command = std::process::Command::new("sh");
    // A limit on the size of files fails a write in the middle, as a full disk does.
    command.args(["-c", "trap '' XFSZ; ulimit -f 8; exec \"$0\" build --version v1.1.0 --no-compress"]);
    command.arg(env!("CARGO_BIN_EXE_mpota")).current_dir(app.path(""));
    command.said().refused(&["cannot write", "weather-v1.1.0.pack"]);
    assert!((app.tree(""), app.names()) == before);
}

#[test]
fn fault_46_a_file_that_changes_while_building_is_an_error() {
    for (seen, changed) in [("lib/util.py", "boot.py"), ("main.py", "lib/util.py"), ("main.py", "main.py")] {
        let app = App::new();
        app.run("build --version v1.0.0").ok();
        let before = (app.tree("dist"), app.names());
        let mut options = BuildOptions::load(app.path("")).unwrap();
        options.version = Some("v1.1.0".to_owned());
        let mut times = 0;
        let result = build_with(&options, &mut |file| {
            if file.path == seen {
                times += 1;
                app.append(changed, "# more\n");
            }
        });
        assert_eq!(times, 1);
        let error = result.unwrap_err().to_string();
        assert!(error.contains(changed) && error.contains("changed"), "{error}");
        assert!((app.tree("dist"), app.names()) == before, "dist was touched");
    }
}

#[test]
fn a_folder_that_is_no_release_is_never_replaced() {
    let app = App::new();
    app.write("out/notes.txt", "mine");
    app.run("build --version v1.0.0 --output out").refused(&["out", "manifest.json"]);
    app.run("build --version v1.0.0 --output boot.py").refused(&["boot.py"]);
    app.write("out2/manifest.json", "{\"name\":\"somebody else's\"}");
    app.run("build --version v1.0.0 --output out2").refused(&["out2"]);
    app.run("build --version v1.0.0").ok();
    app.write("dist/notes.txt", "mine");
    app.run("build --version v1.1.0").refused(&["notes.txt"]);
    assert_eq!(app.text("dist/notes.txt"), "mine");
    assert_eq!(app.text("out/notes.txt"), "mine");
    fs::create_dir(app.path("empty")).unwrap();
    app.run("build --version v1.0.0 --output empty").ok();
}

#[test]
fn the_version_is_the_git_tag_and_the_time_is_the_commits() {
    let app = App::new();
    app.run("build").refused(&["git", "hint: "]);
    app.commit_all();
    app.run("build").refused(&["no tag that is a version", "git tag v1.0.0"]);
    app.git("tag nightly");
    app.git("tag v1.4.0");
    let said = app.run("build").ok();
    assert!(!said.err.contains("warning"), "{}", said.err);
    let header = mpota::release::dist::read_manifest(&app.path("dist/manifest.json")).unwrap().header;
    assert_eq!((header.version.as_str(), header.created), ("v1.4.0", Some(1_700_000_000)));
    app.git("tag v1.5.0");
    app.run("build").refused(&["v1.4.0, v1.5.0", "--version"]);
}

#[test]
fn changes_since_the_tag_are_told() {
    let app = App::new();
    app.commit_all();
    app.git("tag v1.0.0");
    app.append("main.py", "# not committed\n");
    let said = app.run("build").ok();
    assert!(said.err.contains("warning[build::changed]: files differ"), "{}", said.err);
}

#[test]
fn the_time_comes_from_the_option_then_the_environment_else_there_is_none() {
    let app = App::new();
    let created =
        || mpota::release::dist::read_manifest(&app.path("dist/manifest.json")).unwrap().header.created;
    app.run("build --version v1.0.0").ok();
    assert_eq!(created(), None);
    let build = |arguments: &[&str], epoch: &str| {
        app.mpota(["build", "--version", "v1.0.0"]).args(arguments).env("SOURCE_DATE_EPOCH", epoch).said()
    };
    build(&[], "1600000000").ok();
    assert_eq!(created(), Some(1_600_000_000));
    build(&["--created", "1500000000"], "1600000000").ok();
    assert_eq!(created(), Some(1_500_000_000));
    assert_eq!(build(&[], "yesterday").code, 2);
}

#[test]
fn without_boot_py_a_main_py_that_does_not_start_the_updater_is_warned_about() {
    let app = App::new();
    assert!(!app.run("build --version v1.0.0").ok().err.contains("warning"));
    app.remove("boot.py");
    assert!(
        app.run("build --version v1.0.0")
            .ok()
            .err
            .contains("warning[build::no_updater]: main.py does not start the updater")
    );
    let main = format!("import ota_updater\nota_updater.boot()\n{}", app.text("main.py"));
    app.write("main.py", main);
    assert!(!app.run("build --version v1.0.0").ok().err.contains("warning"));
}

#[test]
fn compiled_files_without_a_requirement_are_warned_about() {
    let app = App::new();
    app.write("lib/fast.mpy", b"M\x06\x00\x1f");
    assert!(app.run("build --version v1.0.0").ok().err.contains("mpy = \"6\""));
    app.write("mpota.toml", "project = \"octo/weather\"\n[requires]\nmpy = \"6\"\n");
    assert!(!app.run("build --version v1.0.0").ok().err.contains("warning"));
}

#[test]
fn requirements_and_hooks_get_into_the_manifest() {
    let app = App::new();
    app.write("hooks/migrate.py", "x = 1\n");
    let toml = "project = \"octo/weather\"\n[requires]\nmicropython = \"1.21\"\nplatform = [\"esp32\", \"rp2\"]\n\
                board = [\"ESP32_GENERIC\", \"Raspberry Pi Pico W\"]\n[hooks]\npost_update = \"hooks/migrate.py\"\n";
    app.write("mpota.toml", toml);
    app.run("build --version v1.0.0").ok();
    let header = mpota::release::dist::read_manifest(&app.path("dist/manifest.json")).unwrap().header;
    assert_eq!(header.requires.platform, ["esp32", "rp2"]);
    assert_eq!(header.requires.board, ["ESP32_GENERIC", "Raspberry Pi Pico W"]);
    let said = app.run("verify dist").ok();
    let line =
        "requires   micropython 1.21, platform esp32 or rp2, board ESP32_GENERIC or Raspberry Pi Pico W\n";
    assert!(said.out.contains(line), "{}", said.out);
    assert_eq!(header.hooks.post_update.as_deref(), Some("hooks/migrate.py"));
    app.write("mpota.toml", toml.replace("migrate", "other"));
    app.run("build --version v1.0.0").refused(&["hooks/other.py", "hint: "]);
    app.write("mpota.toml", toml.replace("ESP32_GENERIC", "Gerät"));
    app.run("build --version v1.0.0").refused(&["a board's name cannot be \"Gerät\""]);
}

#[test]
fn names_that_no_board_can_have_are_refused() {
    for name in ["a:b.py", "what?.py", "end.", "back\\slash"] {
        let app = App::new();
        app.write(name, "x");
        app.run("build --version v1.0.0").refused(&[name]);
    }
    let app = App::new();
    app.write("Main.py", "x");
    app.run("build --version v1.0.0").refused(&["Main.py and main.py", "FAT", "hint: rename or exclude"]);
    let app = App::new();
    app.write("LIB", "x");
    app.run("build --version v1.0.0").refused(&["LIB and lib/util.py", "no option"]);
}

#[test]
fn a_version_that_is_none_is_refused() {
    let app = App::new();
    for version in ["1", "latest", "v1.0", "vv1.0.0"] {
        app.run(&format!("build --version {version}")).refused(&[version]);
        assert_eq!(app.run(&format!("manifest --version {version} boot.py")).code, 2);
    }
}

#[test]
fn manifest_describes_exactly_the_named_files() {
    let app = App::new();
    app.write("unnamed.py", "x");
    let said = app.run("manifest --version v1.0.0 ./main.py boot.py lib/util.py").ok();
    assert!(said.err.contains("publish lib/util.py as lib-util.py"), "{}", said.err);
    let manifest = mpota::release::dist::read_manifest(&app.path("manifest.json")).unwrap();
    let files: Vec<(String, u64)> = manifest.files.iter().map(|f| (f.path.clone(), f.size)).collect();
    let size = |path: &str| (path.to_owned(), app.read(path).len() as u64);
    assert_eq!(files, [size("boot.py"), size("lib/util.py"), size("main.py")]);
    let text = app.text("manifest.json");
    app.run("manifest --version v1.0.0 boot.py lib/util.py main.py").ok();
    assert_eq!(app.text("manifest.json"), text);
    assert_eq!(app.run("manifest --version v1.0.0 boot.py lib/util.py main.py --output -").ok().out, text);
}

#[test]
fn manifest_refuses_what_it_cannot_describe() {
    let app = App::new();
    let outside = App::new();
    symlink(outside.path("main.py"), app.path("far.py")).unwrap();
    app.write("notes.json", "mine");
    let cases = [
        ("gone.py", "gone.py"),
        ("lib", "lib"),
        ("far.py", "far.py"),
        ("../main.py", "../main.py"),
        ("/etc/hostname", "/etc/hostname"),
        ("boot.py ./boot.py", "boot.py is named twice"),
        ("boot.py --output notes.json", "notes.json"),
    ];
    for (arguments, word) in cases {
        app.run(&format!("manifest --version v1.0.0 {arguments}")).refused(&[word]);
    }
    assert_eq!(app.text("notes.json"), "mine");
    assert!(!app.path("manifest.json").exists());
}

#[test]
fn init_never_overwrites_and_what_it_writes_builds() {
    let app = App::new();
    app.run("init").refused(&["mpota.toml"]);
    assert_eq!(app.text("mpota.toml"), "project = \"octo/weather\"\n");
    app.remove("mpota.toml");
    app.write("secrets.py", "");
    app.git("init -q");
    app.git("remote add origin git@github.com:octo/rain.git");
    app.run("init").ok();
    app.run("build --version v1.0.0").ok();
    assert!(app.path("dist/rain-v1.0.0.pack").exists());
    assert_eq!(app.released(), ["boot.py", "lib/util.py", "main.py"]);
}
