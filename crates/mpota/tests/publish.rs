//! `mpota publish` as it is called.

#![allow(clippy::unwrap_used, reason = "what cannot go on here is a failed test")]

mod common;

use common::hub::{Hub, PACK, READER, TOKEN};
use common::{Run, ssh_keygen};
use serde_json::{Value, json};

fn release(tag: &str, what: &'static str) -> (String, &'static str) {
    (tag.to_owned(), what)
}

#[test]
fn a_release_is_published_whole_and_read_back_as_a_board_does() {
    for private in [false, true] {
        let hub = Hub { private, ..Hub::new() };
        let server = hub.serve();
        let said = hub.publish(&server, "").said().ok();
        assert_eq!(said.out, format!("{}/octo/weather/releases/tag/v1.0.0\n", server.base_url()));
        assert!(
            said.err.contains("draft ") && said.err.contains(&format!("uploaded {PACK}")),
            "{}",
            said.err
        );
        assert!(!said.err.contains('\r') && !said.err.contains('\u{1b}'), "a bar where nobody looks");
        hub.whole(&server, "v1.0.0");
        assert_eq!(hub.releases(&server), [release("v1.0.0", "latest")]);
        let requests = server.requests();
        let uploads: Vec<_> = requests.iter().filter(|r| r.query.starts_with("name=")).collect();
        assert_eq!(uploads.len(), 2);
        assert!(uploads[1].query.contains("manifest.json"), "the manifest is the last one");
        let read = |path: &str| requests.iter().any(|r| r.path.starts_with(path) && !r.authorization_present);
        assert_eq!(read("/octo/weather/releases/latest/download/manifest.json"), !private || read("/octo"));
        let again = hub.publish(&server, "").said().ok();
        assert!(again.err.contains("published already"), "{}", again.err);
        assert_eq!(hub.releases(&server), [release("v1.0.0", "latest")]);
    }
}

#[test]
fn a_repository_that_has_moved_gets_releases_that_keep_the_name_boards_know() {
    let hub = Hub::new();
    std::fs::create_dir_all(hub.repository().with_file_name("station")).unwrap();
    std::fs::remove_dir(hub.repository()).unwrap();
    let server = hub.serve();
    hub.app.write("mpota.toml", "project = \"octo/weather\"\n");
    let alone = hub.publish(&server, "--moved").said();
    assert!(alone.code == 2 && alone.err.contains("--repo"), "{}", alone.err);
    hub.publish(&server, "--repo octo/station").said().refused(&["is for octo/weather"]);
    let said = hub.publish(&server, "--moved --repo octo/station").said().ok();
    assert_eq!(said.out, format!("{}/octo/station/releases/tag/v1.0.0\n", server.base_url()));
    let manifest = hub.folder.path().join("octo/station/v1.0.0/manifest.json");
    assert!(std::fs::read_to_string(manifest).unwrap().contains("\"project\":\"octo/weather\""));
    // It is still the app's own release that is published, not anybody's.
    hub.app.write("mpota.toml", "project = \"octo/rain\"\n");
    hub.publish(&server, "--moved --repo octo/station").said().refused(&["is for octo/weather", "octo/rain"]);
}

#[test]
fn every_file_is_an_asset_in_the_plain_layout_too() {
    let hub = Hub::new();
    hub.app.run("build --version v1.0.0 --plain").ok();
    let server = hub.serve();
    hub.publish(&server, "").said().ok();
    hub.whole(&server, "v1.0.0");
}

#[test]
fn with_a_version_or_without_a_release_it_is_built_first() {
    let hub = Hub::new();
    let server = hub.serve();
    hub.app.append("main.py", "print('new')\n");
    let said = hub.publish(&server, "--version v1.1.0").said().ok();
    assert!(said.err.contains("built octo/weather v1.1.0"), "{}", said.err);
    hub.whole(&server, "v1.1.0");
    std::fs::remove_dir_all(hub.app.path("dist")).unwrap();
    hub.publish(&server, "").said().refused(&["git", "--version"]);
    assert_eq!(hub.publish(&server, "dist --version v1.2.0").said().code, 2);
    assert_eq!(hub.publish(&server, "nowhere").said().code, 1);
    assert_eq!(hub.releases(&server), [release("v1.1.0", "latest")]);
}

