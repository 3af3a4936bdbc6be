//! Line 5 of the list of faults: what is too much is refused at once, by the computer and by a board with little
//! memory.

#![allow(missing_docs, clippy::unwrap_used, reason = "these are tests")]

use std::time::{Duration, Instant};

use mpota_fuzz::board::Board;
use mpota_fuzz::differ::{Differ, Kind};
use mpota_fuzz::verdict;
use mpota_vboard::{Word, repository};

/// A file line for the n-th of many files, without its end.
fn file(n: usize, place: &str) -> String {
    let zeros = "0".repeat(64);
    format!("{{\"path\":\"f{n:06}\",\"size\":0,\"sha256\":\"{zeros}\",\"crc32\":\"00000000\",{place}}}")
}

const HEAD: &str = "{\"mpota\":1,\"version\":\"v1.0.0\",\"pack\":{\"asset\":\"a\",\"size\":0},\"files\":[\n";
const PLACE: &str = "\"offset\":0,\"length\":0";

fn many(count: usize) -> String {
    let files: Vec<String> = (0..count).map(|n| file(n, PLACE)).collect();
    format!("{HEAD}{}\n]}}\n", files.join(",\n"))
}

/// A manifest with one file whose `what` is replaced.
fn with(what: &str, by: &str) -> String {
    let whole = many(1);
    assert!(whole.contains(what), "{what}");
    whole.replacen(what, by, 1)
}

/// A name, the manifest, and the code that it is refused with.
fn cases() -> Vec<(String, String, &'static str)> {
    let mut cases: Vec<(String, String, &'static str)> = Vec::new();
    let mut case = |name: &str, manifest: String, code| cases.push((name.to_owned(), manifest, code));
    let megabyte = 1_000_000;
    case("a line of 1 MB as the first", "x".repeat(megabyte), "not-a-manifest");
    case("a header of 1 MB", with("v1.0.0", &"1".repeat(megabyte)), "line-too-long");
    case("a path of 1 MB", with("f000000", &"p".repeat(megabyte)), "line-too-long");
    case("1 MB behind a file", with("]}\n", &"]".repeat(megabyte)), "ending");
    let signature = format!("],\n\"signature\":\"{}\"}}\n", "A".repeat(megabyte));
    case("a signature of 1 MB", with("]}\n", &signature), "line-too-long");
    case("1 MB of line breaks", with("]}\n", &"\n".repeat(megabyte)), "ending");
    case("100,000 files", many(100_000), "too-large");
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let deep = |n: usize| format!("{}0{}", open.repeat(n), close.repeat(n));
        let most = 160 / (open.len() + close.len());
        case(
            &format!("a size nested {most} deep in {open}"),
            with("\"size\":0,\"sha", &format!("\"size\":{},\"sha", deep(most))),
            "entry",
        );
        let most = 900 / (open.len() + close.len());
        case(&format!("a version nested {most} deep in {open}"), with("\"v1.0.0\"", &deep(most)), "header");
        let open_only = with("\"v1.0.0\"", &open.repeat(900 / open.len()));
        case(&format!("{open} without an end"), open_only, "header");
    }
    for number in [
        "9".repeat(300),
        format!("1e{}", "9".repeat(200)),
        format!("-{}", "9".repeat(300)),
        "1e300".into(),
        "1e-999999999".into(),
        "0x10".into(),
        "NaN".into(),
        "Infinity".into(),
        format!("0.{}", "0".repeat(250)),
    ] {
        let short: String = number.chars().take(8).collect();
        case(
            &format!("a size of {short}"),
            with("\"size\":0,\"sha", &format!("\"size\":{number},\"sha")),
            "entry",
        );
        case(
            &format!("`created` of {short}"),
            with(",\"pack\"", &format!(",\"created\":{number},\"pack\"")),
            "header",
        );
    }
    case(
        "an offset of 300 digits",
        with("\"offset\":0", &format!("\"offset\":{}", "9".repeat(300))),
        "layout",
    );
    case(
        "a format of 900 digits",
        with("\"mpota\":1", &format!("\"mpota\":{}", "9".repeat(900))),
        "format-version",
    );
    case("a number of a version of 60 digits", with("v1.0.0", &"9".repeat(60)), "version");
    for (key, code) in [
        ("\"version\":\"v1.0.0\",", "header"),
        ("\"mpota\":1,", "header"),
        ("\"size\":0,\"sha256", "entry"),
        ("\"path\":\"f000000\",", "entry"),
    ] {
        let twice = key.replace("\"sha256", "") + key;
        case(&format!("{} twice", key.split(':').next().unwrap()), with(key, &twice), code);
    }
    cases
}

#[test]
fn fault_05_what_is_too_much_is_refused_at_once_by_the_computer() {
    let cases = cases();
    for (name, manifest, code) in &cases {
        let begun = Instant::now();
        assert_eq!(verdict::manifest(manifest.as_bytes(), None), *code, "{name}");
        assert!(begun.elapsed() < Duration::from_secs(3), "{name}: {:?}", begun.elapsed());
    }
    println!("  cases {}: nesting, numbers, lines and files beyond all bounds, on the computer", cases.len());
}

#[test]
fn fault_05_what_is_too_much_is_refused_at_once_by_a_board_with_48_kb_free() {
    let cases = cases();
    let keys = repository().join("spec/vectors/signature/keys").display().to_string();
    let mut board = Board::new("fuzz_reader.py", Word::Bits32, "1M", &[&keys, "49152"]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("manifest.json");
    for (name, manifest, code) in &cases {
        std::fs::write(&path, manifest).unwrap();
        let begun = Instant::now();
        let said = board.ask("file", path.to_str().unwrap().as_bytes()).unwrap();
        let lax = verdict::may_differ(code, &said, manifest.as_bytes());
        assert!(said == *code || lax, "{name}: {said} instead of {code}");
        assert!(begun.elapsed() < Duration::from_secs(20), "{name}: {:?}", begun.elapsed());
    }
    println!("  cases {}: nesting, numbers, lines and files beyond all bounds, on a board", cases.len());
}

#[test]
fn fault_05_a_thousand_assets_are_read_by_a_board_with_128_kb_free() {
    let files: Vec<String> = (0..1000).map(|n| file(n, &format!("\"asset\":\"f{n:06}.py\""))).collect();
    let head = "{\"mpota\":1,\"version\":\"v1.0.0\",\"files\":[\n";
    let manifest = format!("{head}{}\n]}}\n", files.join(",\n"));
    let keys = repository().join("spec/vectors/signature/keys").display().to_string();
    let mut board = Board::new("fuzz_reader.py", Word::Bits32, "1M", &[&keys, "131072"]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("manifest.json");
    std::fs::write(&path, &manifest).unwrap();
    let said = board.ask("file", path.to_str().unwrap().as_bytes()).unwrap();
    assert_eq!(said, verdict::manifest(manifest.as_bytes(), None));
    assert!(said.starts_with("valid v1.0.0 - 1000 "), "{said}");
    println!("  cases 1: as many assets as GitHub lets a release have");
}

#[test]
fn fault_05_no_mutated_manifest_takes_more_memory_than_a_board_has() {
    let mut differ = Differ::with_little_memory(65536).unwrap();
    let mut count = 0;
    for kind in [Kind::Manifest, Kind::Signature] {
        let (rounds, accepted, found) = differ.run(kind, 5, 1000, None).unwrap();
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert!(found.is_empty() && accepted > 0, "{}", found.join("\n"));
        count += rounds;
    }
    println!("  cases {count}: mutated manifests, on a board with 64 KB free");
}
