//! Creating, uploading, editing, publishing and deleting.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use mpota_serve::Options;
use serde_json::{Value, json as js};
use support::{Api, Folder, WRITER, ask, bytes, get, header, json, pack, sha256, writable};

/// A folder with an empty repository.
fn empty() -> Folder {
    let folder = Folder::empty();
    std::fs::create_dir_all(folder.path().join("octo/weather")).unwrap();
    folder
}

fn code(problem: &Value) -> (String, String) {
    let error = &problem["errors"][0];
    (error["code"].as_str().unwrap_or("").into(), error["field"].as_str().unwrap_or("").into())
}

#[test]
fn a_release_is_drafted_filled_published_and_removed() {
    let folder = empty();
    let api = Api::start(writable(&folder));
    let draft = api.create(&js!({
        "tag_name": "v1.0.0", "name": "First", "body": "words", "draft": true, "target_commitish": "main",
    }));
    assert_eq!((&draft["draft"], &draft["published_at"]), (&true.into(), &Value::Null));
    let page = draft["html_url"].as_str().unwrap();
    assert!(page.contains("/releases/tag/untagged-"), "{page}");
    let upload_url = draft["upload_url"].as_str().unwrap();
    assert!(upload_url.contains("/api/uploads/repos/octo/weather/releases/"), "{upload_url}");
    let content = pack("v1.0.0");
    let asset = api.upload(&draft, "weather.pack&label=the+pack", &content);
    assert_eq!((asset["name"].as_str(), asset["label"].as_str()), (Some("weather.pack"), Some("the pack")));
    assert_eq!((asset["state"].as_str(), asset["size"].as_u64()), (Some("uploaded"), Some(300_000)));
    assert_eq!(asset["digest"], sha256(&content));
    assert_eq!(asset["content_type"], "application/octet-stream");
    // Not by its tag, and to nobody else, before it is published.
    assert_eq!(api.ask("GET", "/tags/v1.0.0", &Value::Null).status(), 404);
    assert_eq!(ask("GET", &format!("{}/{}", api.url, draft["id"]), "", "").status(), 404);
    assert_eq!(json(ask("GET", &api.url, "", "")), js!([]));
    assert_eq!(json(api.ask("GET", "", &Value::Null))[0]["id"], draft["id"]);
    assert_eq!(api.latest(), "");
    // The holder reads the draft's content all the same.
    let wants = [("authorization", format!("token {WRITER}")), ("accept", "application/octet-stream".into())];
    let wants: Vec<_> = wants.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let there = get(asset["url"].as_str().unwrap(), &wants);
    assert_eq!(there.status(), 302);
    assert_eq!(bytes(get(header(&there, "location"), &[])), content);

    let published = api.edit(&draft, &js!({"draft": false}));
    assert_eq!((&published["draft"], &published["id"]), (&false.into(), &draft["id"]));
    assert!(published["published_at"].is_string());
    assert!(published["html_url"].as_str().unwrap().ends_with("/releases/tag/v1.0.0"));
    assert_eq!(published["assets"][0]["id"], asset["id"]);
    assert_eq!(api.latest(), "v1.0.0");
    let (_, page) = support::follow(published["assets"][0]["browser_download_url"].as_str().unwrap());
    assert_eq!(bytes(page), content);

    let gone = api.ask("DELETE", &format!("/assets/{}", asset["id"]), &Value::Null);
    assert_eq!((gone.status().as_u16(), bytes(gone).len()), (204, 0));
    assert_eq!(api.ask("GET", &format!("/assets/{}", asset["id"]), &Value::Null).status(), 404);
    assert_eq!(api.ask("DELETE", &format!("/{}", draft["id"]), &Value::Null).status(), 204);
    assert_eq!(api.ask("DELETE", &format!("/{}", draft["id"]), &Value::Null).status(), 404);
    assert_eq!(std::fs::read_dir(folder.path().join("octo/weather")).unwrap().count(), 0);
}

