use ed25519_dalek::{Signer as _, SigningKey};

use super::*;

/// A key for tests, not secret.
fn key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

fn public(bytes: [u8; 32]) -> PublicKey {
    PublicKey { key: bytes, comment: String::new() }
}

fn signed_by(public: &[u8; 32], signature: &[u8; 64]) -> Vec<u8> {
    format!("x\n],\n\"signature\":\"{}\"}}\n", STANDARD.encode(blob(public, signature))).into_bytes()
}

#[test]
fn a_signature_is_taken_by_its_key_alone() {
    let signature = key().sign(&signing_block(b"x\n],\n")).to_bytes();
    let manifest = signed_by(key().verifying_key().as_bytes(), &signature);
    let own = PublicKey { comment: "mine".into(), ..public(key().verifying_key().to_bytes()) };
    let other = public([9; 32]);
    let checked = check(&manifest, &[other.clone(), own.clone()]).unwrap();
    assert_eq!(checked, Checked { fingerprint: own.fingerprint(), comment: "mine".into() });
    assert_eq!(check(&manifest, &[other]), Err(SigError::UnknownKey));
    assert_eq!(check(&[b"y", &manifest[1..]].concat(), &[own]), Err(SigError::Bad));
}

#[test]
fn what_is_no_signed_manifest_has_no_signature() {
    assert_eq!(check(b"x\n]}\n", &[]), Err(SigError::Unsigned));
    for bytes in [
        &b""[..],
        b"\n",
        b"x\n\"signature\":\"AAAA\"}\n",
        b"x\n],\n\"signature\":\"AAAA\"}",
        b"x\n],\n\"signature\":\"A\"}\n",
    ] {
        assert_eq!(check(bytes, &[]), Err(SigError::Form), "{bytes:?}");
    }
}

#[test]
fn a_trusted_key_of_small_order_signs_nothing() {
    let point = |first: u8, rest: u8, last: u8| {
        let mut point = [rest; 32];
        (point[0], point[31]) = (first, last);
        point
    };
    // The neutral element, canonical, with a sign and as p + 1; the points of order 2 and 4, and p itself.
    for bytes in [
        point(1, 0, 0),
        point(1, 0, 0x80),
        point(0xee, 0xff, 0x7f),
        point(0xec, 0xff, 0x7f),
        point(0, 0, 0),
        point(0xed, 0xff, 0x7f),
    ] {
        let mut signature = [0; 64];
        signature[0] = 1;
        let manifest = signed_by(&bytes, &signature);
        assert_eq!(check(&manifest, &[public(bytes)]), Err(SigError::Bad), "{bytes:x?}");
    }
}

#[test]
fn points_from_p_on_are_not_canonical() {
    let mut p = [0xff; 32];
    (p[0], p[31]) = (0xed, 0x7f);
    assert!(!is_canonical(&p));
    p[31] = 0xff;
    assert!(!is_canonical(&p));
    p[0] = 0xec;
    assert!(is_canonical(&p));
    p[0] = 0xff;
    assert!(!is_canonical(&p));
    p[9] = 0xfe;
    assert!(is_canonical(&p));
    assert!(is_canonical(&[0; 32]));
}

#[test]
fn key_lines_are_read_and_written() {
    let key = PublicKey { comment: "a b".into(), ..public(key().verifying_key().to_bytes()) };
    let line = key.to_string();
    assert_eq!(PublicKey::parse_line(&line).as_ref(), Ok(&key));
    assert_eq!(PublicKey::parse_line(&format!(" {}\t\r\n", line.replacen(' ', "\t ", 1))), Ok(key.clone()));
    let bare = line.trim_end_matches(" a b");
    assert_eq!(PublicKey::parse_line(bare).unwrap().comment, "");
    for line in ["", "ssh-ed25519", "ssh-rsa AAAA x", "# ssh-ed25519 AAAA", "mpota ssh-ed25519 AAAA"] {
        assert_eq!(PublicKey::parse_line(line), Err(KeyError::Type), "{line}");
    }
    for line in ["ssh-ed25519 x", "ssh-ed25519 AAAA", &bare[..bare.len() - 4], &format!("{bare}AAAA")] {
        assert_eq!(PublicKey::parse_line(line), Err(KeyError::Damaged), "{line}");
    }
}
