//! Fault 77: no text of a stranger brings a control character to the terminal, in any command.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "what cannot go on here is a failed test")]

mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output, Stdio};

use common::{App, ssh_keygen};

/// Sets a title, colours, clears the screen with C1, turns the order, hides, and goes back over the line.
const EVIL: &str =
    "a\u{1b}]0;t\u{7}\u{1b}[31m\u{9b}2J\u{202e}\u{2066}\u{200b}\u{200f}\u{61c}\u{feff}\u{7f}\r\u{8}b";
/// The part of it that the name of a file in a release may have.
const NAME: &str = "a\u{9b}2J\u{202e}\u{2066}\u{200b}\u{200f}\u{61c}b";

/// The program said nothing that deceives. Whether something that would have is shown as an escape.
#[track_caller]
fn harmless(what: &str, output: &Output) -> bool {
    let mut all = String::new();
    for bytes in [&output.stdout, &output.stderr] {
        let text = String::from_utf8(bytes.clone()).unwrap();
        let bad = |c: char| {
            c.is_control() && c != '\n' && c != '\t'
                || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
        };
        assert!(!text.contains(bad), "{what}: {text:?}");
        all += &text;
    }
    all.contains("\\u")
}

/// How many of these are true: each of them, but for so many where the program has no reason to repeat the text.
#[track_caller]
fn most(shown: &[bool], silent: usize, what: &str) {
    let escaped = shown.iter().filter(|shown| **shown).count();
    println!("  cases {}: {what}; {escaped} of them with escapes", shown.len());
    assert_eq!(shown.len() - escaped, silent, "{shown:?}");
}

/// Answers everybody with this, as long as the test runs.
fn answering(status: &'static str, body: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut asked = String::new();
            while !asked.ends_with("\r\n\r\n") && reader.read_line(&mut asked).unwrap_or(0) > 0 {}
            let head =
                format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            // Who has gone away needs no answer.
            let _ = stream.write_all((head + &body).as_bytes());
        }
    });
    base
}

