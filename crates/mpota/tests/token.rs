//! Private releases: where the token comes from, and where it goes.

#![allow(clippy::unwrap_used, reason = "what cannot go on here is a failed test")]

mod common;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use common::{App, Run};
use mpota_serve::{ListenerKind, Options, Server};

const TOKEN: &str = "t0ken-of-the-test";

/// Two releases of octo/weather, for those who have the token. Contents come from another host,
/// which wants no token, as GitHub's does.
fn private(plain: bool) -> (App, Server) {
    let app = App::new();
    app.write("mpota.toml", "project = \"octo/weather\"\nexclude = [\"releases\"]\n");
    let plain = if plain { "--plain" } else { "" };
    for version in ["v1.0.0", "v1.1.0"] {
        app.append("main.py", &format!("print('{version}')\n"));
        app.run(&format!("build --version {version} {plain} --output releases/octo/weather/{version}")).ok();
    }
    let server = Server::start(Options {
        token: Some(TOKEN.to_owned()),
        asset_host: Some("localhost".to_owned()),
        ..Options::new(app.path("releases"))
    });
    (app, server.expect("a server"))
}

/// `mpota verify` of a target there, on a computer whose only programs are those of `bin`.
fn verify(app: &App, base: &str, target: &str) -> Command {
    fs::create_dir_all(app.path("bin")).unwrap();
    let mut command = app.mpota(["verify", target, "--base-url", base]);
    command.env("PATH", app.path("bin"));
    command
}

