//! Every vector of `spec/vectors`, each file of it. Run with `--nocapture` for the counts.

#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use mpota_format::journal::{self, Record};
use mpota_format::manifest::{Manifest, signed_part};
use mpota_format::report::{Report, ReportError};
use mpota_format::sshsig::{PublicKey, check};
use mpota_format::version::{Version, is_channel};
use serde_json::{Value, json};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../spec/vectors")
}

fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn text(path: &Path) -> String {
    String::from_utf8(read(path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The names in a folder, in order; there must be some.
fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let entries = entries.unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let names: BTreeSet<String> =
        entries.iter().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    assert!(!names.is_empty(), "{} is empty", folder.display());
    names
}

fn has_only(folder: &Path, known: &[&str]) {
    let known: BTreeSet<String> = known.iter().map(ToString::to_string).collect();
    assert_eq!(names(folder), known, "{}", folder.display());
}

/// Each case of `folder`, which holds the files `known` and no others.
fn cases(folder: &Path, known: &[&str], mut case: impl FnMut(&str, &Path)) -> usize {
    let names = names(folder);
    for name in &names {
        has_only(&folder.join(name), known);
        case(name, &folder.join(name));
    }
    names.len()
}

/// Each case of a folder in which some have the file `board`.
fn invalid_manifests(folder: &Path, mut case: impl FnMut(&str, &Path)) -> usize {
    let names = names(folder);
    for name in &names {
        let files = self::names(&folder.join(name));
        let needed = ["error", "manifest.json"].map(ToString::to_string);
        assert!(needed.iter().all(|file| files.contains(file)), "{name}");
        assert!(files.len() == 2 || (files.len() == 3 && files.contains("board")), "{name}: {files:?}");
        case(name, &folder.join(name));
    }
    names.len()
}

fn expected(case: &Path) -> String {
    text(&case.join("error")).trim_end().to_owned()
}

#[test]
fn no_folder_is_without_a_test() {
    // `ed25519` is for the board's own arithmetic, `rollout` in a file of its own.
    let folders =
        [".gitattributes", "ed25519", "journal", "manifest", "report", "rollout", "signature", "version"];
    has_only(&root(), &folders);
}

#[test]
fn manifests_are_taken_and_refused_as_the_vectors_say() {
    let root = root().join("manifest");
    has_only(&root, &["invalid", "valid"]);
    let mut wrong = Vec::new();
    let valid = cases(&root.join("valid"), &["facts.json", "manifest.json"], |name, case| {
        let bytes = read(&case.join("manifest.json"));
        let manifest = match Manifest::parse(&bytes) {
            Ok(manifest) => manifest,
            Err(error) => return wrong.push(format!("{name}: {error}")),
        };
        let facts: Value = serde_json::from_slice(&read(&case.join("facts.json"))).unwrap();
        let mut found = json!({
            "version": manifest.header.version.as_str(),
            "project": manifest.header.project,
            "files": manifest.files.len(),
            "bytes": manifest.files.iter().map(|file| file.size).sum::<u64>(),
            "kept": manifest.files.iter().filter(|file| file.keep).count(),
            "signed": manifest.signature.is_some(),
        });
        if !manifest.header.compiled().is_empty() {
            found["compiled"] = json!(manifest.header.compiled());
        }
        if manifest.header.rollout() {
            found["rollout"] = json!(true);
        }
        assert_eq!(found, facts, "{name}");
        assert!(manifest.to_bytes().unwrap() == bytes, "{name} is written differently");
        let json: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(
            json["files"].as_array().unwrap().len(),
            manifest.files.len(),
            "{name} is not the same JSON"
        );
    });
    let mut lax = 0;
    let invalid = invalid_manifests(&root.join("invalid"), |name, case| {
        if case.join("board").exists() {
            assert_eq!(text(&case.join("board")), "may accept\n", "{name}");
            let shared = name.starts_with("layout-asset-twice");
            // More brackets in a hook's path than a board reads.
            let nested = name == "hook-brackets-behind-an-escape";
            assert!(
                shared || nested || ["header", "entry"].contains(&&*expected(case)),
                "{name}: a board must refuse it"
            );
            lax += 1;
        }
        let found = Manifest::parse(&read(&case.join("manifest.json")));
        let found = found.map_or_else(|error| format!("{} ({error})", error.code()), |_| "taken".into());
        if found.split(' ').next() != Some(&expected(case)) {
            wrong.push(format!("{name}: {found} instead of {}", expected(case)));
        }
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(lax * 2 < invalid, "a board may accept {lax} of {invalid}");
    println!("  cases {lax}: manifests that a board may accept");
    println!("vectors manifest {}", valid + invalid);
}

#[test]
fn signatures_are_taken_and_refused_as_the_vectors_say() {
    let root = root().join("signature");
    has_only(&root, &["invalid", "keys", "valid"]);
    let keys: Vec<PublicKey> =
        text(&root.join("keys")).lines().map(|line| PublicKey::parse_line(line).unwrap()).collect();
    assert_eq!(keys.len(), 2);
    let valid = cases(&root.join("valid"), &["manifest.json"], |name, case| {
        let bytes = read(&case.join("manifest.json"));
        let manifest = Manifest::parse(&bytes).unwrap();
        assert_eq!(manifest.signed_bytes().unwrap(), signed_part(&bytes), "{name}");
        let checked = check(&bytes, &keys).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(
            keys.iter().any(|key| key.fingerprint() == checked.fingerprint && key.comment == checked.comment)
        );
        assert_eq!(check(&bytes, &[]).unwrap_err().code(), "sig-unknown-key", "{name}");
    });
    let mut wrong = Vec::new();
    let invalid = cases(&root.join("invalid"), &["error", "manifest.json"], |name, case| {
        let bytes = read(&case.join("manifest.json"));
        Manifest::parse(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        let found = check(&bytes, &keys).map_or_else(|error| error.code(), |_| "taken");
        if found != expected(case) {
            wrong.push(format!("{name}: {found} instead of {}", expected(case)));
        }
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("vectors signature {}", valid + invalid);
}

#[test]
fn versions_are_ordered_and_refused_as_the_vectors_say() {
    let root = root().join("version");
    has_only(&root, &["channel", "invalid", "no-channel", "order"]);
    let order = text(&root.join("order"));
    let steps: Vec<Vec<Version>> =
        order.lines().map(|line| line.split(' ').map(|v| Version::parse(v).unwrap()).collect()).collect();
    for (i, a) in steps.iter().enumerate() {
        for (j, b) in steps.iter().enumerate() {
            for (a, b) in a.iter().flat_map(|a| b.iter().map(move |b| (a, b))) {
                assert_eq!(a.cmp(b), i.cmp(&j), "{a} and {b}");
            }
        }
    }
    let invalid = text(&root.join("invalid"));
    for line in invalid.lines() {
        assert!(Version::parse(line).is_err(), "{line:?} is taken");
    }
    assert!(!steps.is_empty() && invalid.lines().next().is_some());
    let mut channels = 0;
    for (file, expected) in [("channel", true), ("no-channel", false)] {
        for line in text(&root.join(file)).lines() {
            assert_eq!(is_channel(line), expected, "{line:?}");
            channels += 1;
        }
    }
    println!("vectors channel {channels}");
    assert!(channels > 20);
    println!("vectors version {}", steps.len() + invalid.lines().count());
}

fn values(record: &Record) -> Value {
    json!({
        "mpota": record.format,
        "seq": record.seq,
        "state": record.state.as_str(),
        "version": record.version,
        "next": record.next,
        "plan": record.plan,
        "boots": record.boots,
        "wakes": record.wakes,
        "tries": record.tries,
        "most": record.most,
        "secs": record.secs,
        "wait": record.wait,
        "hook": u8::from(record.hook),
        "repair": u8::from(record.repair),
        "early": u8::from(record.early),
        "bad": record.bad,
        "again": record.again,
        "since": record.since,
        "why": record.why,
    })
}

#[test]
fn journals_are_read_as_the_vectors_say() {
    let root = root().join("journal");
    has_only(&root, &["invalid", "valid"]);
    let files = names(&root.join("valid"));
    let mut count = 0;
    for name in files.iter().filter(|name| !name.ends_with(".json")) {
        let bytes = read(&root.join("valid").join(name));
        let facts = format!("{name}.json");
        assert!(files.contains(&facts), "{facts} is missing");
        let record = Record::parse(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        let facts: Value = serde_json::from_slice(&read(&root.join("valid").join(facts))).unwrap();
        assert_eq!(values(&record), facts, "{name}");
        assert_eq!(journal::newest(None, Some(&bytes)), Some(record), "{name}");
        count += 1;
    }
    assert_eq!(files.len(), 2 * count, "a file of {files:?} belongs to no record");
    for name in names(&root.join("invalid")) {
        let bytes = read(&root.join("invalid").join(&name));
        assert!(Record::parse(&bytes).is_err(), "{name} is taken");
        assert_eq!(journal::newest(Some(&bytes), Some(&bytes)), None, "{name}");
        count += 1;
    }
    println!("vectors journal {count}");
}

/// What was read, with the keys that were there.
fn said(report: &Report) -> Value {
    let Report { id, version, state, bad, why, micropython, board, flash, memory, boots } = report;
    let mut all = json!({
        "id": id, "version": version, "state": state, "bad": bad, "why": why, "micropython": micropython,
        "board": board, "flash": flash, "memory": memory, "boots": boots,
    });
    all.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    all
}

#[test]
fn reports_are_taken_and_refused_as_the_vectors_say() {
    let root = root().join("report");
    has_only(&root, &["invalid", "valid"]);
    let mut wrong = Vec::new();
    let valid = cases(&root.join("valid"), &["facts.json", "header"], |name, case| {
        let facts: Value = serde_json::from_slice(&read(&case.join("facts.json"))).unwrap();
        match Report::parse(&read(&case.join("header"))) {
            Ok(report) => assert_eq!(said(&report), facts, "{name}"),
            Err(error) => wrong.push(format!("{name}: {error}")),
        }
    });
    let mut codes = BTreeSet::new();
    let invalid = cases(&root.join("invalid"), &["error", "header"], |name, case| {
        let found = Report::parse(&read(&case.join("header"))).map_or_else(ReportError::code, |_| "taken");
        codes.insert(found);
        if found != expected(case) {
            wrong.push(format!("{name}: {found} instead of {}", expected(case)));
        }
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(codes, ReportError::ALL.iter().map(|error| error.code()).collect(), "a code without a case");
    // Boards write reports and read none: not among the vectors that both suites count.
    println!("  cases {}: vectors of reports", valid + invalid);
}
