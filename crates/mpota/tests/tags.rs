//! Tags as people write them, and several apps in one repository.

#![allow(clippy::unwrap_used, reason = "what cannot go on here is a failed test")]

mod common;

use std::path::Path;
use std::process::Command;

use common::{App, Run};

/// Tags of the commit before, and of this one; a prefix; what is said.
type Case = (&'static [&'static str], &'static [&'static str], &'static str, &'static [&'static str]);

fn git(folder: &Path, arguments: &[&str]) {
    let mut git = Command::new("git");
    git.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
    git.arg("-C").arg(folder).args(["-c", "user.name=a", "-c", "user.email=a@example.org"]);
    git.args(arguments).said().ok();
}

/// An app in git whose commit has these tags; the commit before has `before`.
fn tagged(before: &[&str], tags: &[&str]) -> App {
    let app = App::new();
    git(&app.path(""), &["init", "--quiet"]);
    for (message, tags) in [("one", before), ("two", tags)] {
        git(&app.path(""), &["add", "--all"]);
        git(&app.path(""), &["commit", "--quiet", "--allow-empty", "--message", message]);
        for tag in tags {
            git(&app.path(""), &["tag", tag]);
        }
    }
    app
}

fn version(app: &App) -> String {
    mpota::release::dist::read_manifest(&app.path("dist/manifest.json")).unwrap().header.version.to_string()
}

#[test]
fn fault_70_a_tag_is_taken_where_the_rule_is_clear() {
    let cases: &[(&[&str], &str, &str)] = &[
        (&["v1.2.0"], "", "v1.2.0"),
        (&["1.2.0"], "", "1.2.0"),
        (&["2024.11.3"], "", "2024.11.3"),
        (&["v1.2"], "", "v1.2.0"),
        (&["1.2"], "", "1.2.0"),
        (&["2024.11"], "", "2024.11.0"),
        // All three numbers come before two.
        (&["v1.2", "v1.2.0"], "", "v1.2.0"),
        (&["beta", "v1.2", "nightly-3"], "", "v1.2.0"),
        (&["release-1.2"], "release-", "1.2.0"),
        (&["sensor/v1.0.0", "gate/v2.0.0"], "sensor/", "v1.0.0"),
        (&["sensor/v1.0.0", "v2.0.0"], "sensor/", "v1.0.0"),
        (&["sensor/v1.0"], "sensor/", "v1.0.0"),
    ];
    for (tags, prefix, wanted) in cases {
        let app = tagged(&[], tags);
        app.write("mpota.toml", format!("project = \"octo/weather\"\ntag_prefix = \"{prefix}\"\n"));
        let said = app.run("build").ok();
        assert_eq!(version(&app), *wanted, "{tags:?}");
        let same = tags.contains(wanted);
        assert_eq!(said.err.contains("counts as the version"), !same, "{tags:?}: {}", said.err);
    }
    println!("  cases {}: tags that are taken", cases.len());
    assert_eq!(cases.len(), 12);
}

#[test]
fn fault_70_any_other_tag_is_named_with_what_would_be_taken() {
    let cases: &[Case] = &[
        (&[], &["release-1.2"], "", &["release-1.2", "it would be 1.2.0", "git tag 1.2.0", "tag_prefix"]),
        (&[], &["2024.01"], "", &["2024.01", "it would be 2024.1.0", "--version 2024.1.0"]),
        (&[], &["v1"], "", &["v1", "it would be v1.0.0"]),
        (&[], &["V1.2.3"], "", &["V1.2.3", "it would be v1.2.3"]),
        (&[], &["v1.2-rc.1"], "", &["v1.2-rc.1", "it would be v1.2.0-rc.1"]),
        (&[], &["sensor/v1.0.0"], "", &["sensor/v1.0.0", "it would be v1.0.0", "tag_prefix"]),
        (&[], &["1.2.3.4"], "", &["1.2.3.4", "three numbers"]),
        (&[], &["beta"], "", &["beta", "three numbers"]),
        (&[], &["v1.2.0"], "sensor/", &["v1.2.0", "git tag sensor/v1.0.0"]),
        (&[], &[], "sensor/", &["no tag", "git tag sensor/v1.0.0"]),
        (&[], &["v1.2", "v1.3"], "", &["more than one tag", "v1.2, v1.3"]),
        (&["v1.2.0"], &["v1.2"], "", &["v1.2", "v1.2.0 is the tag of another commit"]),
        (&["1.2.0+a"], &["v1.2"], "", &["1.2.0+a is the tag of another commit"]),
    ];
    for (before, tags, prefix, words) in cases {
        let app = tagged(before, tags);
        app.write("mpota.toml", format!("project = \"octo/weather\"\ntag_prefix = \"{prefix}\"\n"));
        app.run("build").refused(words);
        assert!(!app.path("dist").exists(), "{tags:?}");
    }
    let app = App::new();
    let named = [("v1.2", "v1.2.0"), ("release-1.2.3", "1.2.3"), ("2024.01", "2024.1.0"), ("beta", "v1.2.0")];
    for (given, wanted) in named {
        app.run(&format!("build --version {given}")).refused(&[given, "three numbers", wanted]);
    }
    println!("  cases {}: tags that are not taken", cases.len() + named.len());
    assert_eq!(cases.len() + named.len(), 17);
}

#[test]
fn fault_70_apps_with_one_project_are_not_published() {
    let app = tagged(&[], &[]);
    for name in ["sensor", "gate"] {
        app.write(&format!("{name}/mpota.toml"), "project = \"octo/house\"\n");
        app.write(&format!("{name}/main.py"), "import ota_updater\nota_updater.boot()\n");
    }
    let publish = |project: &str| {
        app.write("gate/mpota.toml", format!("project = \"{project}\"\n"));
        app.run("publish --app sensor --version v1.0.0 --dry-run")
    };
    let said = publish("Octo/House");
    assert_eq!(said.code, 2, "{}", said.err);
    for word in ["gate/mpota.toml", "octo/house", "a repository for its releases"] {
        assert!(said.err.contains(word), "{}", said.err);
    }
    // With another one it goes on, as far as it gets without a token.
    let said = publish("octo/gate");
    assert!(said.code != 2 && !said.err.contains("gate/mpota.toml"), "{}", said.err);
    println!("  cases 2: two apps in a repository");
}