/// The app, with a program of this name and text first in its `PATH`.
fn with_program(app: &App, arguments: &[&str], name: &str, script: &str) -> Command {
    let path = format!("programs/{name}");
    app.write(&path, format!("#!/bin/sh\n{script}"));
    std::fs::set_permissions(app.path(&path), std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = app.mpota(arguments);
    let rest = std::env::var("PATH").unwrap();
    command.env("PATH", format!("{}:{rest}", app.path("programs").display()));
    command
}

#[test]
fn fault_77_what_is_named_or_lies_there_is_harmless_in_every_command() {
    let app = App::new();
    app.write(&format!("data/{NAME}"), "x");
    app.run("build --version v1.0.0").ok();
    app.write(&format!("dist/{EVIL}"), "x");
    app.write(&format!("odd/{EVIL}.py"), "x = 1\n");
    app.write("bad/mpota.toml", format!("project = \"octo/weather\"\nver\u{202e}sion = '''{NAME}'''\n"));
    app.write("evil/mpota.toml", format!("project = \"octo/weather\"\ninclude = ['''{NAME}/[''']\n"));
    app.write("evil/main.py", "");
    app.write("lie/manifest.json", format!("{{\"mpota\":1,\"version\":\"{EVIL}\"}}\n"));
    app.write("key.pub", format!("ssh-ed25519 {EVIL} {EVIL}\n"));
    let cases: &[&[&str]] = &[
        &["verify", "dist"],
        &["verify", "dist", "--json"],
        &["verify", "lie"],
        &["verify", EVIL],
        &["verify", "dist", "--key", EVIL],
        &["verify", "dist", "--against", EVIL],
        &["build", "--version", "v1.0.1", "-v", "-o", "new"],
        &["build", "--version", EVIL],
        &["build", "bad", "--version", "v1.0.0"],
        &["build", "evil", "--version", "v1.0.0"],
        &["build", EVIL],
        &["init", "odd", "--project", "octo/weather"],
        &["init", "odd", "--project", EVIL],
        &["init", EVIL],
        &["key", "new", EVIL],
        &["key", "new", "--comment", EVIL, "k"],
        &["key", "show", "key.pub"],
        &["manifest", "--version", "v1.0.0", EVIL],
        &["manifest", "--version", EVIL, "main.py"],
        &["sign", EVIL, "--key", "key.pub"],
        &["sign", "lie", "--signed-part"],
        &["publish", EVIL],
        &["publish", "--channel", EVIL, "--dry-run"],
        &["publish", "--repo", EVIL, "--json"],
        &["ca", EVIL],
        &["ca", "--also", EVIL, "--dir", "ca"],
        &["serve", EVIL],
        &["serve", "--token-env", EVIL],
        &["install", "--dir", EVIL, "--dist", "lie"],
        &["install", "--dir", "board", "--dist", EVIL],
        &["status", EVIL],
        &["doctor", EVIL, "--app", "bad"],
        &["doctor", "--app", EVIL, "--json"],
        &["updater", EVIL, "--project", EVIL],
        &["completions", EVIL],
        &["man", "--frobnicate", EVIL],
        &["man", "key.pub/\u{202e}"],
        &[EVIL],
    ];
    let mut shown = Vec::new();
    for arguments in cases {
        let output = app.mpota(*arguments).env("PATH", "").output().unwrap();
        shown.push(harmless(&arguments.join(" "), &output));
    }
    most(&shown, 7, "command lines with hostile names");
}

#[test]
fn fault_77_what_a_server_says_is_harmless() {
    let app = App::new();
    app.run("build --version v1.0.0").ok();
    let quoted = serde_json::to_string(EVIL).unwrap();
    let body = format!("{{\"message\":{quoted},\"errors\":[{{\"message\":{quoted},\"code\":{quoted}}}]}}");
    let mut shown = Vec::new();
    for status in ["403 Forbidden", "422 Unprocessable", "400 Bad", "401 No", "404 No"] {
        let base = answering(status, body.clone());
        for arguments in [&["publish"][..], &["publish", "--json"], &["verify", "octo/weather"]] {
            let mut command = app.mpota(arguments);
            command.args(["--base-url", &base]).env("MPOTA_TOKEN", "x").env("PATH", "");
            shown.push(harmless(&format!("{status} {arguments:?}"), &command.output().unwrap()));
        }
    }
    most(&shown, 9, "hostile answers");
}

#[test]
fn fault_77_what_a_board_says_is_harmless() {
    let app = App::new();
    app.run("build --version v1.0.0").ok();
    let said = format!(
        "mpota root /\nmpota version {EVIL}\nmpota build {EVIL}\nmpota flash 4096 200 256\nmpota file 3 {EVIL}\nmpota end\n"
    );
    app.write("answer", said.replace("\u{8}b\n", "\u{8}b \n"));
    app.write("refusal", EVIL);
    let file = |name| app.path(name).display().to_string();
    let scripts = [
        format!("exec cat {}\n", file("answer")),
        format!("cat {} >&2; exit 1\n", file("refusal")),
        format!("echo no device >&2; cat {} >&2; exit 1\n", file("refusal")),
        format!("cat {}; exit 1\n", file("refusal")),
    ];
    let mut shown = Vec::new();
    for script in &scripts {
        for arguments in [
            &["status", "u0"][..],
            &["status", "u0", "--json"],
            &["doctor", "u0"],
            &["doctor", "u0", "--json"],
            &["install", "u0", "--dry-run"],
        ] {
            let output = with_program(&app, arguments, "mpremote", script).output().unwrap();
            shown.push(harmless(&format!("{arguments:?} {script}"), &output));
        }
    }
    most(&shown, 0, "hostile boards");
}

#[test]
fn fault_77_tags_and_other_programs_are_harmless() {
    let app = App::new();
    app.commit_all();
    app.git("tag v1.0.\u{202e}0");
    app.git("tag v1.0.0-\u{9b}31m");
    app.git("tag \u{200b}v1");
    let mut shown = Vec::new();
    for arguments in [&["build"][..], &["doctor"], &["publish"]] {
        shown.push(harmless(&arguments.join(" "), &app.mpota(arguments).output().unwrap()));
    }
    app.write("evil", EVIL);
    ssh_keygen().args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(app.path("k")).output().unwrap();
    app.remove("k");
    let script = format!("cat {} >&2; exit 1\n", app.path("evil").display());
    let arguments = ["build", "--version", "v1.0.0", "--key", "k.pub"];
    shown.push(harmless(
        "ssh-keygen",
        &with_program(&app, &arguments, "ssh-keygen", &script).output().unwrap(),
    ));
    most(&shown, 1, "hostile tags and programs");
}

#[test]
fn fault_77_what_is_asked_of_the_server_is_harmless_in_its_log() {
    let app = App::new();
    app.run("build --version v1.0.0").ok();
    let mut command = app.mpota(["serve", "dist", "--listen", "127.0.0.1:0"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut first = String::new();
    out.read_line(&mut first).unwrap();
    let address = first.split('"').nth(3).unwrap().strip_prefix("http://").unwrap().to_owned();
    for path in ["/%1b[31m%c2%9b%e2%80%ae", "/\u{9b}\u{202e}", "/x"] {
        let mut stream = TcpStream::connect(&address).unwrap();
        stream
            .write_all(format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").as_bytes())
            .unwrap();
        stream.read_to_end(&mut Vec::new()).unwrap();
    }
    child.kill().unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(harmless("serve", &output));
    assert!(String::from_utf8(output.stderr).unwrap().contains("404 GET /x"));
}

#[test]
fn fault_77_bytes_stay_as_they_are_in_a_pipe_and_are_harmless_on_a_terminal() {
    let app = App::new();
    app.write(&format!("data/{NAME}"), "x");
    app.run("build --version v1.0.0").ok();
    let arguments = ["sign", "dist", "--signed-part"];
    let piped = app.mpota(arguments).output().unwrap().stdout;
    assert!(String::from_utf8(piped).unwrap().contains(NAME));
    let program = env!("CARGO_BIN_EXE_mpota");
    let script = format!("import pty, sys; sys.exit(pty.spawn(['{program}'] + {arguments:?}) >> 8)");
    let output = Command::new("python3")
        .args(["-c", &script])
        .current_dir(app.path(""))
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("cannot run python3 ({error})"));
    let text = String::from_utf8(output.stdout).unwrap().replace("\r\n", "\n");
    assert!(
        text.contains("a\\u{9b}2J\\u{202e}") && !text.contains(['\u{9b}', '\u{202e}', '\u{1b}']),
        "{text:?}"
    );
}
