//! Signed manifests: right ones, and wrong in one way each.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION};
use curve25519_dalek::scalar::Scalar;
use ed25519_dalek::{Signer as _, SigningKey};
use mpota_format::digest::sha256;
use sha2::{Digest as _, Sha512};

use super::keys::{Blob, ssh, test_key, typed};
use super::text::{edit, full, signed, small};
use super::{Files, put};

const ED25519: &str = "ssh-ed25519";
/// The order of the group: 2^252 + 27742317777372353535851937790883648493.
const L: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// The keys that are trusted, by their number and comment.
const TRUSTED: [(u8, &str); 2] = [(1, "first@example.org"), (2, "second key")];
const UNKNOWN: u8 = 3;

fn message(text: &str) -> Vec<u8> {
    edit(text, "\n]}\n", "\n],\n").into_bytes()
}

/// A manifest with a right signature by key 1 after `change` was made to it.
fn changed(change: impl FnOnce(&mut Blob, &[u8])) -> Vec<u8> {
    let digest = sha256(&message(&full()));
    let mut blob = Blob::new(&test_key(1), &digest);
    change(&mut blob, &digest);
    blob.bytes()
}

/// The same where the change is to be signed too.
fn resigned(change: impl FnOnce(&mut Blob)) -> Vec<u8> {
    changed(|blob, digest| {
        change(blob);
        blob.sign(&test_key(1), digest);
    })
}

pub fn add(files: &mut Files) {
    let lines = TRUSTED.map(|(number, comment)| {
        let key = typed(ED25519, test_key(number).verifying_key().as_bytes());
        format!("{ED25519} {} {comment}\n", STANDARD.encode(key))
    });
    put(files, "signature/keys", lines.concat());

    let plain = small(&["boot.py", "main.py"]);
    for (name, number, text) in
        [("first-key", 1, full()), ("second-key", 2, full()), ("without-pack", 1, plain)]
    {
        let blob = Blob::new(&test_key(number), &sha256(&message(&text))).bytes();
        put(files, format!("signature/valid/{name}/manifest.json"), signed(&text, &STANDARD.encode(blob)));
    }

    let mut wrong = |code: &str, how: &str, manifest: String| {
        let folder = format!("signature/invalid/{code}-{how}");
        put(files, format!("{folder}/manifest.json"), manifest);
        put(files, format!("{folder}/error"), format!("{code}\n"));
    };
    wrong("unsigned", "plain", small(&["main.py"]));
    wrong("unsigned", "pack", full());
    let with = |blob: Vec<u8>| signed(&full(), &STANDARD.encode(blob));
    for (how, blob) in forms() {
        wrong("sig-form", how, with(blob));
    }
    for (how, blob) in key_types() {
        wrong("sig-key-type", how, with(blob));
    }
    for (how, namespace) in [
        ("file", &b"file"[..]),
        ("empty", b""),
        ("git", b"git"),
        ("capital", b"Mpota"),
        ("longer", b"mpota2"),
        ("shorter", b"mpot"),
        ("zero-at-end", b"mpota\0"),
        ("of-rollouts", b"mpota-rollout"),
    ] {
        wrong("sig-namespace", how, with(resigned(|blob| blob.namespace = namespace)));
    }
    let sha512 = Sha512::digest(message(&full()));
    let stock = changed(|blob, _| {
        blob.hash = b"sha512";
        blob.sign(&test_key(1), &sha512);
    });
    wrong("sig-hash", "sha512", with(stock));
    for (how, hash) in
        [("empty", &b""[..]), ("capitals", b"SHA256"), ("sha1", b"sha1"), ("longer", b"sha256 ")]
    {
        wrong("sig-hash", how, with(resigned(|blob| blob.hash = hash)));
    }
    for (how, blob) in unknown_keys() {
        wrong("sig-unknown-key", how, with(blob));
    }
    for (how, blob) in bad() {
        wrong("sig-bad", how, with(blob));
    }
    let right = with(changed(|_, _| ()));
    for (how, from, to) in [
        ("version-changed", "v1.2.0", "v1.3.0"),
        ("project-changed", "octo/weather", "octo/leather"),
        ("size-changed", "\"size\":312", "\"size\":313"),
        ("path-changed", "\"path\":\"boot.py\"", "\"path\":\"book.py\""),
        ("created-changed", "1750000000", "1750000001"),
        ("requirement-removed", ",\"mpy\":\"6.3\"", ""),
    ] {
        wrong("sig-bad", how, edit(&right, from, to));
    }
}

