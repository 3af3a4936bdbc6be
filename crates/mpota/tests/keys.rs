//! `mpota key`.

#![allow(clippy::unwrap_used, reason = "what cannot go on here is a failed test")]

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use common::{App, Run, ssh_keygen};

#[test]
fn a_new_key_is_private_and_prints_what_the_board_needs() {
    let app = App::empty();
    let said = app.run("key new k --no-passphrase --comment weather").ok();
    let public = app.text("k.pub");
    assert_eq!(said.out, public);
    assert!(public.starts_with("ssh-ed25519 AAAA") && public.ends_with(" weather\n"), "{public}");
    assert!(said.err.contains(&format!("CONFIG[\"keys\"] = [\"{}\"]", public.trim_end())), "{}", said.err);
    let mode = |path: &str| fs::metadata(app.path(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("k"), 0o600);
    assert_eq!(app.run("key show k").ok().out, public);
    assert_eq!(app.run("key show k.pub").ok().out, public);
}

#[test]
fn key_new_never_overwrites() {
    let app = App::empty();
    app.run("key new k --no-passphrase").ok();
    let before = app.tree("");
    app.run("key new k --no-passphrase").refused(&["k exists already", "hint: "]);
    fs::rename(app.path("k"), app.path("elsewhere")).unwrap();
    app.run("key new k --no-passphrase").refused(&["k.pub exists already"]);
    assert!(!app.path("k").exists());
    fs::rename(app.path("elsewhere"), app.path("k")).unwrap();
    assert!(app.tree("") == before);
}

#[test]
fn the_default_place_is_in_the_ssh_folder_of_the_user() {
    let app = App::empty();
    app.mpota(["key", "new"]).env("HOME", app.path("")).said().ok();
    let folder = fs::metadata(app.path(".ssh")).unwrap();
    assert_eq!(folder.permissions().mode() & 0o777, 0o700);
    assert!(app.path(".ssh/mpota_ed25519").exists());
    app.mpota(["key", "show", "~/.ssh/mpota_ed25519"]).env("HOME", app.path("")).said().ok();
}

#[test]
fn ssh_keygen_reads_our_keys_with_and_without_passphrase() {
    for passphrase in ["", "open sesame"] {
        let app = App::empty();
        app.mpota(["key", "new", "k"]).env("MPOTA_KEY_PASSPHRASE", passphrase).said().ok();
        let read = |p: &str| {
            ssh_keygen().args(["-y", "-P", p, "-f"]).arg(app.path("k")).output().expect("ssh-keygen")
        };
        let right = read(passphrase);
        let key = String::from_utf8(right.stdout).unwrap();
        assert_eq!(key.split(' ').nth(1).map(str::trim), app.text("k.pub").split(' ').nth(1));
        assert_eq!(read("wrong").status.success(), passphrase.is_empty());
    }
}

#[test]
fn the_fingerprint_is_the_one_that_ssh_keygen_shows() {
    let app = App::empty();
    let said = app.run("key new k --no-passphrase").ok();
    let shown = ssh_keygen().arg("-lf").arg(app.path("k.pub")).said().ok().out;
    let fingerprint = shown.split(' ').nth(1).unwrap();
    assert!(fingerprint.starts_with("SHA256:") && said.err.contains(fingerprint), "{shown}{}", said.err);
}

#[test]
fn what_is_no_ed25519_key_is_refused_and_named() {
    let app = App::empty();
    for kind in ["ecdsa", "rsa"] {
        let name = format!("{kind}-key");
        let made = ssh_keygen().args(["-q", "-t", kind, "-N", "", "-f"]).arg(app.path(&name)).status();
        assert!(made.unwrap().success());
        app.run(&format!("key show {name}")).refused(&[&name, "is not an Ed25519 key", "hint: "]);
        app.run(&format!("key show {name}.pub")).refused(&[kind, "is not an Ed25519 key", "hint: "]);
    }
    app.write("text", "hello\n");
    app.run("key show text").refused(&["text is not a"]);
    app.run("key show gone").refused(&["gone"]);
}

#[test]
fn a_comment_that_would_break_the_boards_config_is_a_usage_error() {
    let app = App::empty();
    for comment in ["a\"b", "a\\b", "a\nb"] {
        assert_eq!(app.mpota(["key", "new", "k", "--comment", comment]).said().code, 2);
    }
    assert!(!app.path("k").exists());
}
