//! Firmware that cannot check certificates, and owners who do not want them checked.

#![allow(clippy::unwrap_used, reason = "what cannot go on here is a failed test")]

mod common;

use common::{World, confirmed, new_key, run, tiny, version};
use mpota_vboard::Board;
use mpota_vboard::bench::Release;
use serde_json::json;

fn tls() -> World {
    World::with(|o| o.tls = mpota_serve::Tls::SelfSigned { names: vec!["localhost".into()] })
}

/// A board whose firmware has TLS, and no way to check certificates.
fn unable(world: &World) -> Board {
    let mut board = world.board();
    board.set("no_certificates", json!(true));
    board
}

#[test]
fn firmware_that_cannot_check_certificates_goes_on_where_signatures_protect_the_code() {
    let mut world = tls();
    world.publish("v1.1.0", tiny("v1.1.0"));
    let log = run(&unable(&world)).output;
    assert!(log.contains("this firmware cannot check certificates: set keys"), "{log}");
    assert!(world.server.requests().is_empty(), "nothing is asked of a server that may be anybody");

    let dir = tempfile::tempdir().unwrap();
    let (line, key) = new_key(&dir, "key");
    world.set("keys", &format!("['{line}']"));
    let board = unable(&world);
    let log = run(&board).output;
    assert!(log.contains("this board takes signed releases only"), "{log}");
    world.bench.publish(&Release { key: Some(key), ..Release::new("v1.2.0", tiny("v1.2.0")) }).unwrap();
    let log = run(&board).output;
    assert_eq!(version(&board), confirmed("v1.2.0"));
    assert!(log.matches("board: reset").count() > 2, "{log}");
    for boot in log.split("board: reset") {
        let said = boot.matches("ota W this firmware cannot check certificates").count();
        assert!(said <= 1, "said once in a boot: {boot}");
    }
    assert!(log.contains("ota W this firmware cannot check certificates"), "{log}");
}

#[test]
fn without_a_checked_certificate_the_token_is_sent_only_if_the_owner_says_so_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let (line, key) = new_key(&dir, "key");
    let mut cases = 0;
    for skip in [false, true] {
        for by_name in [false, true] {
            let mut world = World::with(|o| {
                o.token = Some("tkn-123".into());
                o.tls = mpota_serve::Tls::SelfSigned { names: vec!["localhost".into()] };
            });
            let release = Release { key: Some(key.clone()), ..Release::new("v1.1.0", tiny("v1.1.0")) };
            world.bench.publish(&release).unwrap();
            world.set("token", "'tkn-123'");
            world.set("keys", &format!("['{line}']"));
            if skip {
                world.set("insecure_skip_tls_verification", "True");
            }
            if by_name {
                world.set("insecure_token_without_certificate", "True");
            }
            let board = if skip { world.board() } else { unable(&world) };
            let log = run(&board).output;
            if by_name {
                assert_eq!(version(&board), confirmed("v1.1.0"), "skip: {skip}");
            } else {
                assert!(log.contains("insecure_token_without_certificate is not set"), "{log}");
                assert!(world.server.requests().is_empty());
            }
            assert!(!log.contains("tkn-123"));
            cases += 1;
        }
    }
    println!("  cases {cases}: tokens without a checked certificate");
    assert_eq!(cases, 4);
}

#[test]
fn http_in_the_place_of_https_and_the_reverse_are_said() {
    let mut ran = 0;
    for secure in [false, true] {
        let mut world = if secure { tls() } else { World::new() };
        let served = world.server.base_url().to_owned();
        let asked =
            if secure { served.replace("https:", "http:") } else { served.replace("http:", "https:") };
        world.set("base_url", &format!("'{asked}'"));
        world.set("insecure_skip_tls_verification", "True");
        world.publish("v1.1.0", tiny("v1.1.0"));
        let log = run(&world.board()).output;
        let said: &[&str] = if secure {
            &["does not speak HTTP: is it https?"]
        } else {
            &["does not speak TLS: is it http?"]
        };
        assert!(said.iter().any(|words| log.contains(words)), "{log}");
        assert!(log.contains("app v1.0.0 idle") && log.contains("board: deep sleep"), "{log}");
        ran += 1;
    }
    println!("  cases {ran}: http and https exchanged");
    assert_eq!(ran, 2);
}
