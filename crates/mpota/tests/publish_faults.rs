//! What GitHub may answer while `mpota publish` is at work.

#![allow(clippy::unwrap_used, reason = "what cannot go on here is a failed test")]

mod common;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use common::Run;
use common::hub::{Hub, PACK, READER, TOKEN, words};
use mpota::publish::{PublishError, PublishOptions, Published, Step, publish};
use mpota_serve::{Fault, FaultKind, Options, Permission, Server, WriteOptions, WriteToken};

thread_local! {
    static SLEPT: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

fn sleep(time: Duration) {
    SLEPT.with_borrow_mut(|slept| slept.push(time.as_secs()));
}

/// Publishes; gives what was said meanwhile, and for how many seconds it slept.
fn run(mut how: PublishOptions) -> (Result<Published, PublishError>, Vec<Step>, Vec<u64>) {
    let steps = Rc::new(RefCell::new(Vec::new()));
    let (seen, tell) = (Rc::clone(&steps), Rc::clone(&how.tell));
    how.tell = Rc::new(move |step| {
        tell(step);
        seen.borrow_mut().push(step.clone());
    });
    how.sleep = sleep;
    SLEPT.take();
    let result = publish(&how);
    (result, steps.take(), SLEPT.take())
}

fn latest() -> (String, &'static str) {
    ("v1.0.0".to_owned(), "latest")
}

fn uploads(server: &Server) -> usize {
    server.requests().iter().filter(|request| request.query.starts_with("name=")).count()
}

#[test]
fn fault_44_an_asset_that_is_suddenly_there_is_kept_if_it_is_right_and_replaced_if_not() {
    for right in [true, false] {
        let hub = Hub::new();
        let server = hub.serve();
        let mut how = hub.how(&server);
        let bytes = hub.app.read(&format!("dist/{PACK}"));
        let file = hub.repository().join("v1.0.0").join(PACK);
        let first = Cell::new(true);
        how.tell = Rc::new(move |step| {
            if matches!(step, Step::Upload(name, _) if name == PACK) && first.replace(false) {
                std::fs::write(&file, if right { &bytes[..] } else { &bytes[1..] }).unwrap();
            }
        });
        let (done, steps, slept) = run(how);
        let done = done.unwrap();
        assert!(server.requests().iter().any(|request| request.status == 422), "no 422");
        assert_eq!(done.kept.contains(&PACK.to_owned()), right);
        assert_eq!(steps.contains(&Step::Removed(PACK.to_owned())), !right);
        assert_eq!(slept, [1]);
        hub.whole(&server, "v1.0.0");
    }
}

#[test]
fn fault_44_a_half_made_asset_after_a_502_is_replaced_now_or_by_the_next_run() {
    let mut cases = 0;
    for name in [PACK, "manifest.json"] {
        for later in [false, true] {
            let hub = Hub::new();
            let after = u32::from(name == "manifest.json");
            let times = if later { u32::MAX } else { 1 };
            let mut faults =
                vec![Fault { after, times: 1, ..Fault::once("POST", "/assets", FaultKind::Starter) }];
            if later {
                faults.push(Fault { times, ..Fault::once("DELETE", "", FaultKind::BadGateway) });
            }
            let mut server = hub.serve_with(faults);
            let (done, ..) = run(hub.how(&server));
            if later {
                let error = done.unwrap_err();
                let said = words(&error);
                assert!(
                    said.contains("no board sees it: the draft is http") && said.contains("502"),
                    "{said}"
                );
                assert_eq!(error.exit_code(), 3);
                drop(server);
                server = hub.serve();
                assert_eq!(hub.releases(&server), [("v1.0.0".to_owned(), "draft")]);
                run(hub.how(&server)).0.unwrap();
            }
            hub.whole(&server, "v1.0.0");
            cases += 1;
        }
    }
    println!("  cases {cases}: half-made assets");
    assert_eq!(cases, 4);
}

#[test]
fn fault_44_a_changed_name_is_not_published() {
    for (method, changed) in [("POST", PACK), ("POST", "manifest.json")] {
        let hub = Hub::new();
        let after = u32::from(changed == "manifest.json");
        let renamed = FaultKind::Renamed("other.name".to_owned());
        let server = hub.serve_with(vec![Fault { after, ..Fault::once(method, "/assets", renamed) }]);
        let error = run(hub.how(&server)).0.unwrap_err();
        let said = words(&error);
        assert!(said.contains(&format!("{changed} is called other.name by the server")), "{said}");
        assert_eq!(hub.releases(&server), [("v1.0.0".to_owned(), "draft")]);
        assert!(!server.releases()[0].assets.contains(&"other.name".to_owned()), "it was left there");
        assert_eq!(error.exit_code(), 3);
    }
}

#[test]
fn fault_44_a_digest_that_differs_is_sent_again_and_never_published() {
    let hub = Hub::new();
    let server = hub.serve_with(vec![Fault::once("POST", "/assets", FaultKind::WrongDigest)]);
    let (done, ..) = run(hub.how(&server));
    assert_eq!((done.unwrap().uploaded.len(), uploads(&server)), (2, 3));
    hub.whole(&server, "v1.0.0");

    let hub = Hub::new();
    let wrong = Fault { times: u32::MAX, ..Fault::once("POST", "/assets", FaultKind::WrongDigest) };
    let server = hub.serve_with(vec![wrong]);
    let (done, _, slept) = run(hub.how(&server));
    let error = done.unwrap_err();
    assert!(words(&error).contains("has other bytes as weather-v1.0.0.pack than were sent"), "{error}");
    assert_eq!((error.exit_code(), slept), (3, vec![1, 2, 4, 8, 16, 32]));
    assert_eq!(hub.releases(&server), [("v1.0.0".to_owned(), "draft")]);
}

#[test]
fn fault_44_without_a_digest_every_byte_is_compared() {
    let hub = Hub::new();
    let server = Server::start(Options { digests: false, ..hub.options() }).unwrap();
    let mut how = hub.how(&server);
    let file = hub.repository().join("v1.0.0").join(PACK);
    let first = Cell::new(true);
    // Of the same size, and not what was sent.
    how.tell = Rc::new(move |step| {
        if matches!(step, Step::Uploaded(name) if name == PACK) && first.replace(false) {
            let mut bytes = std::fs::read(&file).unwrap();
            bytes[3] ^= 1;
            std::fs::write(&file, bytes).unwrap();
        }
    });
    let (done, steps, _) = run(how);
    done.unwrap();
    assert!(steps.contains(&Step::Removed(PACK.to_owned())), "{steps:?}");
    assert_eq!(uploads(&server), 3);
    hub.whole(&server, "v1.0.0");
    let (done, steps, _) = run(hub.how(&server));
    assert_eq!(done.unwrap().kept.len(), 2);
    assert!(steps.iter().any(|step| matches!(step, Step::WasPublished(_))), "{steps:?}");
    hub.build("v1.0.0");
    let error = run(hub.how(&server)).0.unwrap_err();
    assert!(words(&error).contains("already published with other content"), "{error}");
}

#[test]
fn limits_are_waited_for_as_long_as_the_server_says_and_too_long_ones_are_not() {
    let seconds = Duration::from_secs;
    let kinds = [
        (FaultKind::SecondaryLimit { retry_after: seconds(7) }, 7..8),
        (FaultKind::TooManyRequests { retry_after: seconds(5) }, 5..6),
        (FaultKind::RateLimit { reset: seconds(90) }, 88..93),
        (FaultKind::BadGateway, 1..2),
    ];
    let mut cases = 0;
    for (kind, expected) in kinds {
        for (method, path) in [("GET", ""), ("POST", "/releases"), ("POST", "/assets"), ("PATCH", "")] {
            let hub = Hub::new();
            let server = hub.serve_with(vec![Fault::once(method, path, kind.clone())]);
            let (done, steps, slept) = run(hub.how(&server));
            done.unwrap();
            assert!(slept.len() == 1 && expected.contains(&slept[0]), "{kind:?} {method}: {slept:?}");
            assert!(steps.iter().any(|step| matches!(step, Step::Waiting(..))));
            hub.whole(&server, "v1.0.0");
            cases += 1;
        }
    }
    println!("  cases {cases}: limits and gateways that say no");
    assert_eq!(cases, 16);
    let hub = Hub::new();
    let server =
        hub.serve_with(vec![Fault::once("PATCH", "", FaultKind::RateLimit { reset: seconds(3000) })]);
    let (done, _, slept) = run(hub.how(&server));
    let error = done.unwrap_err();
    let said = words(&error);
    assert!(
        said.contains("takes no more requests for 51 minutes") || said.contains("for 50 minutes"),
        "{said}"
    );
    assert!(said.contains("the draft is http") && said.contains("goes on where it stopped"), "{said}");
    assert_eq!((error.exit_code(), slept.len()), (3, 0));
    run(hub.how(&server)).0.unwrap();
    hub.whole(&server, "v1.0.0");
}

#[test]
fn without_patience_only_what_the_server_asks_for_is_too_long() {
    let seconds = Duration::from_secs;
    for (kind, code) in [
        (FaultKind::BadGateway, None),
        (FaultKind::TooManyRequests { retry_after: seconds(5) }, Some(3)),
        (FaultKind::TooManyRequests { retry_after: seconds(0) }, None),
    ] {
        let hub = Hub::new();
        let fault = Fault { times: 3, ..Fault::once("POST", "/releases", kind.clone()) };
        let server = hub.serve_with(vec![fault]);
        let how = PublishOptions { patience: seconds(0), ..hub.how(&server) };
        let (done, _, slept) = run(how);
        assert_eq!(done.map_err(|error| error.exit_code()).err(), code, "{kind:?}");
        assert_eq!(slept, if code.is_some() { vec![] } else { vec![1, 2, 4] }, "{kind:?}");
    }
}

#[test]
fn every_asset_has_its_own_tries() {
    let hub = Hub::new();
    for n in 0..10 {
        hub.app.write(&format!("data/{n}"), n.to_string());
    }
    hub.app.run("build --version v1.0.0 --plain").ok();
    // Every other upload fails, more often in all than one of them may.
    let faults =
        (0..14).map(|n| Fault { after: 2 * n, ..Fault::once("POST", "/assets", FaultKind::Starter) });
    let server = hub.serve_with(faults.collect());
    let (done, _, slept) = run(hub.how(&server));
    assert_eq!((done.unwrap().uploaded.len(), slept), (14, vec![1; 14]));
    hub.whole(&server, "v1.0.0");
}

#[test]
fn a_token_that_may_not_is_told_which_permission_or_scope_it_needs() {
    let scopes = |names: &[&str]| Permission::Scopes(names.iter().map(|&name| name.to_owned()).collect());
    let cases: [(Permission, bool, &[&str]); 6] = [
        (Permission::ContentsRead, false, &["needs Contents: read and write", "contents=write"]),
        (Permission::ContentsRead, true, &["needs Contents: read and write"]),
        (scopes(&[]), false, &["the scope `repo` (`public_repo` for a public repository)", "it has: none"]),
        (scopes(&["gist", "read:org"]), false, &["it has: gist, read:org"]),
        // What it may not see is not there.
        (scopes(&["public_repo"]), true, &["there is no repository octo/weather", "the scope `repo`"]),
        (scopes(&["public_repo"]), false, &[]),
    ];
    let mut tried = 0;
    for (permission, private, expected) in cases {
        let hub = Hub { private, ..Hub::new() };
        let before = hub.tree();
        let mut options = hub.options();
        let token = WriteToken { secret: TOKEN.to_owned(), permission: permission.clone() };
        options.write = Some(WriteOptions { tokens: vec![token], ..WriteOptions::new("x") });
        let server = Server::start(options).unwrap();
        let result = run(hub.how(&server)).0;
        if expected.is_empty() {
            result.unwrap();
            hub.whole(&server, "v1.0.0");
        } else {
            let error = result.unwrap_err();
            let said = words(&error);
            for word in expected {
                assert!(said.contains(word), "{permission:?}: no {word:?} in {said}");
            }
            assert!(said.contains("the test"), "where it came from: {said}");
            assert_eq!(error.exit_code(), 1);
            assert!(hub.tree() == before, "something was changed");
        }
        tried += 1;
    }
    println!("  cases {tried}: permissions and scopes");
    assert_eq!(tried, 6);
}

#[test]
fn other_content_under_the_same_version_is_refused_and_nothing_is_touched() {
    let hub = Hub::new();
    let server = hub.serve();
    run(hub.how(&server)).0.unwrap();
    hub.build("v1.0.0");
    let before = hub.tree();
    let mut how = hub.how(&server);
    how.channels = vec!["beta".to_owned()];
    let error = run(how).0.unwrap_err();
    let said = words(&error);
    let expected = format!("v1.0.0 is already published with other content: {PACK}, manifest.json");
    assert!(said.contains(&expected) && said.contains("build a new version"), "{said}");
    assert_eq!(error.exit_code(), 1);
    assert!(hub.tree() == before, "something was changed");
}

#[test]
fn of_several_drafts_none_is_guessed() {
    let hub = Hub::new();
    for name in ["a", "b"] {
        hub.put(&format!("{name}/release.json"), r#"{"tag_name": "v1.0.0", "draft": true}"#);
    }
    let server = hub.serve();
    let before = hub.tree();
    let error = run(hub.how(&server)).0.unwrap_err();
    let said = words(&error);
    assert!(
        said.contains("more than one draft of v1.0.0") && said.matches("/untagged-").count() == 2,
        "{said}"
    );
    assert!(hub.tree() == before, "something was changed");
    std::fs::remove_dir_all(hub.repository().join("b")).unwrap();
    let (done, steps, _) = run(hub.how(&server));
    done.unwrap();
    assert!(matches!(&steps[0], Step::Resumed(_)), "{steps:?}");
    assert_eq!(hub.releases(&server), [latest()]);
}

#[test]
fn a_draft_of_another_build_gets_the_new_content_and_what_is_not_ours_stays() {
    let hub = Hub::new();
    hub.put("a/release.json", r#"{"tag_name": "v1.0.0", "draft": true}"#);
    for (name, content) in [("manifest.json", "old"), (PACK, "old"), ("firmware.uf2", "hers")] {
        hub.put(&format!("a/{name}"), content);
    }
    let server = hub.serve();
    let (done, steps, _) = run(hub.how(&server));
    let done = done.unwrap();
    assert_eq!((done.uploaded.len(), &done.left[..]), (2, &["firmware.uf2".to_owned()][..]));
    assert!(steps.contains(&Step::Left("firmware.uf2".to_owned())));
    assert_eq!(hub.get("a/firmware.uf2"), b"hers");
    assert_eq!(hub.get("a/manifest.json"), hub.app.read("dist/manifest.json"));
}

#[test]
fn a_release_that_was_published_without_a_manifest_is_filled_and_the_manifest_comes_last() {
    for starter in [false, true] {
        let hub = Hub::new();
        let shell = r#", "assets": {"manifest.json": {"state": "starter"}}"#;
        let assets = if starter { shell } else { "" };
        hub.put("v1.0.0/release.json", format!("{{\"name\": \"by hand\"{assets}}}"));
        let server = hub.serve();
        let (done, steps, _) = run(hub.how(&server));
        assert!(done.unwrap().latest);
        assert!(steps.iter().any(|step| matches!(step, Step::Bare(_))), "{steps:?}");
        let sent: Vec<_> = steps.iter().filter(|step| matches!(step, Step::Uploaded(_))).collect();
        assert_eq!(sent.last(), Some(&&Step::Uploaded("manifest.json".to_owned())));
        hub.whole(&server, "v1.0.0");
    }
}

#[test]
fn when_somebody_else_publishes_the_same_meanwhile_no_draft_is_left() {
    for same in [true, false] {
        let hub = Hub::new();
        let server = hub.serve();
        let mut how = hub.how(&server);
        let files = hub.app.tree("dist");
        let other = hub.repository().join("other");
        how.tell = Rc::new(move |step| {
            if *step == Step::Uploaded("manifest.json".to_owned()) {
                std::fs::create_dir_all(&other).unwrap();
                for (name, bytes) in &files {
                    std::fs::write(other.join(name), if same { &bytes[..] } else { b"else" }).unwrap();
                }
                std::fs::write(other.join("release.json"), "{\n  \"tag_name\": \"v1.0.0\"\n}").unwrap();
            }
        });
        let (done, ..) = run(how);
        match done {
            Ok(_) => assert!(same),
            Err(error) => assert!(!same && error.exit_code() == 1, "{}", words(&error)),
        }
        assert_eq!(hub.releases(&server), [latest()]);
    }
}

#[test]
fn immutable_releases_are_published_and_never_asked_to_change() {
    let hub = Hub::new();
    let immutable = || {
        let write = WriteOptions { immutable: true, ..WriteOptions::new(TOKEN) };
        Server::start(Options { write: Some(write), ..hub.options() }).unwrap()
    };
    let server = immutable();
    let (done, ..) = run(hub.how(&server));
    assert!(done.unwrap().immutable);
    hub.whole(&server, "v1.0.0");
    let before = hub.tree();
    assert!(run(hub.how(&server)).0.unwrap().immutable);
    // A channel that could never be moved again is not made.
    let with_channel = |server: &Server| {
        let mut how = hub.how(server);
        how.channels = vec!["beta".to_owned()];
        run(how).0
    };
    let error = with_channel(&server).unwrap_err();
    let said = words(&error);
    assert!(
        said.contains("the channel beta is not made") && said.contains("switch immutable releases off"),
        "{said}"
    );
    assert_eq!(error.exit_code(), 4);
    assert!(hub.tree() == before, "something was changed");
    hub.build("v1.0.0");
    assert!(words(&run(hub.how(&server)).0.unwrap_err()).contains("already published with other content"));
    drop(server);
    // One that was made before is moved.
    hub.build("v1.1.0");
    with_channel(&hub.serve()).unwrap();
    let server = immutable();
    hub.build("v1.2.0");
    with_channel(&server).unwrap();
    assert_eq!(hub.verified(&server, "beta").version, "v1.2.0");
    // A release that has become immutable cannot be a channel.
    hub.put("stuck/release.json", r#"{"immutable": true, "prerelease": true}"#);
    hub.put("stuck/manifest.json", hub.get("v1.1.0/manifest.json"));
    let mut how = hub.how(&server);
    how.channels = vec!["stuck".to_owned()];
    assert!(
        words(&run(how).0.unwrap_err()).contains("the release stuck, which is to be a channel, cannot be")
    );
}

#[test]
fn what_fails_after_the_publication_is_said_and_done_by_the_next_run() {
    let hub = Hub { private: true, ..Hub::new() };
    let gone = Fault { times: u32::MAX, ..Fault::once("GET", "/releases/tags/", FaultKind::BadGateway) };
    let server = hub.serve_with(vec![gone]);
    let error = run(hub.how(&server)).0.unwrap_err();
    let said = words(&error);
    assert!(said.contains("v1.0.0 is published, and not all of the rest is done"), "{said}");
    assert!(said.contains("run the same command again"), "{said}");
    assert_eq!(error.exit_code(), 4);
    let code = hub.publish(&hub.serve(), "").env("MPOTA_TOKEN", READER).said().code;
    assert_eq!(code, 0, "to look at what is there a reader's token is enough");
}