fn forms() -> Vec<(&'static str, Vec<u8>)> {
    let right = changed(|_, _| ());
    let key = test_key(1).verifying_key();
    let cut = |length: usize| right[..length].to_vec();
    let length = |at: usize, value: u32| [&right[..at], &value.to_be_bytes(), &right[at + 4..]].concat();
    vec![
        ("magic-other", resigned(|blob| blob.magic = b"SSHSIH")),
        ("magic-in-small-letters", resigned(|blob| blob.magic = b"sshsig")),
        ("magic-missing", resigned(|blob| blob.magic = b"")),
        ("version-0", changed(|blob, _| blob.version = 0)),
        ("version-2", changed(|blob, _| blob.version = 2)),
        ("version-as-little-endian", changed(|blob, _| blob.version = 1 << 24)),
        ("one-byte", cut(1)),
        ("cut-in-magic", cut(4)),
        ("cut-behind-magic", cut(6)),
        ("cut-in-version", cut(9)),
        ("cut-behind-version", cut(10)),
        ("cut-in-length-of-key", cut(12)),
        ("cut-in-key", cut(50)),
        ("cut-behind-key", cut(65)),
        ("cut-behind-namespace", cut(74)),
        ("cut-behind-reserved", cut(78)),
        ("cut-behind-hash", cut(88)),
        ("cut-in-signature", cut(right.len() - 30)),
        ("cut-by-one-byte", cut(right.len() - 1)),
        ("one-byte-behind", [&right[..], b"\0"].concat()),
        ("itself-behind", [&right[..], &right].concat()),
        ("line-break-behind", [&right[..], b"\n"].concat()),
        ("length-of-key-ffffffff", length(10, u32::MAX)),
        ("length-of-key-80000000", length(10, 1 << 31)),
        ("length-of-key-beyond-the-end", length(10, 1000)),
        ("length-of-signature-one-less", length(88, 82)),
        ("length-of-signature-one-more", length(88, 84)),
        ("reserved-not-empty", resigned(|blob| blob.reserved = b"x")),
        ("reserved-not-empty-unsigned", changed(|blob, _| blob.reserved = b"\0")),
        ("key-empty", changed(|blob, _| blob.key = Vec::new())),
        ("key-without-value", changed(|blob, _| blob.key = ssh(ED25519.as_bytes()))),
        ("key-cut", changed(|blob, _| blob.key.truncate(50))),
        ("key-and-byte-behind", changed(|blob, _| blob.key.push(0))),
        ("key-raw", changed(|blob, _| blob.key = key.as_bytes().to_vec())),
        ("signature-empty", changed(|blob, _| blob.signature = Vec::new())),
        ("signature-without-value", changed(|blob, _| blob.signature = ssh(ED25519.as_bytes()))),
        ("signature-value-cut", changed(|blob, _| blob.signature.truncate(82))),
        ("signature-and-byte-behind", changed(|blob, _| blob.signature.push(0))),
        ("armour", b"-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n".into()),
        ("raw-ed25519", test_key(1).sign(b"").to_bytes().to_vec()),
        ("minisign", [b"Ed", &[7; 72][..]].concat()),
        ("zeros", vec![0; 200]),
    ]
}

