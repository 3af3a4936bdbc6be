//! Every vector of rollouts, and what a fleet makes of one. Run with `--nocapture` for the counts.

#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use mpota_format::rollout::{Asked, FOREVER, Rollout, Stage, draw, is_within, signed_part, signer};
use mpota_format::sshsig::PublicKey;
use mpota_format::version::Version;
use serde_json::{Value, json};

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../spec/vectors")
}

fn keys() -> Vec<PublicKey> {
    let text = fs::read_to_string(vectors().join("signature/keys")).unwrap();
    text.lines().map(|line| PublicKey::parse_line(line).unwrap()).collect()
}

/// The files of each case in a folder, by its name.
fn cases(kind: &str) -> BTreeMap<String, BTreeMap<String, Vec<u8>>> {
    let name = |entry: &fs::DirEntry| entry.file_name().into_string().unwrap();
    let list = |folder: &Path| fs::read_dir(folder).unwrap().map(Result::unwrap).collect::<Vec<_>>();
    let files = |folder: &Path| {
        list(folder).iter().map(|entry| (name(entry), fs::read(entry.path()).unwrap())).collect()
    };
    let root = vectors().join("rollout").join(kind);
    list(&root).iter().map(|entry| (name(entry), files(&entry.path()))).collect()
}

/// What the board of a case makes of its file.
fn read(files: &BTreeMap<String, Vec<u8>>) -> Result<Rollout, String> {
    let context: Value = serde_json::from_slice(&files["context.json"]).unwrap();
    let keys = if context["keys"].as_bool().unwrap() { keys() } else { Vec::new() };
    let asked = Asked {
        version: context["version"].as_str().unwrap(),
        project: context["project"].as_str().unwrap(),
        keys: &keys,
        now: context["now"].as_u64().unwrap(),
        number: context["number"].as_u64().unwrap(),
    };
    Rollout::read(&files["rollout.json"], &asked).map_err(|error| error.code().to_owned())
}

#[test]
fn rollouts_are_taken_and_refused_as_the_vectors_say() {
    let mut wrong = Vec::new();
    let valid = cases("valid");
    for (name, files) in &valid {
        assert_eq!(files.len(), 3, "{name}");
        let rollout = match read(files) {
            Ok(rollout) => rollout,
            Err(code) => {
                wrong.push(format!("{name}: {code}"));
                continue;
            }
        };
        let found = json!({
            "version": rollout.version.as_str(),
            "project": rollout.project,
            "number": rollout.number,
            "until": rollout.until,
            "halted": rollout.halted,
            "stages": rollout.stages.iter().map(|s| json!([s.from, s.percent])).collect::<Vec<_>>(),
            "boards": rollout.boards,
            "signed": rollout.signature.is_some(),
        });
        let facts: Value = serde_json::from_slice(&files["facts.json"]).unwrap();
        assert_eq!(found, facts, "{name}");
        let bytes = &files["rollout.json"];
        assert!(rollout.to_bytes().unwrap() == *bytes, "{name} is written differently");
        if rollout.signature.is_some() {
            assert_eq!(rollout.signed_bytes().unwrap(), signed_part(bytes), "{name}");
        }
    }
    let invalid = cases("invalid");
    let mut codes = BTreeSet::new();
    let mut lax = 0;
    for (name, files) in &invalid {
        let expected = String::from_utf8(files["error"].clone()).unwrap().trim_end().to_owned();
        match files.get("board") {
            None => assert_eq!(files.len(), 3, "{name}"),
            Some(board) => {
                assert_eq!((files.len(), &**board), (4, &b"may accept\n"[..]), "{name}");
                assert_eq!(expected, "form", "{name}: a board must refuse it");
                lax += 1;
            }
        }
        let found = read(files).map_or_else(|code| code, |_| "taken".into());
        if found != expected {
            wrong.push(format!("{name}: {found} instead of {expected}"));
        }
        codes.insert(expected);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let spec = fs::read_to_string(vectors().join("../rollout.md")).unwrap();
    let (_, table) = spec.split_once("# Errors").unwrap();
    let rows = table.lines().take_while(|line| !line.starts_with("Then,"));
    let named = rows.filter_map(|line| line.strip_prefix("| `")?.split_once('`').map(|(code, _)| code));
    let signature =
        ["unsigned", "sig-form", "sig-key-type", "sig-namespace", "sig-hash", "sig-unknown-key", "sig-bad"];
    let all: BTreeSet<String> = named.chain(signature).map(str::to_owned).collect();
    assert_eq!(all, codes, "each code of the spec has a vector");
    println!("  cases {}: codes of a rollout, {lax} vectors that a board may accept", codes.len());
    println!("vectors rollout {}", valid.len() + invalid.len());
}

#[test]
fn boards_decide_as_the_vectors_say() {
    let text = fs::read_to_string(vectors().join("rollout/decisions")).unwrap();
    let mut count = 0;
    for line in text.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let stages = row["stages"].as_array().unwrap().iter();
        let stages =
            stages.map(|s| Stage { from: s[0].as_u64().unwrap(), percent: s[1].as_u64().unwrap() as u8 });
        let boards = row["boards"].as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned());
        let rollout = Rollout {
            halted: row["halted"].as_bool().unwrap(),
            stages: stages.collect(),
            boards: boards.collect(),
            ..of(row["version"].as_str().unwrap(), 0)
        };
        assert!(rollout.to_bytes().is_ok(), "{line}");
        let decision = rollout.decide(row["id"].as_str().unwrap(), row["now"].as_u64().unwrap());
        assert_eq!(decision.takes(), row["takes"].as_bool().unwrap(), "{decision:?} of {line}");
        count += 1;
    }
    println!("vectors decisions {count}");
    assert!(count >= 60);
}

