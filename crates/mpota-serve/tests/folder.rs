//! What lies in the folder and what is made of it.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use std::sync::{Arc, Mutex};

use mpota_serve::{Error, Event, Options, Server};
use support::{Folder, follow, get, json, text};

fn latest(folder: &Folder) -> Option<String> {
    let server = folder.serve();
    let releases = server.releases();
    let latest = releases.into_iter().find(|release| release.latest)?;
    let url = format!("{}/repos/octo/weather/releases/latest", server.base_url());
    assert_eq!(json(get(&url, &[]))["tag_name"], latest.tag);
    Some(latest.tag)
}

/// Tags, each with its `release.json` if it has one.
type Tags<'a> = &'a [(&'a str, &'a str)];

fn with_tags(tags: Tags<'_>) -> Folder {
    let folder = Folder::empty();
    for (tag, meta) in tags {
        folder.asset(tag, "manifest.json", tag);
        if !meta.is_empty() {
            folder.asset(tag, "release.json", meta);
        }
    }
    folder
}

#[test]
fn latest_is_by_version_and_not_by_text() {
    let cases: [(Tags<'_>, Option<&str>); 9] = [
        (&[("v1.6.0", ""), ("v1.11.0", ""), ("v1.9.0", "")], Some("v1.11.0")),
        (&[("1.0.0", ""), ("v0.9.0", "")], Some("1.0.0")),
        (&[("v1.0.0", ""), ("v2.0.0-beta.1", "")], Some("v1.0.0")),
        (&[("v1.0.0", ""), ("v2.0.0", r#"{"prerelease":true}"#)], Some("v1.0.0")),
        (&[("v1.0.0", ""), ("v2.0.0-rc.1", r#"{"prerelease":false}"#)], Some("v2.0.0-rc.1")),
        (&[("v1.0.0", ""), ("v2.0.0", r#"{"draft":true}"#)], Some("v1.0.0")),
        (&[("v1.0.0", r#"{"make_latest":"true"}"#), ("v2.0.0", "")], Some("v1.0.0")),
        (&[("v1.0.0", ""), ("v1.0.1", r#"{"make_latest":false}"#)], Some("v1.0.0")),
        (&[("nightly", ""), ("v0.1.0", "")], Some("v0.1.0")),
    ];
    for (tags, expected) in cases {
        assert_eq!(latest(&with_tags(tags)).as_deref(), expected, "{tags:?}");
    }
}

#[test]
fn no_published_release_means_no_latest() {
    let folder = with_tags(&[("v1.0.0", r#"{"draft":true}"#), ("v2.0.0-a", "")]);
    assert_eq!(latest(&folder), None);
    let server = folder.serve();
    let api = "/repos/octo/weather/releases/latest";
    let page = "/octo/weather/releases/latest/download/manifest.json";
    for path in [api, page] {
        let status = get(&format!("{}{path}", server.base_url()), &[]).status();
        assert_eq!(status, 404, "{path}");
    }
}

#[test]
fn a_dist_folder_is_one_release_named_by_its_manifest() {
    let folder = Folder::empty();
    let header = r#"{"mpota":1,"project":"octo/weather","version":"v1.2.0","files":["#;
    let manifest = format!("{header}\n{{\"path\":\"a\"}}\n]}}\n");
    folder.file("manifest.json", &manifest);
    folder.file("weather-v1.2.0.pack", "pack");
    let server = Server::start(Options::new(folder.path())).unwrap();
    let base = server.base_url();
    let url = format!("{base}/octo/weather/releases/latest/download/manifest.json");
    let (way, response) = follow(&url);
    assert!(way[1].contains("/download/v1.2.0/"), "{way:?}");
    assert_eq!(text(response), manifest);
    let [release] = &server.releases()[..] else {
        panic!("{:?}", server.releases());
    };
    assert_eq!(release.assets, ["manifest.json", "weather-v1.2.0.pack"]);

    let options = Options { repo: Some(("me".into(), "mine".into())), ..Options::new(folder.path()) };
    let named = Server::start(options).unwrap();
    let url = format!("{}/me/mine/releases/latest", named.base_url());
    assert_eq!(get(&url, &[]).status(), 302);
    folder.file("manifest.json", manifest.replace("v1.2.0", "v1.3.0"));
    assert_eq!(named.releases()[0].tag, "v1.3.0", "a rebuild is seen at once");
}

#[test]
fn a_folder_of_tags_takes_its_repository_from_the_options() {
    let folder = Folder::empty();
    folder.file("v1.0.0/manifest.json", "one");
    folder.file("v1.1.0/manifest.json", "two");
    let options = Options { repo: Some(("octo".into(), "weather".into())), ..Options::new(folder.path()) };
    let server = Server::start(options).unwrap();
    let base = server.base_url();
    let url = format!("{base}/octo/weather/releases/latest/download/manifest.json");
    assert_eq!(text(follow(&url).1), "two");
    assert_eq!(get(&format!("{base}/a/b/releases/latest"), &[]).status(), 404);
}

#[test]
fn several_repositories_lie_side_by_side() {
    let folder = Folder::with_releases();
    folder.file("octo/clock/v0.1.0/manifest.json", "clock");
    folder.file("other/weather/v0.2.0/manifest.json", "other");
    let options = Options { repo: Some(("octo".into(), "clock".into())), ..Options::new(folder.path()) };
    let server = Server::start(options).unwrap();
    for (repo, tag) in [("octo/weather", "v1.11.0"), ("octo/clock", "v0.1.0"), ("other/weather", "v0.2.0")] {
        let url = format!("{}/repos/{repo}/releases/latest", server.base_url());
        assert_eq!(json(get(&url, &[]))["tag_name"], tag);
    }
}

#[test]
fn release_json_says_what_files_cannot() {
    let meta = r##"{"name":"Spring","body":"# Notes\n","target_commitish":"stable","id":4711,
        "created_at":"2026-01-02T03:04:05Z","published_at":"2026-01-03T00:00:00Z",
        "assets":{"manifest.json":{"id":42,"label":"the list","content_type":"text/x"}}}"##;
    let folder = with_tags(&[("v1.0.0", meta)]);
    let server = folder.serve();
    let url = format!("{}/repos/octo/weather/releases/4711", server.base_url());
    let release = json(get(&url, &[]));
    let expected = [
        ("name", "Spring"),
        ("body", "# Notes\n"),
        ("target_commitish", "stable"),
        ("created_at", "2026-01-02T03:04:05Z"),
        ("published_at", "2026-01-03T00:00:00Z"),
    ];
    for (key, value) in expected {
        assert_eq!(release[key], value);
    }
    let assets = release["assets"].as_array().unwrap();
    assert_eq!(assets.len(), 1, "release.json is no asset");
    assert_eq!(assets[0]["id"], 42);
    assert_eq!(assets[0]["label"], "the list");
    assert_eq!(assets[0]["content_type"], "text/x");
}

#[test]
fn a_tag_with_slashes_is_served_by_its_release_json() {
    let folder = with_tags(&[("odd", r#"{"tag_name":"weather/v1.0.0"}"#)]);
    let server = folder.serve();
    let base = server.base_url();
    for tag in ["weather/v1.0.0", "weather%2Fv1.0.0"] {
        let url = format!("{base}/octo/weather/releases/download/{tag}/manifest.json");
        assert_eq!(text(follow(&url).1), "odd");
        let url = format!("{base}/repos/octo/weather/releases/tags/{tag}");
        assert_eq!(json(get(&url, &[]))["tag_name"], "weather/v1.0.0");
    }
}

#[test]
fn names_with_spaces_umlauts_and_signs_are_served() {
    let folder = Folder::with_releases();
    let name = "größe & #1?%2e+.txt";
    folder.asset("v1.11.0", name, "odd name");
    let server = folder.serve();
    let url = format!("{}/repos/octo/weather/releases/latest", server.base_url());
    let release = json(get(&url, &[]));
    let assets = release["assets"].as_array().unwrap();
    let asset = assets.iter().find(|asset| asset["name"] == name).unwrap();
    let (_, content) = follow(asset["browser_download_url"].as_str().unwrap());
    assert_eq!(text(content), "odd name");
}

#[test]
fn a_broken_release_json_hides_the_release_and_is_told_once() {
    for broken in
        ["{", "[]", r#"{"draft":"maybe"}"#, r#"{"make_latest":"often"}"#, r#"{"created_at":"today"}"#]
    {
        let folder = with_tags(&[("v1.0.0", ""), ("v2.0.0", broken)]);
        let told = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&told);
        let options = Options {
            log: Some(Arc::new(move |event: &Event| {
                if let Event::Problem(problem) = event {
                    sink.lock().unwrap().push(problem.clone());
                }
            })),
            ..folder.options()
        };
        let server = Server::start(options).unwrap();
        let url = format!("{}/repos/octo/weather/releases", server.base_url());
        for _ in 0..2 {
            assert_eq!(json(get(&url, &[])).as_array().unwrap().len(), 1, "{broken}");
        }
        let told = told.lock().unwrap();
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains("v2.0.0") && told[0].contains("release.json"), "{told:?}");
    }
}

#[test]
fn a_folder_that_is_not_there_is_an_error_that_names_it() {
    let folder = Folder::empty();
    folder.file("a-file", "");
    for name in ["nothing", "a-file"] {
        let path = folder.path().join(name);
        let error = Server::start(Options::new(&path)).unwrap_err();
        assert!(matches!(&error, Error::Root { path: named, .. } if *named == path));
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[test]
fn a_taken_port_is_an_error_that_names_it() {
    let folder = Folder::empty();
    let first = folder.serve();
    let options = Options { listen: first.address(), ..folder.options() };
    let error = Server::start(options).unwrap_err();
    assert!(matches!(error, Error::Bind { .. }));
    assert!(error.to_string().contains(&first.address().to_string()), "{error}");
}
