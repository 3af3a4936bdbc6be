//! Where `mpota publish` is led, and whom it shows the token.

#![allow(clippy::unwrap_used, reason = "what cannot go on here is a failed test")]

mod common;

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;

use common::hub::{Hub, TOKEN, words};
use mpota::publish::{PublishOptions, publish};

/// Answers every request with the next of these, and gives back what was asked.
fn answers(answers: Vec<String>) -> (String, std::thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let here = base.clone();
    let server = std::thread::spawn(move || {
        let mut seen = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let head: Vec<String> = lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
            seen.push(head.join("\n"));
            stream.write_all(answer.replace("HERE", &here).as_bytes()).unwrap();
        }
        seen
    });
    (base, server)
}

fn how(hub: &Hub, base: String) -> PublishOptions {
    let mut how = PublishOptions::new(hub.app.path("dist"), "octo/weather");
    how.base_url = base;
    how.token = |_| mpota::token::Token::new(TOKEN, "the test");
    how.sleep = |_| {};
    how
}

fn answer(status: &str, headers: &str, body: &str) -> String {
    // Its end is that of the connection.
    format!("HTTP/1.1 {status}\r\n{headers}Connection: close\r\n\r\n{body}")
}

#[test]
fn a_repository_that_has_moved_is_named_and_the_token_goes_to_no_other_host() {
    let hub = Hub::new();
    let found = answer("200 OK", "", r#"{"full_name": "octo/climate", "private": false}"#);
    let moved = |to: &str| answer("301 Moved Permanently", &format!("Location: {to}\r\n"), "{}");
    let cases = [
        (vec![moved("HERE/api/v3/repositories/7"), found], "octo/weather has moved to octo/climate"),
        (vec![moved("http://localhost:9/api/v3/repositories/7")], "has moved to http://localhost:9/"),
    ];
    for (replies, expected) in cases {
        let count = replies.len();
        let (base, server) = answers(replies);
        let error = publish(&how(&hub, base)).unwrap_err();
        let said = words(&error);
        assert!(said.contains(expected) && said.contains("write the new name as `project`"), "{said}");
        assert_eq!((server.join().unwrap().len(), error.exit_code()), (count, 1));
    }
}

#[test]
fn a_workflows_own_token_is_not_refused_for_what_github_says_of_everyone() {
    let hub = Hub::new();
    let repository = r#"{"full_name": "octo/weather", "permissions": {"push": false, "pull": false}}"#;
    let refused = r#"{"message": "Resource not accessible by integration"}"#;
    let (base, server) = answers(vec![
        answer("200 OK", "", repository),
        answer("200 OK", "", "[]"),
        answer("403 Forbidden", "X-Accepted-GitHub-Permissions: contents=write\r\n", refused),
    ]);
    let error = publish(&how(&hub, base)).unwrap_err();
    assert!(words(&error).contains("permissions: contents: write"), "{}", words(&error));
    assert!(server.join().unwrap()[2].starts_with("POST "), "it must be tried");
}

#[test]
fn an_upload_address_elsewhere_gets_neither_the_token_nor_the_file() {
    let hub = Hub::new();
    let mut cases = 0;
    for elsewhere in ["http://localhost:9/up", "HERE.example.com/up", "https://uploads.github.com/up"] {
        let draft = format!(
            r#"{{"id": 1, "tag_name": "v1.0.0", "html_url": "HERE/page", "upload_url": "{elsewhere}{{?name}}", "draft": true}}"#
        );
        let (base, server) = answers(vec![
            answer("200 OK", "", r#"{"full_name": "octo/weather"}"#),
            answer("200 OK", "", "[]"),
            answer("201 Created", "", &draft),
            answer("200 OK", "", "[]"),
        ]);
        let error = publish(&how(&hub, base)).unwrap_err();
        let said = words(&error);
        assert!(said.contains("the token is not for there") && said.contains("--base-url"), "{said}");
        assert_eq!((server.join().unwrap().len(), error.exit_code()), (4, 3));
        cases += 1;
    }
    println!("  cases {cases}: upload addresses elsewhere");
    assert_eq!(cases, 3);
}
