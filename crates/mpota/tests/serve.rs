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