/// A rollout of a version to so many percent.
fn of(version: &str, percent: u8) -> Rollout {
    Rollout {
        project: Some("octo/weather".into()),
        version: Version::parse(version).unwrap(),
        number: 1,
        until: FOREVER,
        halted: false,
        stages: vec![Stage { from: 0, percent }],
        boards: Vec::new(),
        signature: None,
    }
}

/// Ids as chips have them: of one batch, so that they differ in few digits.
fn fleet() -> Vec<String> {
    (0..1000_u64).map(|n| format!("{:016x}", 0xe661_4c31_1b00_0000 + n * 7)).collect()
}

fn taking(version: &str, percent: u8) -> BTreeSet<String> {
    let rollout = of(version, percent);
    fleet().into_iter().filter(|id| rollout.decide(id, 1_795_000_000).takes()).collect()
}

#[test]
fn fault_83_a_fleet_of_1000_takes_a_version_at_5_25_and_100_percent_and_nobody_drops_out() {
    assert_eq!(fleet().iter().collect::<BTreeSet<_>>().len(), 1000);
    for version in ["v1.2.0", "v1.2.1", "v2.0.0-rc.1", "1.0.0+b"] {
        let shares = [0, 5, 25, 100].map(|percent| taking(version, percent));
        assert!(shares[0].is_empty() && shares[3].len() == 1000, "{version}");
        assert!(shares.is_sorted_by(|a, b| a.is_subset(b)), "{version}: a board drops out");
        // Three standard deviations of 1,000 draws.
        assert!((29..=71).contains(&shares[1].len()), "{version}: {} at 5 percent", shares[1].len());
        assert!((209..=291).contains(&shares[2].len()), "{version}: {} at 25 percent", shares[2].len());
        println!(
            "  cases 4000: boards that decide, {version}: {:?} take it at 0, 5, 25 and 100 percent",
            shares.map(|share| share.len())
        );
    }
    let ids = fleet();
    for percent in 0..100 {
        let more = ids
            .iter()
            .all(|id| !is_within(draw("v1.2.0", id), percent) || is_within(draw("v1.2.0", id), percent + 1));
        assert!(more, "at {percent} percent");
    }
}

#[test]
fn fault_83_each_version_begins_with_other_boards() {
    let versions: Vec<String> = (0..20).map(|n| format!("v1.{n}.0")).collect();
    let first: Vec<_> = versions.iter().map(|version| taking(version, 5)).collect();
    let mut pairs = 0;
    for (i, a) in first.iter().enumerate() {
        for b in &first[i + 1..] {
            let both = a.intersection(b).count();
            // By chance 5 percent of 5 percent are in both: 2.5 of 1,000.
            assert!(both <= 12, "{both} boards begin with both versions");
            pairs += 1;
        }
    }
    let most =
        fleet().iter().map(|id| first.iter().filter(|share| share.contains(id)).count()).max().unwrap();
    println!("  cases {pairs}: pairs of versions; nobody begins more than {most} of 20");
    assert!(pairs == 190 && most <= 7);
}

#[test]
fn the_signer_is_told_whoever_trusts_it() {
    let of = |name: &str| signer(&cases("valid")[name]["rollout.json"]).map(|key| key.fingerprint());
    let keys = keys();
    assert_eq!(of("signed"), Ok(keys[0].fingerprint()));
    assert_eq!(of("signed-by-the-second-key"), Ok(keys[1].fingerprint()));
    assert_eq!(of("everything").unwrap_err().code(), "unsigned");
    assert_eq!(of("signature-not-looked-at").unwrap_err().code(), "sig-form");
    let changed = signer(&cases("invalid")["sig-bad-until-changed"]["rollout.json"]);
    assert_eq!(changed.unwrap_err().code(), "sig-bad");
}
