//! Faults 1 to 5: what a stranger, or a key for something else, may not do.

use crate::keys::Key;
use crate::rig::{Rig, Seen, Setup, is_pack};
use mpota_vboard::repository;
use serde_json::json;

/// Nothing of the pack was asked of the host that has it.
fn no_file_was_fetched(seen: &Seen, name: &str) {
    assert!(!seen.asked.is_empty(), "{name}");
    assert!(!seen.asked.iter().any(|a| a.host == 1 && is_pack(a)), "{name}: {:#?}", seen.asked);
    assert!(!seen.output.contains("got "), "{name}");
}

/// The bytes that lie in the updater's directory beyond what was there before.
fn kept(seen: &Seen) -> u64 {
    seen.tree
        .iter()
        .filter(|(p, _)| p.starts_with("/.ota/new/"))
        .filter_map(|(_, f)| Some(f.as_ref()?.0))
        .sum()
}

#[test]
fn fault_01_one_bit_of_the_manifest_is_refused_before_any_file_is_fetched() {
    let rig = Rig::new();
    let good = rig.manifest();
    let mut ran = 0;
    // All over it: header, paths, numbers, hashes, line ends, signature.
    for at in (0..good.len()).step_by(good.len() / 36) {
        let mut bad = good.clone();
        bad[at] ^= 1 << (at % 8);
        rig.offer(bad);
        let name = format!("bit {} of byte {at}", at % 8);
        let words = ["refused", "has a manifest of", "not a version", "older than", "release of"];
        no_file_was_fetched(&rig.attack(&name, &words), &name);
        ran += 1;
    }
    println!("  cases {ran}: bits of the manifest");
    assert!(ran > 30);
}

/// The order of the group, little-endian.
const L: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// S + L: the same point, so a check that does not bound S takes it.
fn s_plus_l(mut signature: [u8; 64]) -> Vec<u8> {
    let mut carry = 0;
    for (byte, add) in signature[32..].iter_mut().zip(L) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        *byte = sum as u8;
        carry = sum >> 8;
    }
    signature.to_vec()
}

#[test]
fn fault_02_signatures_that_are_bad_short_long_or_not_canonical() {
    let vectors = repository().join("spec/vectors/signature");
    let keys = std::fs::read_to_string(vectors.join("keys")).unwrap();
    let mut list: Vec<String> = keys.lines().map(str::to_owned).collect();
    list.push(Key::new(1).line());
    let rig = Setup::default().set("keys", &format!("{list:?}")).rig();
    let mut ran = 0;

    // Over this very manifest, and wrong in R or S.
    type Change = fn([u8; 64]) -> Vec<u8>;
    let changes: [(&str, Change); 9] = [
        ("S plus L", s_plus_l),
        ("S zero", |s| [&s[..32], &[0; 32]].concat()),
        ("S high bit", |mut s| {
            s[63] |= 0x80;
            s.to_vec()
        }),
        ("R neutral", |s| [&[1][..], &[0; 31], &s[32..]].concat()),
        ("R neutral, not canonical", |s| [&[0xee][..], &[0xff; 30], &[0x7f], &s[32..]].concat()),
        ("R neutral with sign", |s| [&[1][..], &[0; 30], &[0x80], &s[32..]].concat()),
        ("R sign", |mut s| {
            s[31] ^= 0x80;
            s.to_vec()
        }),
        ("all zero", |_| vec![0; 64]),
        ("all ff", |_| vec![0xff; 64]),
    ];
    for (name, change) in changes {
        rig.offer(rig.key.sign_and_change("mpota", &rig.manifest(), change));
        no_file_was_fetched(&rig.attack(name, &["not made over these bytes"]), name);
        ran += 1;
    }

    // Of the wrong form: the signature lines of the vectors, at the end of this manifest.
    for (name, word) in [
        ("sig-form-cut-in-signature", "cut short"),
        ("sig-form-one-byte", "not an SSH signature"),
        ("sig-form-one-byte-behind", "left over"),
        ("sig-form-length-of-key-ffffffff", "cut short"),
        ("sig-form-raw-ed25519", "not an SSH signature"),
        ("sig-form-reserved-not-empty", "reserved"),
        ("sig-key-type-signature-63-bytes", "wrong length"),
        ("sig-key-type-signature-65-bytes", "wrong length"),
        ("sig-key-type-key-31-bytes", "wrong length"),
        ("sig-key-type-rsa-key", "only ssh-ed25519"),
        ("sig-unknown-key-small-order", "does not trust"),
        ("sig-unknown-key-zeros", "does not trust"),
        ("sig-hash-sha512", "hashalg=sha256"),
        ("sig-bad-by-the-other-key", "not made over these bytes"),
    ] {
        let vector =
            std::fs::read_to_string(vectors.join("invalid").join(name).join("manifest.json")).unwrap();
        let good = String::from_utf8(rig.manifest()).unwrap();
        let (mine, other) = (good.lines().next_back().unwrap(), vector.lines().next_back().unwrap());
        assert!(other.starts_with("\"signature\""), "{name}");
        rig.offer(good.replace(mine, other).into_bytes());
        no_file_was_fetched(&rig.attack(name, &[word]), name);
        ran += 1;
    }
    println!("  cases {ran}: signatures");
    assert_eq!(ran, 23);
}

