//! The real `ssh-keygen` and this crate take each other's signatures.

#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, SigningKey};
use mpota_format::manifest::{Manifest, signed_part};
use mpota_format::sshsig::{PublicKey, SigError, blob, check, signing_block};

#[path = "../examples/make_vectors/vectors/keys.rs"]
#[allow(dead_code, reason = "the fields are for the vectors")]
mod keys;
use keys::{ssh, test_key, typed};

fn vector(name: &str) -> Vec<u8> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../spec/vectors/signature");
    fs::read(root.join(name)).unwrap()
}

fn public(key: &SigningKey) -> PublicKey {
    PublicKey { key: key.verifying_key().to_bytes(), comment: "test".into() }
}

fn armoured(base64: &str) -> String {
    format!("-----BEGIN SSH SIGNATURE-----\n{base64}\n-----END SSH SIGNATURE-----\n")
}

fn ssh_keygen(folder: &Path, arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new("ssh-keygen")
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("ssh-keygen is needed for this test");
    // Where it refuses its arguments it does not read.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

fn verifies(manifest: &[u8], key: &SigningKey) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let signature = Manifest::parse(manifest).unwrap().signature.unwrap();
    fs::write(folder.path().join("allowed"), format!("mpota {}\n", public(key))).unwrap();
    fs::write(folder.path().join("sig"), armoured(&signature)).unwrap();
    let arguments = ["-Y", "verify", "-f", "allowed", "-I", "mpota", "-n", "mpota", "-s", "sig"];
    ssh_keygen(folder.path(), &arguments, signed_part(manifest)).status.success()
}

/// What `ssh-keygen -Y sign` gives for a message, as base64.
fn sign(key: &SigningKey, message: &[u8], options: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    let public = key.verifying_key().to_bytes();
    let pair = [&key.to_bytes()[..], &public].concat();
    let mut secret = [&[0; 8][..], &typed("ssh-ed25519", &public), &ssh(&pair), &ssh(b"test")].concat();
    secret.extend((1..).take(secret.len().next_multiple_of(8) - secret.len()));
    let none = [ssh(b"none"), ssh(b"none"), ssh(b"")].concat();
    let file =
        [b"openssh-key-v1\0", &none[..], &[0, 0, 0, 1], &ssh(&typed("ssh-ed25519", &public)), &ssh(&secret)];
    let (begin, end) = ("-----BEGIN OPENSSH PRIVATE KEY-----", "-----END OPENSSH PRIVATE KEY-----");
    fs::write(&path, format!("{begin}\n{}\n{end}\n", STANDARD.encode(file.concat()))).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let arguments = [&["-Y", "sign", "-f", "key", "-n", "mpota"], options].concat();
    let output = ssh_keygen(folder.path(), &arguments, message);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().filter(|line| !line.starts_with("---")).collect()
}

#[test]
fn ssh_keygen_takes_the_valid_vectors() {
    for (name, number) in [("first-key", 1), ("second-key", 2), ("without-pack", 1)] {
        let manifest = vector(&format!("valid/{name}/manifest.json"));
        assert!(verifies(&manifest, &test_key(number)), "{name}");
        assert!(!verifies(&manifest, &test_key(3)), "{name} with another key");
    }
}

#[test]
fn ssh_keygen_refuses_what_is_not_over_these_bytes() {
    for name in ["version-changed", "s-changed", "over-the-unsigned-manifest", "by-the-other-key"] {
        assert!(!verifies(&vector(&format!("invalid/sig-bad-{name}/manifest.json")), &test_key(1)), "{name}");
    }
}

#[test]
fn what_ssh_keygen_signs_is_taken_and_is_the_vector() {
    let vector = vector("valid/first-key/manifest.json");
    let mut manifest = Manifest::parse(&vector).unwrap();
    let signature = sign(&test_key(1), &manifest.signed_bytes().unwrap(), &["-O", "hashalg=sha256"]);
    manifest.signature = Some(signature);
    assert_eq!(manifest.to_bytes().unwrap(), vector);
    let checked = check(&vector, &[public(&test_key(1))]).unwrap();
    assert_eq!(checked.comment, "test");
}

#[test]
fn what_stock_ssh_keygen_signs_has_another_hash() {
    let vector = vector("invalid/sig-hash-sha512/manifest.json");
    let mut manifest = Manifest::parse(&vector).unwrap();
    manifest.signature = Some(sign(&test_key(1), &manifest.signed_bytes().unwrap(), &[]));
    assert_eq!(manifest.to_bytes().unwrap(), vector);
    assert_eq!(check(&vector, &[public(&test_key(1))]), Err(SigError::Hash));
}

#[test]
fn ssh_keygen_takes_what_is_signed_with_this_crate() {
    let key = test_key(2);
    let mut manifest = Manifest::parse(&vector("invalid/unsigned-pack/manifest.json")).unwrap();
    let signature = key.sign(&signing_block(&manifest.signed_bytes().unwrap())).to_bytes();
    manifest.signature = Some(STANDARD.encode(blob(&public(&key).key, &signature)));
    let bytes = manifest.to_bytes().unwrap();
    assert!(verifies(&bytes, &key));
    assert!(check(&bytes, &[public(&test_key(1)), public(&key)]).is_ok());
}

#[test]
fn fingerprints_are_those_of_ssh_keygen() {
    let folder = tempfile::tempdir().unwrap();
    let key = public(&test_key(1));
    fs::write(folder.path().join("key.pub"), format!("{key}\n")).unwrap();
    let output = ssh_keygen(folder.path(), &["-l", "-f", "key.pub"], b"");
    assert!(String::from_utf8(output.stdout).unwrap().contains(&key.fingerprint()));
}
