//! `mpota serve`, as a program of its own.

#![allow(clippy::unwrap_used, reason = "what cannot go on here is a failed test")]

mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};

use common::{App, Run};

struct Serving {
    child: Child,
    config: Vec<String>,
    base: String,
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts it, and reads as many lines for CONFIG as it should print.
fn serve(app: &App, arguments: &str, lines: usize) -> Serving {
    let mut command = app.mpota(["serve", "--listen", "127.0.0.1:0"]);
    command.args(arguments.split_whitespace()).env("TOKEN", "a secret");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    let config: Vec<String> = out.lines().take(lines).map(|line| line.unwrap()).collect();
    let base = config.first().and_then(|line| line.split('"').nth(3)).unwrap_or_default().to_owned();
    Serving { child, config, base }
}

#[test]
fn a_dist_folder_is_served_and_the_lines_for_config_are_printed() {
    let app = App::new();
    app.run("build --version v1.0.0").ok();
    let serving = serve(&app, "dist", 3);
    assert_eq!(serving.config[1..], ["CONFIG[\"owner\"] = \"octo\"", "CONFIG[\"repo\"] = \"weather\""]);
    app.run(&format!("verify octo/weather@v1.0.0 --base-url {}", serving.base)).ok();
}

#[test]
fn with_a_token_the_download_paths_are_closed_and_the_token_is_not_printed() {
    let app = App::new();
    app.run("build --version v1.0.0").ok();
    let serving = serve(&app, "dist --token-env TOKEN", 4);
    assert_eq!(serving.config[3], "CONFIG[\"token\"] = \"...\"");
    app.run(&format!("verify octo/weather --base-url {}", serving.base)).refused(&["no release"]);
    assert_eq!(app.mpota(["serve", "dist", "--token-env", "NO_SUCH_VARIABLE"]).said().code, 2);
}

#[test]
fn with_a_token_for_writing_it_takes_a_release_and_without_one_it_does_not() {
    let app = App::new();
    std::fs::create_dir(app.path("releases")).unwrap();
    let body = r#"{"tag_name":"v1.0.0"}"#;
    let create = |base: &str, token: &str| {
        let mut socket = TcpStream::connect(base.trim_start_matches("http://")).unwrap();
        let length = body.len();
        let request = format!(
            "POST /api/v3/repos/octo/weather/releases HTTP/1.1\r\nHost: x\r\nUser-Agent: x\r\n\
             Authorization: Bearer {token}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        );
        socket.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        answer.split(' ').nth(1).unwrap_or_default().to_owned()
    };
    let reading = serve(&app, "releases --repo octo/weather --token-env TOKEN", 2);
    assert_eq!(create(&reading.base, "a secret"), "403");
    let writing = serve(&app, "releases --repo octo/weather --write-token-env TOKEN", 1);
    assert_eq!(create(&writing.base, "another"), "401");
    assert_eq!(create(&writing.base, "a secret"), "201");
    assert!(app.path("releases/v1.0.0/release.json").exists());
    let none = app.mpota(["serve", "releases", "--write-token-env", "NO_SUCH_VARIABLE"]).said();
    assert_eq!(none.code, 2);
}

#[test]
fn a_kept_authority_is_the_same_after_a_restart() {
    let app = App::new();
    app.write("mpota.toml", "project = \"octo/weather\"\nexclude = [\"ca.*\"]\n");
    app.run("build --version v1.0.0").ok();
    let mut seen = Vec::new();
    for _ in 0..2 {
        let serving = serve(&app, "dist --https --ca ca.pem", 3);
        assert!(serving.base.starts_with("https://"), "{}", serving.base);
        app.run(&format!("verify octo/weather --base-url {} --ca ca.pem", serving.base)).ok();
        seen.push(app.read("ca.der"));
    }
    assert!(seen[0] == seen[1] && !seen[0].is_empty());
}

#[test]
fn a_folder_that_is_not_there_is_an_error() {
    let app = App::new();
    app.run("serve nowhere --listen 127.0.0.1:0").refused(&["nowhere", "hint: "]);
}

#[test]
fn reports_need_tokens_where_other_machines_can_reach_the_server() {
    let app = App::new();
    app.run("build --version v1.0.0").ok();
    let cases = [
        ("--reports fleet.db", &["serve::unguarded", "reports are taken", "--report-token-env"][..]),
        ("--reports fleet.db --fleet-token-env TOKEN", &["serve::unguarded", "reports are taken"]),
        (
            "--reports fleet.db --report-token-env TOKEN",
            &["serve::unguarded", "the fleet is shown", "--fleet-token-env"],
        ),
    ];
    for (options, said) in cases {
        let mut command = app.mpota(["serve", "dist", "--listen", "0.0.0.0:0"]);
        command.args(options.split(' ')).env("TOKEN", "a secret");
        command.said().refused(said);
    }
    let none = "serve dist --listen 127.0.0.1:0 --reports no/such/folder/fleet.db";
    app.run(none).refused(&["serve::reports", "no/such/folder/fleet.db"]);
    let usage = [
        "--halt-at 10%",
        "--reports fleet.db --halt-at 100%",
        "--reports fleet.db --halt-at few",
        "--reports fleet.db --halt-after 5",
        "--reports fleet.db --halt-at 10% --halt-after 0",
        "--reports fleet.db --resume latest",
        "--report-token-env TOKEN",
        "--reports fleet.db --report-token-env NO_SUCH_VARIABLE",
    ];
    for options in usage {
        let mut command = app.mpota(["serve", "dist", "--listen", "127.0.0.1:0"]);
        let said = command.args(options.split(' ')).env("TOKEN", "a secret").said();
        assert_eq!(said.code, 2, "{options}");
    }
    println!("  cases {}: options about reports", cases.len() + 1 + usage.len());
}

#[test]
fn a_version_that_boards_come_back_from_is_withheld_and_told_and_resumed() {
    let app = App::new();
    let file = app.path("releases/octo/weather/rollout/v1.1.0.json");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, "{}").unwrap();
    let start = |options: &str| {
        let mut command =
            app.mpota(["serve", "releases", "--quiet", "--listen", "127.0.0.1:0", "--reports", "fleet.db"]);
        command.args(options.split_whitespace());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let config: Vec<String> = out.lines().take(4).map(|line| line.unwrap()).collect();
        let base = config[0].split('"').nth(3).unwrap().to_owned();
        assert_eq!(config[3], "CONFIG[\"report\"] = True");
        let said = BufReader::new(child.stderr.take().unwrap()).lines();
        (Serving { child, config, base }, said)
    };
    let ask = |base: &str, path: &str, report: &str| {
        let mut socket = TcpStream::connect(base.trim_start_matches("http://")).unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{report}\r\n");
        socket.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        answer.split(' ').nth(1).unwrap_or_default().to_owned()
    };
    let rollout = "/octo/weather/releases/download/rollout/v1.1.0.json";
    let told = "the rollout of v1.1.0 of octo/weather is withheld: 3 of the 3 boards that tried it came back";
    let (serving, mut said) = start("--halt-at 10% --halt-after 3");
    for number in 0..3 {
        assert_eq!(ask(&serving.base, rollout, ""), "302");
        let report = format!(
            "Mpota-Report: {{\"id\": \"b{number}\", \"version\": \"v1.0.0\", \"bad\": \"v1.1.0\"}}\r\n"
        );
        ask(&serving.base, "/octo/weather/releases/latest", &report);
    }
    assert_eq!(ask(&serving.base, rollout, ""), "404");
    assert!(said.any(|line| line.unwrap().contains(told)));
    drop(serving);
    let (serving, mut said) = start("--halt-at 10% --halt-after 3");
    assert!(said.any(|line| line.unwrap().contains(told)), "said again at the start");
    assert_eq!(ask(&serving.base, rollout, ""), "404");
    drop(serving);
    let (serving, _said) = start("--halt-at 10% --halt-after 3 --resume v1.1.0");
    assert_eq!(ask(&serving.base, rollout, ""), "302");
}
