//! Whole outputs, as a person sees them. After a change that is meant: `INSTA_UPDATE=always cargo test -p mpota
//! --test snapshots`, and read what git shows.

#![allow(clippy::unwrap_used, reason = "what cannot go on here is a failed test")]

mod common;

use std::process::Command;

use common::hub::{Hub, TOKEN};
use common::{App, Run, Said};

/// What stands for `text` in a snapshot, wherever it comes.
type Name<'a> = (&'a str, &'a str);

/// The call, the exit code, and both outputs.
fn page(call: &str, said: &Said, names: &[Name<'_>]) -> String {
    let mut text = format!("$ mpota {call}\n");
    for (what, lines) in [("", &said.out), ("! ", &said.err)] {
        for line in lines.lines() {
            text.push_str(what);
            text.push_str(line);
            text.push('\n');
        }
    }
    text.push_str(&format!("exit code {}\n", said.code));
    for (real, name) in names {
        text = text.replace(real, name);
    }
    ["SHA256:", "ssh-ed25519 ", "untagged-"].iter().fold(text, |text, begins| new_each_time(&text, begins))
}

/// What comes behind `begins` is new in each run: keys, and the names of drafts.
fn new_each_time(text: &str, begins: &str) -> String {
    let mut out = String::new();
    for (n, part) in text.split(begins).enumerate() {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '+' || c == '/');
        out.push_str(&if n == 0 { part.to_owned() } else { format!("{begins}[NEW]{rest}") });
    }
    out
}

fn shown(app: &App, call: &str) -> String {
    let folder = app.path("").display().to_string();
    let mut command = app.mpota(call.split_whitespace());
    command.env("PATH", "").env("COLUMNS", "100");
    page(call, &command.said(), &[(folder.trim_end_matches('/'), "[APP]")])
}

/// One snapshot of several calls, one after the other.
macro_rules! snapshot {
    ($name:literal, $app:expr, [$($call:literal),+ $(,)?]) => {{
        let pages: Vec<String> = vec![$(shown($app, $call)),+];
        println!("  cases {}: outputs of {}", pages.len(), $name);
        insta::assert_snapshot!($name, pages.join("\n"));
    }};
}

#[test]
fn a_release_is_made_signed_and_looked_at() {
    let app = App::new();
    app.write("mpota.toml", "project = \"octo/weather\"\nexclude = [\"key*\", \"board\"]\n");
    snapshot!(
        "release",
        &app,
        [
            "key new key",
            "build --version v1.0.0 --created 1700000000 --key key",
            "verify dist --key key.pub",
            "build --version v1.1.0 --created 1700000001 --unsigned",
            "verify dist --key key.pub",
            "verify dist --against dist",
            "sign dist --key key",
            "install --dir board --release-only",
            "install --dir board --release-only",
        ]
    );
}

#[test]
fn what_is_wrong_with_an_app_is_said() {
    let app = App::new();
    app.write("wifi_settings.py", "SSID = 'home'\nPASSWORD = 'correct horse'\n");
    app.write("notes.bak", "x");
    let before = shown(&app, "build --version v1.0.0");
    app.remove("wifi_settings.py");
    app.write("lib/util.py", "def add(a, b)\n    return a + b\n");
    let syntax = shown(&app, "build --version v1.0.0");
    app.write("lib/util.py", "def add(a, b):\n    return a + b\n");
    let warnings = shown(&app, "build --version v1.0.0 --created 1700000000");
    let version = shown(&app, "build --version v1");
    app.write("mpota.toml", "project = \"octo/weather\"\nincludes = [\"**\"]\n");
    let key = shown(&app, "build --version v1.0.0");
    app.write("mpota.toml", "project = \"weather\"\n");
    let project = shown(&app, "build --version v1.0.0");
    app.remove("mpota.toml");
    let none = shown(&app, "build --version v1.0.0");
    let pages = [before, syntax, warnings, version, key, project, none];
    println!("  cases {}: apps that are not right", pages.len());
    insta::assert_snapshot!("app", pages.join("\n"));
}

#[test]
fn a_damaged_release_is_said_to_be_one() {
    let app = App::new();
    app.run("build --version v1.0.0 --created 1700000000").ok();
    let mut pack = app.read("dist/weather-v1.0.0.pack");
    let last = pack.len() - 1;
    pack[last] ^= 1;
    app.write("dist/weather-v1.0.0.pack", pack);
    snapshot!(
        "damaged",
        &app,
        ["verify dist", "verify nowhere", "install --dir board", "publish --repo octo/weather"]
    );
}

#[test]
fn the_way_in_and_the_help_are_read() {
    let app = App::empty();
    snapshot!(
        "first",
        &app,
        [
            "init --project octo/weather",
            "init --project octo/weather",
            "doctor",
            "status a0",
            "explain secret::found",
            "explain no::such",
            "bild",
        ]
    );
}

#[test]
fn publishing_is_told_step_by_step() {
    let hub = Hub::new();
    let server = hub.serve();
    let folder = hub.app.path("").display().to_string();
    let names: &[Name<'_>] = &[(server.base_url(), "[SERVER]"), (folder.trim_end_matches('/'), "[APP]")];
    let told = |call: &str, token: Option<&str>| {
        let mut command: Command = hub.app.mpota(["publish", "--base-url", server.base_url()]);
        command.args(call.split_whitespace()).env("PATH", "");
        token.map(|token| command.env("MPOTA_TOKEN", token));
        page(&format!("publish {call}"), &command.said(), names)
    };
    let pages = [told("", None), told("", Some("wrong")), told("", Some(TOKEN)), told("", Some(TOKEN))];
    println!("  cases {}: outputs of publish", pages.len());
    insta::assert_snapshot!("publish", pages.join("\n"));
}
