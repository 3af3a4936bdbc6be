//! Nothing outside the folder is ever served.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use support::{Folder, get, json, raw_get, status};

const SECRET: &str = "top secret";

fn folder() -> Folder {
    let folder = Folder::with_releases();
    folder.file("secret.txt", SECRET);
    folder.file("octo/secret.txt", SECRET);
    folder.file("octo/weather/secret.txt", SECRET);
    folder.asset("v1.11.0", "sub/secret.txt", SECRET);
    folder.asset("v1.11.0", ".env", SECRET);
    folder.asset("v1.11.0", "release.json", r#"{"body":"top secret"}"#);
    folder
}

#[test]
fn fault_45_paths_that_leave_a_release_are_refused_in_every_spelling() {
    let folder = folder();
    let public = folder.serve();
    let climbs = [
        "..",
        "%2e%2e",
        "%2E.",
        ".%2e",
        "..%2f",
        "..%5c",
        "..\\",
        "%252e%252e",
        "..;",
        "%c0%ae%c0%ae",
        "..%00",
        "....//",
        "./..",
    ];
    let mut tried = 0;
    for climb in climbs {
        for rest in ["secret.txt", "../secret.txt", "%2fsecret.txt", "..%2fsecret.txt", "/etc/passwd"] {
            let paths = [
                format!("/octo/weather/releases/download/v1.11.0/{climb}/{rest}"),
                format!("/octo/weather/releases/download/v1.11.0/{climb}{rest}"),
                format!("/octo/weather/releases/download/{climb}/{rest}"),
                format!("/octo/weather/releases/latest/download/{climb}%2f{rest}"),
                format!("/octo/{climb}/releases/download/v1.11.0/{rest}"),
                format!("/{climb}/{climb}/releases/download/octo/{rest}"),
                format!("/repos/octo/{climb}/releases/tags/{climb}/{rest}"),
                format!("/repos/octo/weather/releases/tags/{climb}/{rest}"),
                format!("/{climb}/{climb}/{climb}/{climb}/{rest}"),
                format!("//{climb}/{rest}"),
            ];
            for path in paths {
                let answer = raw_get(&public, &path);
                // A redirect to the very name that was asked for says nothing.
                let fine = ["400", "404", "302"].contains(&status(&answer));
                assert!(fine, "{path}: {answer}");
                if status(&answer) == "302" {
                    assert!(path.contains("/latest/download/"), "{path}: {answer}");
                    let location = answer.split("location: ").nth(1).unwrap();
                    let location = location.split("\r\n").next().unwrap();
                    let next = location.split_once("//x").unwrap().1;
                    assert_eq!(status(&raw_get(&public, next)), "404", "{next}");
                }
                assert!(!answer.contains(SECRET), "{path}: {answer}");
                tried += 1;
            }
        }
    }
    assert_eq!(tried, climbs.len() * 50);
    println!("  cases {tried}: paths that lead out of a release");
}

#[test]
fn absolute_form_requests_do_not_leave_either() {
    let folder = folder();
    let server = folder.serve();
    let inside = "http://x/octo/weather/releases/download/v1.11.0/manifest.json";
    assert_eq!(status(&raw_get(&server, inside)), "302");
    for path in ["http://x/../secret.txt", "file:///etc/passwd", "*", "x"] {
        let answer = raw_get(&server, path);
        assert!(["400", "404"].contains(&status(&answer)), "{path}: {answer}");
    }
}

#[test]
fn dot_files_folders_and_release_json_are_no_assets() {
    let folder = folder();
    let server = folder.serve();
    let base = server.base_url();
    for name in [".env", "sub", "release.json", "sub%2fsecret.txt", "sub/secret.txt"] {
        let url = format!("{base}/octo/weather/releases/download/v1.11.0/{name}");
        assert_eq!(get(&url, &[]).status(), 404, "{name}");
    }
    let release = json(get(&format!("{base}/repos/octo/weather/releases/latest"), &[]));
    assert_eq!(release["assets"].as_array().unwrap().len(), 2);
}

#[cfg(unix)]
#[test]
fn symlinks_that_leave_the_folder_are_refused_and_others_are_not() {
    use std::os::unix::fs::symlink;

    let folder = folder();
    let outside = Folder::empty();
    outside.file("v9.0.0/manifest.json", SECRET);
    outside.file("weather/v9.0.0/manifest.json", SECRET);
    let tag = folder.path().join("octo/weather/v1.11.0");
    symlink(outside.path().join("v9.0.0/manifest.json"), tag.join("out.json")).unwrap();
    symlink("/dev/zero", tag.join("zero.bin")).unwrap();
    symlink("nowhere", tag.join("dangling")).unwrap();
    symlink("manifest.json", tag.join("in.json")).unwrap();
    symlink(outside.path().join("v9.0.0"), folder.path().join("octo/weather/v9.0.0")).unwrap();
    symlink("v1.6.0", folder.path().join("octo/weather/v1.6.1")).unwrap();
    symlink(outside.path(), folder.path().join("evil")).unwrap();
    let server = folder.serve();
    let found = |path: &str| get(&format!("{}{path}", server.base_url()), &[]).status();
    let download = "/octo/weather/releases/download";
    for name in ["out.json", "zero.bin", "dangling"] {
        assert_eq!(found(&format!("{download}/v1.11.0/{name}")), 404, "{name}");
    }
    assert_eq!(found(&format!("{download}/v9.0.0/manifest.json")), 404);
    assert_eq!(found("/evil/weather/releases/download/v9.0.0/manifest.json"), 404);
    assert_eq!(found(&format!("{download}/v1.11.0/in.json")), 302);
    assert_eq!(found(&format!("{download}/v1.6.1/manifest.json")), 302);
}

#[cfg(unix)]
#[test]
fn a_release_json_that_leads_outside_hides_the_release() {
    let folder = folder();
    let outside = Folder::empty();
    outside.file("release.json", r#"{"draft":true}"#);
    let said = folder.path().join("octo/weather/v1.11.0/release.json");
    std::fs::remove_file(&said).unwrap();
    std::os::unix::fs::symlink(outside.path().join("release.json"), said).unwrap();
    let server = folder.serve();
    let url = format!("{}/repos/octo/weather/releases/latest", server.base_url());
    assert_eq!(json(get(&url, &[]))["tag_name"], "v1.9.0");
}

#[cfg(unix)]
#[test]
fn a_pipe_in_the_folder_blocks_nobody() {
    let folder = folder();
    let pipe = folder.path().join("octo/weather/v1.11.0/pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let server = folder.serve();
    let url = format!("{}/octo/weather/releases/download/v1.11.0/pipe", server.base_url());
    assert_eq!(get(&url, &[]).status(), 404);
}

#[test]
fn a_token_is_never_in_the_log_nor_in_debug_output() {
    let folder = folder();
    let options = folder.private();
    assert!(!format!("{options:?}").contains(support::TOKEN));
    let server = mpota_serve::Server::start(options).unwrap();
    let auth = format!("Bearer {}", support::TOKEN);
    let url = format!("{}/repos/octo/weather/releases", server.base_url());
    assert_eq!(get(&url, &[("authorization", &auth)]).status(), 200);
    let log = server.requests();
    assert!(log[0].authorization_present);
    assert!(!format!("{log:?}{server:?}").contains(support::TOKEN));
}