fn key_types() -> Vec<(&'static str, Vec<u8>)> {
    let key = |kind: &'static str, fields: &[&[u8]]| {
        let key = [ssh(kind.as_bytes()), fields.iter().map(|field| ssh(field)).collect::<Vec<_>>().concat()]
            .concat();
        changed(|blob, _| blob.key = key)
    };
    let value = |kind: &'static str, bytes: &[u8]| changed(|blob, _| blob.signature = typed(kind, bytes));
    let public = *test_key(1).verifying_key().as_bytes();
    let right = test_key(1).sign(b"").to_bytes();
    // Of 1,024 bits: the signature of a longer one does not fit into the line.
    let rsa = changed(|blob, _| {
        let fields = [&b"ssh-rsa"[..], &[1, 0, 1], &[&[0][..], &[0xc5; 128]].concat()];
        blob.key = fields.map(ssh).concat();
        blob.signature = typed("rsa-sha2-512", &[0x5c; 128]);
    });
    let point = [&[4][..], &[7; 64]].concat();
    let ecdsa = changed(|blob, _| {
        blob.key = [&b"ecdsa-sha2-nistp256"[..], b"nistp256", &point].map(ssh).concat();
        blob.signature =
            typed("ecdsa-sha2-nistp256", &[[7; 32], [8; 32]].map(|number| ssh(&number)).concat());
    });
    vec![
        ("rsa", rsa),
        ("ecdsa", ecdsa),
        ("rsa-key", key("ssh-rsa", &[&[1, 0, 1], &[0x5c; 128]])),
        ("ed448-key", key("ssh-ed448", &[&[7; 57]])),
        ("security-key", key("sk-ssh-ed25519@openssh.com", &[&public, b"ssh:"])),
        ("certificate", key("ssh-ed25519-cert-v01@openssh.com", &[&[9; 32], &public])),
        ("key-type-in-capitals", key("SSH-ED25519", &[&public])),
        ("key-type-empty", key("", &[&public])),
        ("key-type-longer", key("ssh-ed25519\0", &[&public])),
        ("key-31-bytes", key(ED25519, &[&public[1..]])),
        ("key-33-bytes", key(ED25519, &[&[&public[..], &[0]].concat()])),
        ("key-0-bytes", key(ED25519, &[&[]])),
        ("signature-type-rsa", value("rsa-sha2-512", &right)),
        ("signature-type-security-key", value("sk-ssh-ed25519@openssh.com", &right)),
        ("signature-type-in-capitals", value("SSH-ED25519", &right)),
        ("signature-63-bytes", value(ED25519, &right[..63])),
        ("signature-65-bytes", value(ED25519, &[&right[..], &[0]].concat())),
        ("signature-0-bytes", value(ED25519, &[])),
        ("signature-32-bytes", value(ED25519, &right[..32])),
    ]
}

fn unknown_keys() -> Vec<(&'static str, Vec<u8>)> {
    let digest = sha256(&message(&full()));
    let one = [&[1][..], &[0; 31]].concat();
    // With the neutral element as key, any message is signed by R = 1, S = 0.
    let small_order = changed(|blob, _| {
        blob.key = typed(ED25519, &one);
        blob.signature = typed(ED25519, &[&one[..], &[0; 32]].concat());
    });
    vec![
        ("third-key", Blob::new(&test_key(UNKNOWN), &digest).bytes()),
        ("small-order", small_order),
        ("zeros", changed(|blob, _| blob.key = typed(ED25519, &[0; 32]))),
        ("one-bit-changed", changed(|blob, _| flip(&mut blob.key, 15 + 5))),
        ("sign-bit-changed", changed(|blob, _| *blob.key.last_mut().unwrap_or(&mut 0) ^= 0x80)),
    ]
}

fn flip(bytes: &mut [u8], at: usize) {
    bytes[at] ^= 1;
}

