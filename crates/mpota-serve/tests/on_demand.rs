//! Failures that a test asks for: rate limits, gateways, uploads that go wrong.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use std::time::{Duration, SystemTime};

use mpota_serve::{Fault, FaultKind};
use serde_json::Value;
use support::{Api, Folder, WRITER, ask, get, header, json, sha256, writable};

fn api() -> (Folder, Api) {
    let folder = Folder::with_releases();
    let api = Api::start(writable(&folder));
    (folder, api)
}

#[test]
fn rate_limits_come_on_demand_and_say_how_long() {
    let (_folder, api) = api();
    let wait = Duration::from_secs(90);
    let latest = format!("{}/latest", api.url);
    let cases = [
        (FaultKind::RateLimit { reset: wait }, 403, "API rate limit exceeded"),
        (FaultKind::SecondaryLimit { retry_after: wait }, 403, "secondary rate limit"),
        (FaultKind::TooManyRequests { retry_after: wait }, 429, "secondary rate limit"),
    ];
    let mut count = 0;
    for (kind, status, said) in cases {
        for token in ["", WRITER] {
            api.server.add_fault(Fault::once("GET", "/releases/latest", kind.clone()));
            let before = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
            let refused = ask("GET", &latest, token, "");
            assert_eq!(refused.status(), status, "{kind:?}");
            if let FaultKind::RateLimit { .. } = kind {
                assert_eq!(header(&refused, "x-ratelimit-remaining"), "0");
                assert_eq!(header(&refused, "x-ratelimit-used"), header(&refused, "x-ratelimit-limit"));
                let reset: u64 = header(&refused, "x-ratelimit-reset").parse().unwrap();
                assert!((before + 89..before + 100).contains(&reset), "{reset} at {before}");
                assert_eq!(header(&refused, "retry-after"), "");
            } else {
                assert_eq!(header(&refused, "retry-after"), "90");
                assert_ne!(header(&refused, "x-ratelimit-remaining"), "0");
            }
            let body = json(refused);
            assert!(body["message"].as_str().unwrap().contains(said), "{body}");
            assert!(body["documentation_url"].as_str().unwrap().contains("rate-limits"), "{body}");
            // Once is once, and the page that is no API has no such limit.
            assert_eq!(ask("GET", &latest, token, "").status(), 200);
            count += 1;
        }
    }
    api.server.add_fault(Fault::once("", "", FaultKind::RateLimit { reset: wait }));
    let page = format!("{}/octo/weather/releases/latest/download/manifest.json", api.server.base_url());
    assert_eq!(get(&page, &[]).status(), 302);
    println!("  cases {}: rate limits on demand", count + 1);
}

#[test]
fn a_rule_counts_what_it_matches_and_fails_what_it_says() {
    let (_folder, api) = api();
    let rule = Fault {
        method: "GET".into(),
        path: "/tags/".into(),
        after: 2,
        times: 3,
        kind: FaultKind::BadGateway,
    };
    api.server.add_fault(rule);
    let mut seen = Vec::new();
    for _ in 0..7 {
        assert_eq!(api.ask("GET", "/latest", &Value::Null).status(), 200);
        seen.push(api.ask("GET", "/tags/v1.6.0", &Value::Null).status().as_u16());
    }
    assert_eq!(seen, [200, 200, 502, 502, 502, 200, 200]);
    println!("  cases {}: requests under a rule", seen.len() * 2);
}

#[test]
fn uploads_go_wrong_in_every_way_that_is_asked_for() {
    let (_folder, api) = api();
    let draft = api.draft("v2.0.0");
    let list = || json(api.ask("GET", &format!("/{}/assets", draft["id"]), &Value::Null));
    let fail = |kind| api.server.add_fault(Fault::once("POST", "/assets", kind));
    fail(FaultKind::Starter);
    assert_eq!(api.try_upload(&draft, "name=a", b"one").status(), 502);
    let (state, size) = (list()[0]["state"].clone(), list()[0]["size"].clone());
    assert_eq!((state, size), ("starter".into(), 0.into()));
    let again = api.try_upload(&draft, "name=a", b"one");
    assert_eq!(
        (again.status().as_u16(), json(again)["errors"][0]["code"].clone()),
        (422, "already_exists".into())
    );
    assert_eq!(api.ask("DELETE", &format!("/assets/{}", list()[0]["id"]), &Value::Null).status(), 204);
    fail(FaultKind::BadGateway);
    assert_eq!(api.try_upload(&draft, "name=a", b"one").status(), 502);
    assert_eq!(list().as_array().unwrap().len(), 0);
    fail(FaultKind::WrongDigest);
    assert_ne!(api.upload(&draft, "a", b"one")["digest"], sha256(b"one"));
    fail(FaultKind::NoDigest);
    assert_eq!(api.upload(&draft, "b", b"one")["digest"], Value::Null);
    fail(FaultKind::Renamed("other".into()));
    assert_eq!(api.upload(&draft, "c", b"one")["name"], "other");
    assert_eq!(api.upload(&draft, "d", b"one")["digest"], sha256(b"one"));
    println!("  cases 7: uploads that go wrong on demand");
}
