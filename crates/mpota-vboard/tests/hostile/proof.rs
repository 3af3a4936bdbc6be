//! What a version on trial is blamed for: settings that find no release of its app, and not what somebody has made of
//! the newest one meanwhile.

use crate::honest::{self, Store};
use crate::rig::{Rig, Setup};
use crate::server::Step;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

const NEWER: &str = "v1.2.0";

/// What the newest release answers for its manifest.
type Answer = Option<(&'static str, Vec<u8>)>;

/// A name, the token of a private repository, and what has become of the releases.
type Case = (&'static str, Option<&'static str>, fn(&mut Store));

/// Once v1.1.0 is fetched the server has `later`. How often its newest release is asked for from then on.
fn turns_into(rig: &Rig, later: Store, answer: Answer) -> Arc<AtomicUsize> {
    let fetched = AtomicBool::new(false);
    let looks = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&looks);
    rig.server.script(move |asked| {
        let first = asked.path.split('?').next().unwrap_or_default();
        if asked.stores(".pack") {
            fetched.store(true, Ordering::SeqCst);
        } else if fetched.load(Ordering::SeqCst) && (first.contains("/latest") || first.contains("/beta")) {
            seen.fetch_add(1, Ordering::SeqCst);
        }
        if seen.load(Ordering::SeqCst) == 0 {
            return None;
        }
        match &answer {
            Some((status, body)) if first.ends_with(&format!("/{NEWER}/manifest.json")) => {
                Some(vec![Step::Send(honest::reply(status, "", body))])
            }
            _ => Some(honest::answer(&later, asked)),
        }
    });
    looks
}

/// A private repository where there is a token.
fn rig(token: Option<&str>) -> Rig {
    let rig = if token.is_some() { Setup::private() } else { Setup::default() }.rig();
    rig.server.store().token = token.map(Into::into);
    rig
}

#[test]
fn fault_56_a_version_on_trial_is_not_blamed_for_the_newest_release() {
    let mut ran = 0;
    for token in [None, Some("tkn-1")] {
        let rig = rig(token);
        let other = rig.key.sign(rig.manifest_of("v1.3.0").as_bytes());
        let cases: [(&str, Answer, Option<Vec<u8>>); 7] = [
            ("made by hand, without a manifest", None, None),
            ("403, as S3 says it", Some(("403 Forbidden", Vec::new())), Some(Vec::new())),
            ("500", Some(("500 Oops", Vec::new())), Some(Vec::new())),
            ("no manifest", None, Some(b"hello\n".to_vec())),
            ("a web page", None, Some(b"<html>hello".to_vec())),
            ("nothing in it", None, Some(Vec::new())),
            ("the manifest of another version", None, Some(other)),
        ];
        for (what, answer, content) in cases {
            let mut later = rig.store();
            later.latest = NEWER.into();
            if let Some(content) = content {
                later.put(NEWER, "manifest.json", content);
            }
            let looks = turns_into(&rig, later, answer);
            rig.updates(what);
            assert!(looks.load(Ordering::SeqCst) > 0, "{what}: no look in the trial");
            rig.rewind();
            ran += 1;
        }
    }
    println!("  cases {ran}: newest releases that are of no use, in a trial");
    assert_eq!(ran, 14);
}

#[test]
fn fault_56_settings_that_find_no_release_of_the_app_are_no_proof() {
    let mut ran = 0;
    let lost = |store: &mut Store| store.assets.clear();
    let cases: [Case; 5] = [
        ("all releases are gone", None, lost),
        ("all releases of a private repository are gone", Some("tkn-1"), lost),
        ("another token", Some("tkn-1"), |store| store.token = Some("tkn-2".into())),
        ("its own release alone is gone", None, |store| store.assets.retain(|(tag, _), _| tag != "v1.1.0")),
        ("its own release is the newest, and without a manifest", None, |store| {
            store.latest = "v1.1.0".into();
            store.assets.retain(|(_, name), _| name != "manifest.json");
        }),
    ];
    for (what, token, change) in cases {
        let rig = rig(token);
        let mut later = rig.store();
        later.latest = NEWER.into();
        change(&mut later);
        not_confirmed(&rig, what, later);
        ran += 1;
    }
    // A channel whose name is wrong is not there either: that a release can be read by its version does not make up
    // for it.
    let rig = Setup::default().set("channel", "'beta'").rig();
    let there = rig.manifest();
    rig.server.store().put("beta", "manifest.json", there);
    let mut later = rig.store();
    later.assets.retain(|(tag, _), _| tag != "beta");
    not_confirmed(&rig, "no such channel", later);
    ran += 1;
    println!("  cases {ran}: settings that prove nothing");
    assert_eq!(ran, 6);
}

/// The trial does not end with a confirmation while the server has that.
fn not_confirmed(rig: &Rig, what: &str, later: Store) {
    let looks = turns_into(rig, later, None);
    let output = rig.board.run().unwrap().output;
    eprintln!("--- {what}\n{output}");
    assert!(looks.load(Ordering::SeqCst) > 0, "{what}: no look in the trial");
    assert!(output.contains("app v1.1.0 trial"), "{what}: {output}");
    assert!(output.contains("ota W no update: "), "{what}: {output}");
    assert!(!output.contains("v1.1.0 is installed"), "{what}: {output}");
}