#[test]
fn what_is_not_right_here_never_reaches_the_server() {
    let hub = Hub::new();
    let server = hub.serve();
    let whole = hub.app.read(&format!("dist/{PACK}"));
    hub.app.write(&format!("dist/{PACK}"), &whole[1..]);
    hub.publish(&server, "").said().refused(&["dist is not right", PACK, "hint: build it again"]);
    hub.app.write(&format!("dist/{PACK}"), &whole);
    hub.publish(&server, "--repo octo/rain")
        .said()
        .refused(&["is for octo/weather", "no board of octo/rain"]);
    hub.app.write("mpota.toml", "project = \"octo/rain\"\n");
    hub.publish(&server, "").said().refused(&["is for octo/weather", "no board of octo/rain", "build again"]);
    hub.app.write("mpota.toml", "project = \"octo/weather\"\n");
    hub.publish(&server, "--channel Latest!").said().refused(&["Latest!", "hint: use a word like beta"]);
    for channel in ["latest", "stable", "v1.0.0", "1", "-x"] {
        hub.publish(&server, &format!("--channel={channel}")).said().refused(&[channel]);
    }
    let mut command = ssh_keygen();
    let key = hub.app.path("key");
    command.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key).said().ok();
    hub.app.write("mpota.toml", "project = \"octo/weather\"\nkey = \"key\"\n");
    hub.publish(&server, "").said().refused(&["dist is not right", "manifest.json", "not signed"]);
    assert!(server.requests().is_empty(), "{:?}", server.requests());
    hub.app.run("sign dist --key key").ok();
    hub.publish(&server, "").said().ok();
    hub.whole(&server, "v1.0.0");
}

