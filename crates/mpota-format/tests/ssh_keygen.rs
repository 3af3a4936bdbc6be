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
use mpota_format::rollout::{self, Rollout};
use mpota_format::sshsig::{PublicKey, SigError, blob, check, signing_block};

#[path = "../examples/make_vectors/vectors/keys.rs"]
#[allow(dead_code, reason = "the fields are for the vectors")]
mod keys;
use keys::{ssh, test_key, typed};

fn vector(name: &str) -> Vec<u8> {
    vector_of("signature", name)
}

fn vector_of(folder: &str, name: &str) -> Vec<u8> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../spec/vectors");
    fs::read(root.join(folder).join(name)).unwrap()
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
    let signature = Manifest::parse(manifest).unwrap().signature.unwrap();
    verifies_in("mpota", signed_part(manifest), &signature, key)
}

fn verifies_in(namespace: &str, message: &[u8], signature: &str, key: &SigningKey) -> bool {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("allowed"), format!("mpota {}\n", public(key))).unwrap();
    fs::write(folder.path().join("sig"), armoured(signature)).unwrap();
    let arguments = ["-Y", "verify", "-f", "allowed", "-I", "mpota", "-n", namespace, "-s", "sig"];
    ssh_keygen(folder.path(), &arguments, message).status.success()
}

/// What `ssh-keygen -Y sign` gives for a message, as base64.
fn sign(key: &SigningKey, message: &[u8], options: &[&str]) -> String {
    sign_in("mpota", key, message, options)
}

fn sign_in(namespace: &str, key: &SigningKey, message: &[u8], options: &[&str]) -> String {
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
    let arguments = [&["-Y", "sign", "-f", "key", "-n", namespace], options].concat();
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

#[test]
fn ssh_keygen_takes_rollouts_in_their_own_namespace_and_in_no_other() {
    let mut cases = 0;
    for (name, number) in [("signed", 1), ("signed-by-the-second-key", 2), ("signed-and-longest", 1)] {
        let bytes = vector_of("rollout", &format!("valid/{name}/rollout.json"));
        let rollout = Rollout::parse(&bytes).unwrap();
        let (part, signature) = (rollout::signed_part(&bytes), rollout.signature.clone().unwrap());
        let key = test_key(number);
        assert!(verifies_in("mpota-rollout", part, &signature, &key), "{name}");
        assert!(!verifies_in("mpota", part, &signature, &key), "{name} as a manifest");
        assert!(!verifies_in("mpota-rollout", part, &signature, &test_key(3)), "{name} with another key");
        assert!(!verifies_in("mpota-rollout", &part[1..], &signature, &key), "{name} cut");
        cases += 1;
    }
    println!("rollouts checked by ssh-keygen: {cases}");
}

#[test]
fn what_ssh_keygen_signs_as_a_rollout_is_the_vector() {
    let vector = vector_of("rollout", "valid/signed/rollout.json");
    let mut rollout = Rollout::parse(&vector).unwrap();
    let part = rollout.signed_bytes().unwrap();
    let options = ["-O", "hashalg=sha256"];
    rollout.signature = Some(sign_in("mpota-rollout", &test_key(1), &part, &options));
    assert_eq!(rollout.to_bytes().unwrap(), vector);
    rollout.signature = Some(sign(&test_key(1), &part, &options));
    let manifests = vector_of("rollout", "invalid/sig-namespace-of-manifests/rollout.json");
    assert_eq!(rollout.to_bytes().unwrap(), manifests);
}
