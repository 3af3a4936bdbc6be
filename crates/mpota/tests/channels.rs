//! Channels: `mpota publish --channel`, and `mpota verify owner/repo@beta`.

#![allow(clippy::unwrap_used, reason = "what cannot go on here is a failed test")]

mod common;

use common::hub::{Hub, READER};
use common::{Run, Said};
use mpota_serve::Server;
use serde_json::Value;

fn verify(hub: &Hub, server: &Server, arguments: &str) -> Said {
    let mut command = hub.app.mpota(["verify", "--base-url", server.base_url()]);
    command.args(arguments.split_whitespace()).env("PATH", "");
    if hub.private {
        command.env("MPOTA_TOKEN", READER);
    }
    command.said()
}

#[test]
fn a_channel_has_the_very_manifest_of_its_version_and_is_never_the_latest() {
    for private in [false, true] {
        let hub = Hub { private, ..Hub::new() };
        let server = hub.serve();
        hub.publish(&server, "").said().ok();
        hub.build("v1.1.0-rc.1");
        hub.publish(&server, "--channel beta --channel nightly-2").said().ok();
        for channel in ["beta", "nightly-2"] {
            let files: Vec<_> = std::fs::read_dir(hub.repository().join(channel)).unwrap().collect();
            assert_eq!(files.len(), 2, "manifest.json and release.json");
            assert_eq!(hub.get(&format!("{channel}/manifest.json")), hub.app.read("dist/manifest.json"));
            let said = verify(&hub, &server, &format!("octo/weather@{channel}")).ok();
            assert!(said.out.contains("version    v1.1.0-rc.1") && said.out.contains("  ok"), "{}", said.out);
        }
        let told = hub.releases(&server);
        let all = [("beta", "prerelease"), ("nightly-2", "prerelease"), ("v1.0.0", "latest")];
        assert_eq!(told[..3], all.map(|(tag, what)| (tag.to_owned(), what)));
        assert!(verify(&hub, &server, "octo/weather").ok().out.contains("version    v1.0.0"));
    }
}

#[test]
fn a_channel_moves_forward_only() {
    let hub = Hub::new();
    let server = hub.serve();
    hub.build("v1.10.0");
    hub.publish(&server, "--channel beta").said().ok();
    hub.build("v1.9.0");
    let before = hub.tree();
    let said = hub.publish(&server, "--channel beta").said();
    said.refused(&["the channel beta has v1.10.0, which is newer than v1.9.0", "hint: "]);
    assert!(hub.tree() == before, "the version was published all the same");
    hub.publish(&server, "").said().ok();
    assert_eq!(hub.verified(&server, "beta").version, "v1.10.0");
    // What is there already costs no change.
    hub.build("v1.11.0");
    hub.publish(&server, "--channel beta").said().ok();
    let before = hub.tree();
    hub.publish(&server, "--channel beta").said().ok();
    assert!(hub.tree() == before, "something was changed");
}

#[test]
fn what_a_stopped_run_left_in_a_channel_is_cleared_away() {
    let hub = Hub::new();
    let server = hub.serve();
    hub.publish(&server, "--channel beta").said().ok();
    for version in ["v1.0.0", "v1.1.0"] {
        if version != "v1.0.0" {
            hub.build(version);
        }
        // Of a version that was never finished.
        hub.put("beta/manifest.json.next", "another manifest");
        hub.publish(&server, "--channel beta").said().ok();
        let beta = server.releases().into_iter().find(|release| release.tag == "beta").unwrap();
        assert_eq!(beta.assets, ["manifest.json"]);
        assert_eq!(hub.verified(&server, "beta").version, version);
    }
}

#[test]
fn a_release_that_is_no_channel_is_left_alone() {
    let hub = Hub::new();
    let server = hub.serve();
    for (name, asset) in [("one", "readme.txt"), ("two", "manifest.json")] {
        hub.put(&format!("{name}/release.json"), r#"{"prerelease": true}"#);
        hub.put(&format!("{name}/{asset}"), "{\"name\": \"somebody else's\"}");
        let before = hub.tree();
        let said = hub.publish(&server, &format!("--channel {name}")).said();
        said.refused(&[&format!("the release {name} is not a channel of mpota"), "another name"]);
        assert!(hub.tree() == before, "something was changed");
    }
    assert_eq!(hub.releases(&server).len(), 2);
}

#[test]
fn a_channel_whose_manifest_is_not_that_of_the_release_is_found() {
    for private in [false, true] {
        let hub = Hub { private, ..Hub::new() };
        let server = hub.serve();
        hub.publish(&server, "--channel beta").said().ok();
        hub.build("v1.0.0");
        hub.put("beta/manifest.json", hub.app.read("dist/manifest.json"));
        let said = verify(&hub, &server, "octo/weather@beta --json");
        assert_eq!(said.code, 1, "{}", said.err);
        let report: Value = serde_json::from_str(&said.out).unwrap();
        assert_eq!(report["problems"][0]["code"], "channel", "{report}");
        // The version's release is gone: boards of the channel find nothing to fetch.
        std::fs::remove_dir_all(hub.repository().join("v1.0.0")).unwrap();
        assert_eq!(verify(&hub, &server, "octo/weather@beta").code, 1);
        verify(&hub, &server, "octo/weather@alpha").refused(&["alpha"]);
    }
}

#[test]
fn a_channel_may_stand_on_either_side_of_against() {
    for private in [false, true] {
        let hub = Hub { private, ..Hub::new() };
        let server = hub.serve();
        hub.publish(&server, "--channel slow").said().ok();
        hub.app.write("lib/new.py", "y = 2\n");
        hub.app.remove("lib/util.py");
        hub.build("v1.1.0");
        hub.publish(&server, "--channel beta").said().ok();
        let mut cases = 0;
        for new in ["octo/weather@beta", "octo/weather@v1.1.0", "octo/weather", "dist"] {
            for old in ["octo/weather@slow", "octo/weather@v1.0.0"] {
                let said = verify(&hub, &server, &format!("{new} --against {old}")).ok();
                for line in ["added      lib/new.py", "changed    main.py", "removed    lib/util.py"] {
                    assert!(said.out.contains(line), "{new} {old}: {}", said.out);
                }
                let size = hub.app.read("dist/manifest.json").len();
                assert!(said.out.contains(&format!("bytes: {size} of the manifest, ")), "{}", said.out);
                cases += 1;
            }
        }
        println!("  cases {cases}: releases and channels compared, private: {private}");
        assert_eq!(cases, 8);
    }
}
