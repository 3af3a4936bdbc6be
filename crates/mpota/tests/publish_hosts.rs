//! Where `mpota publish` is led, and whom it shows the token.

#![allow(clippy::unwrap_used, reason = "what cannot go on here is a failed test")]

mod common;

use common::answers::{Answers, answer};
use common::hub::{Hub, words};
use mpota::publish::PublishOptions;

const REPOSITORY: &str = r#"{"full_name": "octo/weather", "permissions": {"push": false, "pull": false}}"#;

#[test]
fn a_repository_that_has_moved_is_named_and_the_token_goes_to_no_other_host() {
    let hub = Hub::new();
    let found = || answer("200 OK", "", r#"{"full_name": "octo/climate", "private": false}"#);
    let moved = |to: &str| answer("301 Moved Permanently", &format!("Location: {to}\r\n"), "{}");
    let cases = [
        ("HERE/api/v3/repositories/7", 2, "octo/weather has moved to octo/climate"),
        // The same computer by another name, which would answer.
        ("http://localhost:PORT/api/v3/repositories/7", 1, "has moved to http://localhost:"),
        ("HERE.example.com/api/v3/repositories/7", 1, "has moved to http://127.0.0.1"),
    ];
    for (to, requests, expected) in cases {
        let (error, seen) = Answers::new(vec![moved(to), found()]).refuse(hub.bare(""));
        let said = words(&error);
        assert!(said.contains(expected) && said.contains("--moved --repo and the new name"), "{said}");
        assert_eq!((seen.len(), error.exit_code()), (requests, 1), "{to}");
    }
}

#[test]
fn a_workflows_own_token_is_not_refused_for_what_github_says_of_everyone() {
    let refused = r#"{"message": "Resource not accessible by integration"}"#;
    let (error, seen) = Answers::new(vec![
        answer("200 OK", "", REPOSITORY),
        answer("200 OK", "", "[]"),
        answer("403 Forbidden", "X-Accepted-GitHub-Permissions: contents=write\r\n", refused),
    ])
    .refuse(Hub::new().bare(""));
    assert!(words(&error).contains("permissions: contents: write"), "{}", words(&error));
    assert!(seen.len() == 3 && seen[2].starts_with("POST "), "it must be tried: {seen:?}");
}

#[test]
fn a_commit_is_named_only_where_the_server_does_not_have_the_tag() {
    let refused = r#"{"message": "Validation Failed", "errors": [{"resource": "Release", "code": "invalid", "field": "target_commitish"}]}"#;
    let hub = Hub::new();
    for (status, named) in [("200 OK", false), ("404 Not Found", true), ("409 Conflict", true)] {
        let (error, seen) = Answers::new(vec![
            answer("200 OK", "", REPOSITORY),
            answer("200 OK", "", "[]"),
            answer(status, "", "{}"),
            answer("422 Unprocessable", "", refused),
        ])
        .refuse(PublishOptions { commit: Some("c0ffee".to_owned()), ..hub.bare("") });
        assert!(seen[2].starts_with("GET /api/v3/repos/octo/weather/git/ref/tags/v1.0.0 "), "{seen:?}");
        assert_eq!(seen[3].contains(r#""target_commitish":"c0ffee""#), named, "{status}: {}", seen[3]);
        let said = words(&error);
        assert!(said.contains("target_commitish invalid") && said.contains("push it first"), "{said}");
        assert_eq!(error.exit_code(), 1);
    }
}

#[test]
fn a_commit_that_the_token_may_not_name_is_told_from_a_release_that_is_gone() {
    let hub = Hub::new();
    let (error, seen) = Answers::new(vec![
        answer("200 OK", "", REPOSITORY),
        answer("200 OK", "", "[]"),
        answer("404 Not Found", "", "{}"),
        answer("404 Not Found", "X-OAuth-Scopes: repo\r\n", r#"{"message": "Not Found"}"#),
    ])
    .refuse(PublishOptions { commit: Some("c0ffee".to_owned()), ..hub.bare("") });
    let said = words(&error);
    assert!(said.contains("does not take the commit c0ffee for the tag: Not Found"), "{said}");
    assert!(said.contains("push the tag first") && said.contains("the scope `workflow`"), "{said}");
    assert_eq!((seen.len(), error.exit_code()), (4, 1), "tried once");
}

#[test]
fn an_archived_repository_is_said_before_anything_is_tried() {
    let hub = Hub::new();
    let archived = r#"{"full_name": "octo/weather", "archived": true}"#;
    let (error, seen) = Answers::new(vec![answer("200 OK", "", archived)]).refuse(hub.bare(""));
    assert!(words(&error).contains("octo/weather is archived"), "{}", words(&error));
    assert_eq!((seen.len(), error.exit_code()), (1, 1));
}

#[test]
fn an_upload_address_elsewhere_gets_neither_the_token_nor_the_file() {
    let hub = Hub::new();
    let mut cases = 0;
    for elsewhere in ["http://localhost:PORT/up", "HERE.example.com/up", "https://uploads.github.com/up"] {
        let draft = format!(
            r#"{{"id": 1, "tag_name": "v1.0.0", "html_url": "HERE/page", "upload_url": "{elsewhere}{{?name}}", "draft": true}}"#
        );
        let (error, seen) = Answers::new(vec![
            answer("200 OK", "", REPOSITORY),
            answer("200 OK", "", "[]"),
            answer("201 Created", "", &draft),
            answer("200 OK", "", "[]"),
        ])
        .refuse(hub.bare(""));
        let said = words(&error);
        assert!(said.contains("the token is not for there") && said.contains("--base-url"), "{said}");
        assert_eq!((seen.len(), error.exit_code()), (4, 3));
        cases += 1;
    }
    println!("  cases {cases}: upload addresses elsewhere");
    assert_eq!(cases, 3);
}