fn bad() -> Vec<(&'static str, Vec<u8>)> {
    let message = message(&full());
    let value = 4 + ED25519.len() + 4; // where R begins
    let of = |signed: &[u8]| {
        changed(|blob, _| blob.signature = typed(ED25519, &test_key(1).sign(signed).to_bytes()))
    };
    let over = |message: &[u8]| Blob::new(&test_key(1), &sha256(message)).bytes();
    let made = |r: Scalar, encoded: [u8; 32]| {
        changed(|blob, digest| {
            blob.signature = typed(ED25519, &crafted(&test_key(1), r, encoded, &blob.block(digest)))
        })
    };
    let first = |byte: u8, rest: u8, last: u8| {
        let mut point = [rest; 32];
        point[0] = byte;
        point[31] = last;
        point
    };
    let r = Scalar::from_bytes_mod_order(sha256(b"mpota TEST NONCE, NOT SECRET"));
    let mixed = (ED25519_BASEPOINT_POINT * r + EIGHT_TORSION[1]).compress().to_bytes();
    let sum = plus_l(&changed(|_, _| ()));
    vec![
        ("r-changed", changed(|blob, _| flip(&mut blob.signature, value))),
        ("r-sign-changed", changed(|blob, _| blob.signature[value + 31] ^= 0x80)),
        ("s-changed", changed(|blob, _| flip(&mut blob.signature, value + 32))),
        ("s-plus-l", sum),
        ("s-high-bit", changed(|blob, _| blob.signature[value + 63] ^= 0x80)),
        ("s-zero", changed(|blob, _| blob.signature[value + 32..].fill(0))),
        ("r-zero", changed(|blob, _| blob.signature[value..value + 32].fill(0))),
        ("all-zero", changed(|blob, _| blob.signature[value..].fill(0))),
        ("all-ff", changed(|blob, _| blob.signature[value..].fill(0xff))),
        ("r-neutral", made(Scalar::ZERO, first(1, 0, 0))),
        ("r-neutral-not-canonical", made(Scalar::ZERO, first(0xee, 0xff, 0x7f))),
        ("r-neutral-with-sign", made(Scalar::ZERO, first(1, 0, 0x80))),
        ("r-with-torsion", made(r, mixed)),
        ("by-the-other-key", changed(|blob, digest| blob.sign(&test_key(2), digest))),
        ("by-an-unknown-key", changed(|blob, digest| blob.sign(&test_key(UNKNOWN), digest))),
        ("over-the-manifest-itself", of(&message)),
        ("over-the-hash-itself", of(&sha256(&message))),
        ("over-nothing", over(b"")),
        ("over-the-unsigned-manifest", over(full().as_bytes())),
        ("over-all-but-the-bracket", over(message.strip_suffix(b"],\n").unwrap_or_default())),
        ("over-all-but-the-line-break", over(message.strip_suffix(b"\n").unwrap_or_default())),
        ("over-another-manifest", over(&self::message(&small(&["main.py"])))),
        (
            "of-another-namespace",
            changed(|blob, digest| {
                blob.namespace = b"file";
                blob.sign(&test_key(1), digest);
                blob.namespace = b"mpota";
            }),
        ),
    ]
}

/// A signature with the given R, whose discrete logarithm is `r` but for a part of small order.
fn crafted(key: &SigningKey, r: Scalar, encoded: [u8; 32], message: &[u8]) -> Vec<u8> {
    let hash = Sha512::new()
        .chain_update(encoded)
        .chain_update(key.verifying_key())
        .chain_update(message)
        .finalize();
    let s = r + Scalar::from_bytes_mod_order_wide(&hash.into()) * key.to_scalar();
    [encoded, s.to_bytes()].concat()
}

/// The blob with L added to the S at its end.
fn plus_l(blob: &[u8]) -> Vec<u8> {
    let mut out = blob.to_vec();
    let from = out.len() - 32;
    let mut carry = 0;
    for (byte, l) in out[from..].iter_mut().zip(L) {
        let sum = u16::from(*byte) + u16::from(l) + carry;
        *byte = sum as u8;
        carry = sum >> 8;
    }
    assert_eq!(carry, 0);
    out
}
