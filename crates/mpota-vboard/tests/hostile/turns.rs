//! Fault 82, further: a server that fails at one of the requests for a rollout, one that answers for files that are not
//! there as S3 does, and one that shows another version in between.

use crate::rig::{LIMITS, Rig, Setup};
use crate::rollouts::{NAME, mark, marked, offer, signed, text, waits};
use crate::server::Step;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// A marked v1.1.0 with a manifest for boards that load compiled modules, and a rollout to all boards.
fn rig() -> Rig {
    rig_of(Setup::default())
}

fn rig_of(setup: Setup) -> Rig {
    let rig = setup.set("limits", &LIMITS.replace("'retries': 1", "'retries': 3")).rig();
    mark(&rig);
    let compiled = String::from_utf8(rig.store().get("v1.1.0", "manifest.json")).unwrap();
    rig.server.store().put("v1.1.0", "manifest-mpy-6.json", compiled.clone().into_bytes());
    rig.offer_signed(|text| {
        text.replacen("\"files\":[", "\"more\":{\"mpy\":[6],\"rollout\":1},\"files\":[", 1)
    });
    offer(&rig, signed(&rig, &text(5)));
    rig
}

/// The manifest of v1.1.0 as that of another version, marked.
fn manifest(rig: &Rig, version: &str) -> Vec<u8> {
    rig.key.sign(marked(&rig.manifest_of(version)).as_bytes())
}

fn answer(status: &str) -> Vec<Step> {
    vec![Step::Send(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").into_bytes())]
}

#[test]
fn fault_82_a_server_that_fails_at_one_request_is_asked_again() {
    fails_once(&rig());
}

#[test]
fn fault_82_an_api_that_fails_at_one_request_is_asked_again() {
    let rig = rig_of(Setup::private().set("headers", "{'X-Key': 'k'}").set("report", "True"));
    rig.server.store().token = Some("tkn-1".into());
    fails_once(&rig);
}

/// Each request of an update fails once, its look and its trial's too.
fn fails_once(rig: &Rig) {
    rig.server.forget();
    rig.updates("no failure");
    let requests = rig.server.asked().len();
    assert!(requests > 6, "{requests}");
    rig.rewind();
    let mut ran = 0;
    for status in ["500 Oops", "503 Busy\r\nRetry-After: 1"] {
        for bad in 0..requests {
            let count = AtomicUsize::new(0);
            rig.server.script(move |_| (count.fetch_add(1, Ordering::SeqCst) == bad).then(|| answer(status)));
            rig.updates(&format!("{status:?} to request {bad}"));
            rig.server.behave();
            rig.rewind();
            ran += 1;
        }
    }
    println!("  cases {ran}: requests that fail once");
    assert!(ran > 12);
}

#[test]
fn fault_82_a_version_on_trial_is_not_blamed_for_the_rollout_of_another() {
    let mut ran = 0;
    for status in ["403 Forbidden", "404 Not Found", "500 Oops"] {
        let rig = rig();
        let newer = manifest(&rig, "v1.2.0");
        let fetched = Arc::new(AtomicBool::new(false));
        let asked_in_trial = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&asked_in_trial);
        rig.server.script(move |asked| {
            if asked.stores(".pack") {
                fetched.store(true, Ordering::SeqCst);
            }
            if !fetched.load(Ordering::SeqCst) {
                return None;
            }
            match asked.name() {
                "v1.2.0.json" => Some(answer(status)),
                "manifest.json" => {
                    seen.store(true, Ordering::SeqCst);
                    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", newer.len());
                    Some(vec![Step::Send([head.as_bytes(), &newer].concat())])
                }
                _ => None,
            }
        });
        rig.updates(status);
        assert!(asked_in_trial.load(Ordering::SeqCst), "{status}: no look in the trial");
        ran += 1;
    }
    println!("  cases {ran}: answers for the rollout of another version in a trial");
    assert_eq!(ran, 3);
}

#[test]
fn fault_82_a_rollout_that_must_not_be_seen_is_not_there() {
    let rig = rig();
    rig.server.script(|asked| (asked.name() == NAME).then(|| answer("403 Forbidden")));
    waits(&rig, "403", "the server has no rollout for it");
    rig.server.behave();
    rig.updates("the rollout is there");
    println!("  cases 1: a rollout that is forbidden");
}

#[test]
fn fault_82_another_version_in_between_does_not_make_an_older_rollout_count() {
    let rig = rig();
    let halted = text(7).replace("\"stages\"", "\"halted\":true,\"stages\"");
    offer(&rig, signed(&rig, &halted));
    waits(&rig, "halted", "it is halted");
    let mut ran = 0;
    for n in 1..8 {
        let version = format!("v1.0.{n}");
        let bytes = manifest(&rig, &version);
        let rollout = signed(&rig, &text(9).replace("v1.1.0", &version).replace(",100]", ",0]"));
        {
            let mut store = rig.server.store();
            store.put(&version, "manifest.json", bytes);
            store.put("rollout", &format!("{version}.json"), rollout);
            store.latest.clone_from(&version);
        }
        let output = rig.board.run().unwrap().output;
        assert!(output.contains(&format!("{version} waits: its turn comes later")), "{output}");
        rig.server.store().latest = "v1.1.0".into();
        offer(&rig, signed(&rig, &text(6)));
        waits(&rig, &version, "its rollout is refused: older");
        ran += 1;
    }
    offer(&rig, signed(&rig, &text(8)));
    rig.updates("newer");
    println!("  cases {ran}: other versions in between");
    assert_eq!(ran, 7);
}