/// A program that notes how it was called, and answers so.
fn fake(app: &App, name: &str, answer: &str) {
    let path = format!("bin/{name}");
    let called = app.path("called");
    let called = called.display();
    let note = format!("echo \"{name} $* [$GIT_TERMINAL_PROMPT$GIT_ASKPASS]\" >> '{called}'");
    app.write(&path, format!("#!/bin/sh\n{note}\n{answer}\n"));
    fs::set_permissions(app.path(&path), fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_private_release_is_read_through_the_api_and_the_token_goes_nowhere_else() {
    for plain in [false, true] {
        let (app, server) = private(plain);
        for (target, version) in [("octo/weather", "v1.1.0"), ("octo/weather@v1.0.0", "v1.0.0")] {
            server.clear_requests();
            let said = verify(&app, server.base_url(), target).env("MPOTA_TOKEN", TOKEN).said().ok();
            assert!(said.out.contains(version) && said.out.contains("ok"), "{}", said.out);
            assert!(said.err.contains("the token from MPOTA_TOKEN"), "{}", said.err);
            assert!(!(said.out + &said.err).contains(TOKEN));
            let requests = server.requests();
            let with = |kind| requests.iter().filter(move |r| r.listener == kind && r.authorization_present);
            assert_eq!(with(ListenerKind::Asset).count(), 0, "{requests:?}");
            assert!(
                with(ListenerKind::Api)
                    .all(|request| request.path.starts_with("/api/v3/repos/octo/weather/"))
            );
            let files = if plain { 3 } else { 1 };
            // The release, the manifest, and what it names.
            assert_eq!(with(ListenerKind::Api).count(), 2 + files, "{requests:?}");
            assert_eq!(requests.iter().filter(|r| r.listener == ListenerKind::Asset).count(), 1 + files);
        }
    }
}

#[test]
fn a_release_of_more_assets_than_a_page_holds_is_read_to_its_end() {
    let app = App::new();
    app.write("mpota.toml", "project = \"octo/weather\"\nexclude = [\"releases\"]\n");
    for number in 0..120 {
        app.write(&format!("data/{number}.txt"), number.to_string());
    }
    app.run("build --version v1.0.0 --plain --output releases/octo/weather/v1.0.0").ok();
    let options = Options { token: Some(TOKEN.to_owned()), ..Options::new(app.path("releases")) };
    let server = Server::start(options).expect("a server");
    let said = verify(&app, server.base_url(), "octo/weather").env("MPOTA_TOKEN", TOKEN).said().ok();
    assert_eq!(said.out.lines().filter(|line| line.ends_with("  ok")).count(), 123);
    let pages = server.requests().iter().filter(|request| request.path.ends_with("/assets")).count();
    assert_eq!(pages, 2);
}

#[test]
fn a_public_release_is_read_without_asking_anybody_for_a_token() {
    let app = App::new();
    app.run("build --version v1.0.0 --output releases/octo/weather/v1.0.0").ok();
    let server = Server::start(Options::new(app.path("releases"))).expect("a server");
    fake(&app, "gh", "echo secret");
    fake(&app, "git", "echo password=secret");
    let said = verify(&app, server.base_url(), "octo/weather").env("MPOTA_TOKEN", "secret").said().ok();
    assert!(!said.err.contains("token"), "{}", said.err);
    assert!(!app.path("called").exists());
    assert!(server.requests().iter().all(|request| !request.authorization_present));
}

#[test]
fn the_sources_are_asked_in_their_order_and_no_further_than_needed() {
    let (app, server) = private(false);
    let host = server.base_url().strip_prefix("http://").unwrap().to_owned();
    let gh = format!("gh auth token --hostname {host} []\n");
    let git = format!("{gh}git credential fill [0]\n");
    let names = ["MPOTA_TOKEN", "GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN", "gh", "git credential"];
    let mut tried = 0;
    for (right, from) in names.iter().enumerate() {
        let _ = fs::remove_file(app.path("called"));
        let mut command = verify(&app, server.base_url(), "octo/weather");
        // Those before it have none, those behind it a wrong one.
        for (number, name) in names[..3].iter().enumerate().filter(|(number, _)| *number >= right) {
            command.env(name, if number == right { TOKEN } else { "wrong" });
        }
        // Those of github.com are not for this host.
        command.env("GH_TOKEN", "wrong").env("GITHUB_TOKEN", "wrong");
        let answer = |number| if number == right { TOKEN } else { "wrong" };
        fake(
            &app,
            "gh",
            &if right > 3 { "echo wrong; exit 1".to_owned() } else { format!("echo {}", answer(3)) },
        );
        let credential = format!("echo protocol=http\necho username=x\necho password={}", answer(4));
        fake(&app, "git", &credential);
        let said = command.said().ok();
        assert!(said.err.contains(&format!("the token from {from}\n")), "{from}: {}", said.err);
        let called = fs::read_to_string(app.path("called")).unwrap_or_default();
        let expected = [String::new(), gh.clone(), git.clone()];
        assert_eq!(called, expected[right.saturating_sub(2)], "{from}");
        tried += 1;
    }
    println!("  cases {tried}: sources of a token");
    assert_eq!(tried, 5);
}

#[test]
fn git_is_told_which_host_and_repository_it_is_about() {
    let (app, server) = private(false);
    fake(
        &app,
        "git",
        "while read -r line && [ -n \"$line\" ]; do echo \"$line\"; done > asked\necho password=x",
    );
    verify(&app, server.base_url(), "octo/weather").said().refused(&["the token from git credential"]);
    let host = server.base_url().strip_prefix("http://").unwrap();
    assert_eq!(app.text("asked"), format!("protocol=http\nhost={host}\npath=octo/weather.git\n"));
}

#[test]
fn gits_own_helpers_are_asked_and_nobody_is_waited_for() {
    let (app, server) = private(false);
    fake(&app, "window", "echo asked");
    let helper = |password: &str| {
        let mut command = app.mpota(["verify", "octo/weather", "--base-url", server.base_url()]);
        command.env("GIT_CONFIG_COUNT", "1").env("GIT_CONFIG_KEY_0", "credential.helper");
        command.env("GIT_CONFIG_VALUE_0", format!("!f() {{ {password}; }}; f"));
        // A window that asks, and somebody who answers: it must not come up.
        command.env("GIT_ASKPASS", app.path("bin/window")).env("SSH_ASKPASS", app.path("bin/window"));
        command.said()
    };
    let said = helper(&format!("echo username=x; echo password={TOKEN}")).ok();
    assert!(said.err.contains("the token from git credential"), "{}", said.err);
    helper("exit 1").refused(&["no release", "MPOTA_TOKEN"]);
    assert!(!app.path("called").exists(), "somebody was asked");
}

#[test]
fn no_token_a_wrong_one_and_one_that_may_not_see_it_are_told_apart() {
    let (app, server) = private(false);
    let base = server.base_url();
    verify(&app, base, "octo/weather").said().refused(&[
        "no release",
        "hint: ",
        "MPOTA_TOKEN",
        "gh auth login",
    ]);
    let with = |target: &str, token: &str| verify(&app, base, target).env("MPOTA_TOKEN", token).said();
    with("octo/weather", "wrong").refused(&["the token from MPOTA_TOKEN is not accepted", "hint: "]);
    with("octo/rain", TOKEN).refused(&["not there for the token from MPOTA_TOKEN", "Contents: read"]);
    with("octo/weather@v3.0.0", TOKEN).refused(&["v3.0.0", "not there for the token"]);
    for token in ["", "  ", "two words", "line\nbreak"] {
        with("octo/weather", token).refused(&["no release"]);
    }
}

#[test]
fn a_redirect_to_another_host_does_not_get_the_token() {
    let app = App::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    // It answers what comes to 127.0.0.1 and to localhost: the second must never come.
    let server = std::thread::spawn(move || {
        let mut seen: Vec<String> = Vec::new();
        loop {
            let (mut stream, _) = listener.accept().unwrap();
            let lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let head: Vec<String> = lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
            let head = head.join("\n");
            if head.starts_with("GET /end") {
                return seen;
            }
            let api = head.contains("/api/v3/");
            seen.push(head);
            let answer = if api { "301 Moved" } else { "404 Not Found" };
            let to = format!("Location: http://localhost:{port}/api/v3/repositories/7/releases/latest\r\n");
            write!(stream, "HTTP/1.1 {answer}\r\n{to}Content-Length: 0\r\nConnection: close\r\n\r\n")
                .unwrap();
        }
    });
    let base = format!("http://127.0.0.1:{port}");
    verify(&app, &base, "octo/weather").env("MPOTA_TOKEN", TOKEN).said().refused(&["301"]);
    app.run(&format!("verify {base}/end")).refused(&["/end"]);
    let seen = server.join().unwrap();
    assert_eq!(seen.len(), 2, "{seen:?}");
    assert!(!seen[0].contains(TOKEN) && seen[1].contains(&format!("Bearer {TOKEN}")), "{seen:?}");
}

#[test]
fn a_token_is_no_argument() {
    let app = App::new();
    for option in ["--token", "--token=x", "--gh-token"] {
        assert_eq!(app.run(&format!("verify octo/weather {option}")).code, 2);
    }
}