#[test]
fn fault_03_an_unknown_key_and_one_that_was_removed() {
    let (old, new) = (Key::new(1), Key::new(9));
    let both = format!("['{}', '{}']", old.line(), new.line());
    let rig = Setup::default().set("keys", &both).rig();
    rig.offer(Key::new(7).sign(&rig.manifest()));
    no_file_was_fetched(&rig.attack("unknown", &["a key that this board does not trust"]), "unknown");
    rig.offer(rig.manifest()[..rig.manifest().len() - 1].to_vec());
    rig.attack("cut", &["cut short"]);

    // The old key is taken out: what it signed is refused, what the new one signs is taken.
    rig.configure("keys", &format!("['{}']", new.line()));
    let seen = rig.refused("removed", &["a key that this board does not trust"], &json!({}));
    no_file_was_fetched(&seen, "removed");
    rig.offer(new.sign(&rig.manifest()));
    rig.updates("signed by the new key");
    println!("  cases 3: keys");
}

#[test]
fn fault_04_another_namespace_project_or_format() {
    let rig = Rig::new();
    let good = rig.manifest();
    let mut ran = 0;
    for namespace in ["file", "git", "", "mpota2", "MPOTA"] {
        rig.offer(rig.key.sign_for(namespace, &good));
        let seen = rig.attack(namespace, &["another purpose than mpota"]);
        no_file_was_fetched(&seen, namespace);
        ran += 1;
    }
    for (from, to, word) in [
        ("octo/weather\"", "octo/pump\"", "is a release of octo/pump"),
        ("\"project\":\"octo/weather\",", "", "does not say which project"),
        ("{\"mpota\":1,", "{\"mpota\":2,", "format-version"),
        ("{\"mpota\":1,", "{\"mpota\":10000000000000000000000,", "format-version"),
    ] {
        rig.offer_signed(|text| text.replace(from, to));
        no_file_was_fetched(&rig.attack(to, &[word]), to);
        ran += 1;
    }
    println!("  cases {ran}: signatures that are good, but for something else");
    assert_eq!(ran, 9);
}

/// A manifest in v1.1.0's name with this many more file lines.
fn many_files(good: &str, count: usize, signed: &Key) -> Vec<u8> {
    let mut text = good.lines().next().unwrap().to_owned() + "\n";
    for i in 0..count {
        let hash = format!("{i:064x}");
        let comma = if i + 1 == count { "" } else { "," };
        text += &format!(
            "{{\"path\":\"d/{i:06}\",\"size\":9,\"sha256\":\"{hash}\",\"crc32\":\"00000000\",\"offset\":{},\"length\":9}}{comma}\n",
            i * 9
        );
    }
    signed.sign((text + "]}\n").as_bytes())
}

/// The same without a pack, and with an asset that comes twice.
fn many_assets(good: &str, count: usize, signed: &Key) -> Vec<u8> {
    let text = String::from_utf8(many_files(good, count, signed)).unwrap();
    let mut lines = text.lines();
    let header = lines.next().unwrap();
    let mut out = header[..header.find("\"pack\"").unwrap()].to_owned() + "\"files\":[\n";
    for (i, line) in lines.take(count).enumerate() {
        let end = if line.ends_with(',') { "," } else { "" };
        // Small files share blocks: these do not.
        let line = line[..line.find("\"offset\"").unwrap()].replace("\"size\":9,", "\"size\":4000,");
        out += &format!("{line}\"asset\":\"asset-{:06}\"}}{end}\n", (i + 1) % count);
    }
    let last = format!("asset-{:06}", 0);
    out = out.replace(&last, "asset-000001");
    signed.sign((out + "]}\n").as_bytes())
}