#[test]
fn everything_survives_a_restart() {
    let folder = Folder::with_releases();
    let list = |options: Options| {
        let api = Api::start(options);
        let mut list = json(api.ask("GET", "", &Value::Null)).to_string();
        let own = api.server.base_url().to_owned();
        list = list.replace(&own, "");
        (list, api.latest())
    };
    let api = Api::start(writable(&folder));
    let draft = api.create(&js!({"tag_name": "v9.0.0", "draft": true, "prerelease": true, "name": "n"}));
    api.upload(&draft, "a.bin&label=l", b"abc");
    let released = api.create(&js!({"tag_name": "v1.2.0", "body": "b", "make_latest": "true"}));
    api.upload(&released, "release.json", b"no state of ours");
    api.edit(&released, &js!({"name": "renamed"}));
    let by_hand = json(api.ask("GET", "/tags/v1.9.0", &Value::Null));
    let edited = api.edit(&by_hand, &js!({"name": "by hand no more"}));
    assert_eq!(edited["id"], by_hand["id"]);
    assert_eq!(edited["assets"], by_hand["assets"]);
    drop(api);
    let (before, latest) = list(writable(&folder));
    assert_eq!(latest, "v1.2.0");
    assert!(before.contains("renamed") && before.contains("by hand no more"));
    assert_eq!(list(writable(&folder)), (before, latest));
    let released = Api::start(writable(&folder));
    let released = json(released.ask("GET", "/tags/v1.2.0", &Value::Null));
    assert_eq!(released["assets"][0]["name"], "release.json");
    assert_eq!(released["assets"][0]["digest"], sha256(b"no state of ours"));
}

#[test]
fn what_a_broken_off_server_left_is_cleared_away() {
    let folder = Folder::with_releases();
    let left = [".upload-17", ".release-json-18"].map(|name| format!("octo/weather/v1.9.0/{name}"));
    for path in &left {
        folder.file(path, "half");
    }
    folder.file("octo/weather/.new-19/release.json", "{}");
    folder.file("octo/weather/.upload-notes", "somebody else's");
    drop(Api::start(folder.options()));
    assert!(folder.path().join(&left[0]).exists(), "who may not write clears nothing away");
    let api = Api::start(writable(&folder));
    for path in left.iter().map(String::as_str).chain(["octo/weather/.new-19"]) {
        assert!(!folder.path().join(path).exists(), "{path}");
    }
    assert!(folder.path().join("octo/weather/.upload-notes").exists());
    assert_eq!(json(api.ask("GET", "", &Value::Null)).as_array().unwrap().len(), 3);
}

#[test]
fn the_latest_is_the_last_published_unless_said_otherwise() {
    let folder = empty();
    let api = Api::start(writable(&folder));
    let mut cases = 0;
    let mut expect = |latest: &str| {
        cases += 1;
        assert_eq!(api.latest(), latest, "step {cases}");
    };
    expect("");
    let pre = api.create(&js!({"tag_name": "v3.0.0-rc.1", "prerelease": true}));
    expect("");
    api.create(&js!({"tag_name": "v2.0.0"}));
    expect("v2.0.0");
    api.create(&js!({"tag_name": "v2.1.0", "draft": true}));
    expect("v2.0.0");
    let old = api.create(&js!({"tag_name": "v1.9.9", "make_latest": "false"}));
    expect("v2.0.0");
    api.edit(&old, &js!({"make_latest": "true"}));
    expect("v1.9.9");
    let next = api.draft("v2.2.0");
    expect("v1.9.9");
    api.edit(&next, &js!({"draft": false}));
    expect("v2.2.0");
    api.edit(&old, &js!({"make_latest": "true"}));
    expect("v1.9.9");
    api.edit(&old, &js!({"make_latest": "false"}));
    expect("v2.2.0");
    api.edit(&next, &js!({"draft": true}));
    expect("v2.0.0");
    api.edit(&pre, &js!({"prerelease": false, "make_latest": "legacy"}));
    expect("v2.0.0");
    for release in [&pre, &next] {
        api.ask("DELETE", &format!("/{}", release["id"]), &Value::Null);
    }
    let two = json(api.ask("GET", "/latest", &Value::Null));
    api.edit(&two, &js!({"make_latest": "false"}));
    expect("");
    let refused = [
        api.ask("POST", "", &js!({"tag_name": "v5", "prerelease": true, "make_latest": "true"})),
        api.ask("PATCH", &format!("/{}", api.draft("v6")["id"]), &js!({"make_latest": "true"})),
    ];
    for response in refused {
        assert_eq!(response.status(), 422);
        assert_eq!(json(response)["errors"][0]["message"], "Latest release cannot be draft or prerelease.");
        cases += 1;
    }
    assert_eq!(cases, 15);
    println!("  cases {cases}: which release is the latest");
}