#[test]
fn a_dry_run_tells_everything_and_changes_nothing() {
    let hub = Hub::new();
    let server = hub.serve();
    let dry = |words: &[&str]| {
        let before = hub.tree();
        server.clear_requests();
        let said = hub.publish(&server, "--dry-run --channel beta").said().ok();
        assert!(hub.tree() == before, "something was changed");
        assert!(server.requests().iter().all(|r| r.method == "GET"));
        for word in words {
            assert!(said.out.contains(word), "no {word:?} in {}", said.out);
        }
    };
    let upload = format!("upload {PACK}");
    dry(&["make a draft for the tag v1.0.0", &upload, "publish v1.0.0 as the latest", "the channel beta"]);
    hub.put("x/release.json", r#"{"tag_name": "v1.0.0", "draft": true}"#);
    hub.put(&format!("x/{PACK}"), "else");
    dry(&["go on with the draft http", &format!("replace {PACK}"), "upload manifest.json"]);
    hub.publish(&server, "").said().ok();
    dry(&["find v1.0.0 published: http", "read v1.0.0 back"]);
    hub.build("v1.1.0-rc.1");
    dry(&["publish v1.1.0-rc.1 as a prerelease"]);
}

#[test]
fn json_says_what_was_done_or_why_not() {
    let hub = Hub::new();
    let server = hub.serve();
    let said = hub.publish(&server, "--json --quiet --channel beta").said().ok();
    assert_eq!(said.err, "");
    let done: Value = serde_json::from_str(&said.out).unwrap();
    let page = format!("{}/octo/weather/releases/tag/v1.0.0", server.base_url());
    let api = server.requests().iter().filter(|r| r.path.starts_with("/api/")).count();
    let expected = json!({
        "project": "octo/weather", "version": "v1.0.0", "url": page, "private": false, "latest": true,
        "prerelease": false, "immutable": false, "channels": ["beta"], "rollout": false,
        "uploaded": [PACK, "manifest.json"], "kept": [], "left": [], "would": [], "requests": api,
    });
    assert_eq!(done, expected);
    hub.build("v1.0.0");
    let said = hub.publish(&server, "--json").said();
    let failed: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((said.code, &failed["exit_code"], &failed["published"]), (1, &json!(1), &json!(false)));
    assert!(failed["error"]["message"].as_str().unwrap().contains("already published with other content"));
    let dry = hub.publish(&server, "--json --dry-run").said();
    assert_eq!(dry.code, 1);
}

#[test]
fn a_token_comes_from_the_environment_only_and_is_never_shown() {
    let hub = Hub::new();
    let server = hub.serve();
    let said = hub.publish(&server, "").env_remove("MPOTA_TOKEN").said();
    said.refused(&["no token that may write to octo/weather", "MPOTA_TOKEN", "Contents: read and write"]);
    assert_eq!(hub.publish(&server, "--token x").said().code, 2);
    let wrong = hub.publish(&server, "").env("MPOTA_TOKEN", "wrong").said();
    wrong.refused(&["the token from MPOTA_TOKEN is not accepted"]);
    let said =
        hub.publish(&server, "").env_remove("MPOTA_TOKEN").env("GH_ENTERPRISE_TOKEN", TOKEN).said().ok();
    assert!(!(said.out + &said.err).contains(TOKEN));
    hub.whole(&server, "v1.0.0");
}

#[test]
fn notes_and_the_commit_are_those_of_the_last_run() {
    let hub = Hub::new();
    let server = hub.serve();
    hub.app.write("notes.md", "# Better\n");
    hub.put(
        "x/release.json",
        r#"{"tag_name": "v1.0.0", "draft": true, "body": "old", "target_commitish": "1"}"#,
    );
    hub.publish(&server, "--notes-file notes.md --target abc").said().ok();
    let said: Value = serde_json::from_slice(&hub.get("x/release.json")).unwrap();
    assert_eq!((&said["body"], &said["target_commitish"]), (&json!("# Better\n"), &json!("abc")));
    hub.build("v1.1.0");
    hub.publish(&server, "--notes Short --generate-notes").said().ok();
    let said: Value = serde_json::from_slice(&hub.get("v1.1.0/release.json")).unwrap();
    let body = said["body"].as_str().unwrap();
    assert!(body.starts_with("Short\n") && body.contains("Full Changelog"), "{body}");
    // In a git repository the tag goes to the commit that was built.
    hub.app.commit_all();
    hub.build("v1.2.0");
    hub.publish(&server, "").env("PATH", "/usr/bin:/bin").said().ok();
    let said: Value = serde_json::from_slice(&hub.get("v1.2.0/release.json")).unwrap();
    assert_eq!(said["target_commitish"].as_str().unwrap().len(), 40);
    hub.app.git("tag v1.3.0");
    let said = hub.publish(&server, "--dry-run").env("PATH", "/usr/bin:/bin").said().ok();
    assert!(
        said.err.contains("warning[publish::tag_differs]: ") && said.err.contains("has the tag v1.3.0"),
        "{}",
        said.err
    );
}

#[test]
fn an_older_version_published_later_does_not_become_the_latest() {
    let hub = Hub::new();
    let server = hub.serve();
    hub.publish(&server, "").said().ok();
    hub.build("v2.0.0");
    hub.publish(&server, "").said().ok();
    hub.build("v1.0.1");
    let said = hub.publish(&server, "").said().ok();
    assert!(said.err.contains("v2.0.0 stays the latest release"), "{}", said.err);
    hub.whole(&server, "v1.0.1");
    let tags = |latest: &str| {
        ["v1.0.0", "v1.0.1", "v2.0.0"].map(|tag| release(tag, if tag == latest { "latest" } else { "" }))
    };
    assert_eq!(hub.releases(&server), tags("v2.0.0"));
    // Versions are compared as numbers, and whoever means it may say so.
    hub.publish(&server, "--latest").said().ok();
    assert_eq!(hub.releases(&server), tags("v1.0.1"));
    hub.publish(&server, "--no-latest").said().ok();
    assert_eq!(hub.releases(&server), tags("v2.0.0"));
    hub.build("v10.0.0");
    hub.publish(&server, "--no-latest").said().ok();
    assert!(hub.releases(&server).contains(&release("v2.0.0", "latest")));
    hub.build("v11.0.0");
    hub.publish(&server, "").said().ok();
    assert!(hub.releases(&server).contains(&release("v11.0.0", "latest")));
}

#[test]
fn a_prerelease_is_never_the_latest_even_as_the_first_one() {
    let hub = Hub::new();
    hub.build("v1.1.0-rc.1");
    let server = hub.serve();
    hub.publish(&server, "--latest").said().refused(&["v1.1.0-rc.1 is a prerelease", "--channel"]);
    hub.publish(&server, "").said().ok();
    assert_eq!(hub.releases(&server), [release("v1.1.0-rc.1", "prerelease")]);
    hub.whole(&server, "v1.1.0-rc.1");
    hub.build("v1.0.0");
    hub.publish(&server, "").said().ok();
    let both = [release("v1.0.0", "latest"), release("v1.1.0-rc.1", "prerelease")];
    assert_eq!(hub.releases(&server), both);
}

#[test]
fn a_release_without_a_project_goes_to_the_repository_that_is_named() {
    let hub = Hub::new();
    let server = hub.serve();
    for name in ["boot.py", "main.py"] {
        hub.app.write(&format!("hand/{name}"), hub.app.read(name));
    }
    hub.app.run("manifest --version v1.0.0 --output hand/manifest.json boot.py main.py").ok();
    hub.app.remove("mpota.toml");
    let said = hub.publish(&server, "hand").said();
    assert!(said.code == 2 && said.err.contains("--repo OWNER/NAME"), "{}", said.err);
    assert_eq!(hub.publish(&server, "hand --repo weather").said().code, 2);
    hub.publish(&server, "hand --repo octo/weather").said().ok();
    assert_eq!(hub.releases(&server), [release("v1.0.0", "latest")]);
    assert_eq!(hub.get("v1.0.0/manifest.json"), hub.app.read("hand/manifest.json"));
}

#[test]
fn exit_codes_and_the_help_say_the_same() {
    let hub = Hub::new();
    let server = hub.serve();
    let help = hub.app.run("publish --help").ok().out;
    for code in 0..=4 {
        assert!(help.contains(&format!("  {code}  ")), "{help}");
    }
    hub.put("beta/release.json", "{}");
    hub.put("beta/readme.txt", "not a channel");
    let said = hub.publish(&server, "--channel beta").said();
    said.refused(&["beta is not a channel of mpota"]);
    assert_eq!(hub.releases(&server).len(), 1);
    let reader = hub.publish(&server, "").env("MPOTA_TOKEN", READER).said();
    assert_eq!(reader.code, 1);
}