#[test]
fn fault_05_manifests_made_to_fill_memory_and_flash() {
    let rig = Rig::new();
    let good = String::from_utf8(rig.manifest()).unwrap();
    let header = good.lines().next().unwrap().to_owned() + "\n";
    let last = good.lines().rfind(|l| l.starts_with("{\"path\"")).unwrap();
    let mut ran = 0;
    let mut most = 0;
    let deep = |n: usize| "[".repeat(n);
    for signed in [true, false] {
        let key = Key::new(if signed { 1 } else { 66 });
        let cases: Vec<(&str, Vec<u8>, &str)> = vec![
            (
                "duplicate version",
                good.replace("\"pack\":", "\"version\":\"v9.9.9\",\"pack\":").into(),
                "has a manifest of v9.9.9",
            ),
            (
                "nested header",
                good.replace("\"pack\":", &format!("\"x\":{},\"pack\":", deep(600))).into(),
                "header in line 1",
            ),
            ("nested file", good.replace(last, &format!("{{\"path\":{}", deep(480))).into(), "entry"),
            (
                "huge size",
                good.replace("\"size\":", &format!("\"size\":{}", "9".repeat(200))).into(),
                "header in line 1",
            ),
            (
                "huge number in a file",
                good.replace(last, &last.replace("\"size\":", &format!("\"size\":{}", "9".repeat(200))))
                    .into(),
                "entry",
            ),
            (
                "header line of 1 MB",
                header.replace("\"pack\":", &format!("\"{}\":1,\"pack\":", "x".repeat(1 << 20))).into(),
                "line-too-long",
            ),
            (
                "file line of 1 MB",
                (header.clone() + "{\"path\":\"" + &"x".repeat((1 << 20) - 5000) + "\"}\n").into(),
                "line-too-long",
            ),
            (
                "1 MB without a line end",
                (header.clone() + &"x".repeat(1 << 20)).into(),
                "cut short|line-too-long|no space left",
            ),
            ("4097 files", many_files(&good, 4097, &key), "layout"),
            // An asset that comes twice is no harm: there is no room for so many files.
            ("2000 assets", many_assets(&good, 2000, &key), "of flash needed"),
            ("100000 files", many_files(&good, 100_000, &key), "no space left"),
        ];
        for (name, manifest, word) in cases {
            // A stranger's is refused for want of a signature, wherever it gets that far.
            let mut words: Vec<&str> = word.split('|').collect();
            if !signed {
                words.extend(["does not trust", "not made over", "signed releases only", "cut short"]);
            }
            rig.offer(if signed { key.sign(&manifest) } else { manifest });
            let seen = rig.attack(name, &words);
            no_file_was_fetched(&seen, name);
            assert_eq!(kept(&seen), 0, "{name}: left in /.ota/new");
            most = most.max(seen.run.writes);
            ran += 1;
        }
    }
    println!(
        "  cases {ran}: oversized and malformed manifests; at most {most} writes of the flash, nothing kept"
    );
    assert_eq!(ran, 22);
}

/// The smallest heap, in KB, in which the board's log has `word` in it.
fn smallest(rig: &mut Rig, word: &str) -> u32 {
    let (mut low, mut high) = (50, 187);
    while high - low > 1 {
        let middle = (low + high) / 2;
        rig.board.set_heap(&format!("{middle}K"));
        let works = rig.board.run().is_ok_and(|run| run.output.contains(word));
        rig.rewind();
        if works { high = middle } else { low = middle }
    }
    high
}

#[test]
fn fault_05_a_strangers_manifest_takes_less_memory_than_a_good_release() {
    let mut rig = Rig::new();
    let good = String::from_utf8(rig.manifest()).unwrap();
    let stranger = Key::new(66);
    let header = good.lines().next().unwrap().to_owned() + "\n";
    let needed = smallest(&mut rig, "v1.1.0 is installed");
    let mut ran = 0;
    let mut most = 0;
    for (name, manifest, word) in [
        ("4096 files", many_files(&good, 4096, &stranger), "does not trust"),
        ("100000 files", many_files(&good, 100_000, &stranger), "no space left"),
        ("1 MB", (header.clone() + &"x".repeat(1 << 20)).into_bytes(), "cut short"),
        ("nested", (header + &"[".repeat(500) + "\n]}\n").into_bytes(), "signed releases only"),
    ] {
        rig.offer(manifest);
        let heap = smallest(&mut rig, word);
        assert!(heap <= needed, "{name}: {heap} KB, a good release {needed} KB");
        most = most.max(heap);
        ran += 1;
    }
    println!(
        "  cases {ran}: manifests of strangers in at most {most} KB of heap, a good release in {needed} KB"
    );
    assert_eq!(ran, 4);
}