#[test]
fn what_is_wrong_with_a_request_is_said_as_github_says_it() {
    let folder = empty();
    let api = Api::start(writable(&folder));
    api.create(&js!({"tag_name": "v1.0.0"}));
    let draft = api.draft("v1.0.0");
    let long = "x".repeat(125_001);
    let cases = [
        (js!({}), "missing_field", "tag_name"),
        (js!({"tag_name": null}), "missing_field", "tag_name"),
        (js!({"tag_name": "v1.0.0"}), "already_exists", "tag_name"),
        (js!({"tag_name": 1}), "invalid", "tag_name"),
        (js!({"tag_name": "v2", "draft": "yes"}), "invalid", "draft"),
        (js!({"tag_name": "v2", "make_latest": true}), "invalid", "make_latest"),
        (js!({"tag_name": "v2", "make_latest": "maybe"}), "invalid", "make_latest"),
        (js!({"tag_name": "v2", "target_commitish": "a\nb"}), "invalid", "target_commitish"),
        (js!({"tag_name": "v2", "body": long}), "custom", "body"),
        (js!({"tag_name": "../../up"}), "custom", "tag_name"),
        (js!({"tag_name": "a\\..\\b"}), "custom", "tag_name"),
        (js!({"tag_name": "/etc"}), "custom", "tag_name"),
        (js!({"tag_name": ""}), "custom", "tag_name"),
        (js!({"tag_name": "nul\0"}), "custom", "tag_name"),
    ];
    for (body, wanted, field) in &cases {
        let response = api.ask("POST", "", body);
        assert_eq!(response.status(), 422, "{body}");
        let problem = json(response);
        assert_eq!(code(&problem), ((*wanted).into(), (*field).into()), "{body}");
        assert!(problem["documentation_url"].is_string() && problem["message"].is_string());
    }
    let response = api.ask("PATCH", &format!("/{}", draft["id"]), &js!({"draft": false}));
    assert_eq!(response.status(), 422);
    assert_eq!(code(&json(response)), ("already_exists".into(), "tag_name".into()));
    for (body, message) in [("{", "Problems parsing JSON"), ("[]", "Body should be a JSON object")] {
        let response = ask("POST", &api.url, WRITER, body);
        assert_eq!(response.status(), 400);
        assert_eq!(json(response)["message"], message);
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    assert_eq!(json(api.ask("GET", "", &Value::Null)).as_array().unwrap().len(), 2);
    println!("  cases {}: requests that are refused", cases.len() + 3);
}

#[test]
fn tags_that_cannot_be_folders_are_kept_all_the_same() {
    let folder = empty();
    let api = Api::start(writable(&folder));
    let tags = ["weather/v1.0.0", "é-1", "v1+x", "release.json", "CON:".trim_end_matches(':'), "v2"];
    for tag in tags {
        let made = api.create(&js!({"tag_name": tag}));
        api.upload(&made, "a.txt", tag.as_bytes());
    }
    // A draft may have a tag that is another's.
    let draft = api.draft("v2");
    api.upload(&draft, "a.txt", b"of the draft");
    drop(api);
    let api = Api::start(writable(&folder));
    for tag in tags {
        let found = json(api.ask("GET", &format!("/tags/{}", tag.replace('é', "%C3%A9")), &Value::Null));
        assert_eq!(found["tag_name"], tag);
        let (_, content) = support::follow(found["assets"][0]["browser_download_url"].as_str().unwrap());
        assert_eq!(bytes(content), tag.as_bytes());
    }
    println!("  cases {}: tags", tags.len());
}
