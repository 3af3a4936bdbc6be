use super::*;
use crate::limits;
use crate::path::asset_names;

fn plain(paths: &[&str]) -> Manifest {
    let file = |(path, name): (&&str, String)| FileEntry {
        path: (*path).to_owned(),
        size: 10,
        sha256: [0xab; 32],
        crc32: 0x1234,
        place: Place::Asset { name },
        keep: false,
        more: More::new(),
    };
    let files = paths.iter().zip(asset_names(paths)).map(file).collect();
    Manifest { header: Header::new("v1.0.0".parse().unwrap()), files, signature: None }
}

fn number(number: u64) -> MoreValue {
    MoreValue::One(MoreItem::Number(number))
}

fn refused(manifest: &Manifest) -> (&'static str, usize) {
    let error = manifest.to_bytes().unwrap_err();
    (error.code(), error.line())
}

#[test]
fn the_signed_part_ends_before_the_last_line() {
    assert_eq!(signed_part(b"a\n],\nsig\n"), b"a\n],\n");
    assert_eq!(signed_part(b"a\n],\nsig"), b"a\n],\n");
    assert_eq!(signed_part(b"sig\n"), b"");
    assert_eq!(signed_part(b""), b"");
}

#[test]
fn sorted_files_come_by_key() {
    let mut files = plain(&["b", "a/z", "A-b"]).files;
    sort_files(&mut files);
    assert_eq!(files.iter().map(|f| f.path.as_str()).collect::<Vec<_>>(), ["a/z", "A-b", "b"]);
}

#[test]
fn what_is_signed_does_not_depend_on_the_signature() {
    let mut manifest = plain(&["a", "b"]);
    let unsigned = manifest.signed_bytes().unwrap();
    manifest.signature = Some("AAAA".into());
    assert_eq!(manifest.signed_bytes().unwrap(), unsigned);
    assert_eq!(signed_part(&manifest.to_bytes().unwrap()), unsigned);
}

#[test]
fn what_cannot_be_read_is_not_written() {
    assert_eq!(refused(&plain(&[])), ("entry", 2));
    assert_eq!(refused(&plain(&["b", "a"])), ("path-order", 3));
    assert_eq!(refused(&plain(&["a", "../b"])), ("path", 3));
    assert_eq!(refused(&plain(&["x".repeat(4000).as_str()])), ("path", 2));
    let with = |change: fn(&mut Manifest)| {
        let mut manifest = plain(&["a", "b"]);
        change(&mut manifest);
        refused(&manifest)
    };
    assert_eq!(with(|m| m.header.project = Some(String::new())), ("header", 1));
    assert_eq!(with(|m| m.header.project = Some("a/\"b".into())), ("header", 1));
    assert_eq!(with(|m| m.header.created = Some(0)), ("header", 1));
    assert_eq!(with(|m| m.header.requires.platform = vec![String::new()]), ("header", 1));
    assert_eq!(with(|m| m.header.requires.board = vec!["\"".into()]), ("header", 1));
    assert_eq!(with(|m| m.header.needs = vec!["A".into()]), ("header", 1));
    assert_eq!(with(|m| m.header.needs = vec!["delta".into()]), ("needs", 1));
    assert_eq!(with(|m| drop(m.header.more.insert("A".into(), number(1)))), ("header", 1));
    assert_eq!(with(|m| drop(m.files[1].more.insert("a".into(), number(10_000_000_000)))), ("entry", 3));
    assert_eq!(with(|m| drop(m.files[1].more.insert("a".into(), MoreValue::Many(Vec::new())))), ("entry", 3));
    assert_eq!(with(|m| m.header.pack = Some(Pack { asset: "p".into(), size: 0 })), ("entry", 2));
    assert_eq!(with(|m| m.header.hooks.rollback = Some("c".into())), ("hook", 1));
    let kept_hook = |m: &mut Manifest| {
        m.header.hooks.rollback = Some("b".into());
        m.files[1].keep = true;
    };
    assert_eq!(with(kept_hook), ("hook", 1));
    assert_eq!(with(|m| m.files[1].size = limits::FILE + 1), ("entry", 3));
    assert_eq!(with(|m| m.files[1].place = Place::Packed { offset: 0, length: 1 }), ("entry", 3));
    assert_eq!(with(|m| m.files[1].place = m.files[0].place.clone()), ("layout", 3));
    assert_eq!(with(|m| m.signature = Some("A".into())), ("signature", 5));
    assert_eq!(with(|m| m.signature = Some("AAAA\"}\n".into())), ("signature", 5));
    assert_eq!(with(|m| m.signature = Some("AAAA".repeat(300))), ("line-too-long", 5));
}

#[test]
fn errors_name_the_line_and_what_is_wrong_there() {
    let bytes = plain(&["a", "b"]).to_bytes().unwrap();
    let text = String::from_utf8(bytes).unwrap().replacen(
        "\"path\":\"b\",\"size\":10",
        "\"path\":\"b\",\"size\":1e1",
        1,
    );
    let error = Manifest::parse(text.as_bytes()).unwrap_err();
    assert_eq!((error.kind(), error.line()), (Code::Entry, 3));
    assert_eq!(error.to_string(), "entry in line 3: not `,\"sha256\":` at byte 21");
    assert_eq!(error.detail(), "not `,\"sha256\":` at byte 21");
}

#[test]
fn a_manifest_of_exactly_the_largest_size_is_taken() {
    let names: Vec<String> = (0..16_100).map(|i| format!("{i:05}")).collect();
    let mut manifest = plain(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let mut missing = limits::MANIFEST - manifest.to_bytes().unwrap().len();
    for file in &mut manifest.files {
        let pad = missing.min(limits::PATH - file.path.len());
        file.path.push_str(&"p".repeat(pad));
        missing -= pad;
    }
    assert_eq!(missing, 0);
    let mut bytes = manifest.to_bytes().unwrap();
    assert_eq!(bytes.len(), limits::MANIFEST);
    bytes.push(b'\n');
    assert_eq!(Manifest::parse(&bytes).unwrap_err().kind(), Code::TooLarge);
}

#[test]
fn the_codes_are_those_of_the_spec_in_its_order() {
    let spec = include_str!("../../../../spec/manifest.md");
    let table = spec.split("## Errors").nth(1).unwrap().split("\n# ").next().unwrap();
    let codes: Vec<&str> =
        table.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    assert_eq!(codes, Code::ALL.map(Code::as_str));
}

#[test]
fn what_is_needed_is_told_by_name() {
    let line =
        "{\"mpota\":1,\"version\":\"v1.0.0\",\"needs\":[\"firmware\",\"delta\"],\"x\":null,\"files\":[\n";
    let error = Manifest::parse(line.as_bytes()).unwrap_err();
    assert_eq!((error.kind(), error.line()), (Code::Needs, 1));
    assert_eq!(error.to_string(), "needs an updater that knows: firmware, delta");
    assert_eq!(error.unknown(), ["firmware", "delta"]);
    let requires =
        line.replace("\"needs\":[\"firmware\",\"delta\"]", "\"requires\":{\"mpy\":\"6\",\"flash\":4}");
    let error = Manifest::parse(requires.as_bytes()).unwrap_err();
    assert_eq!(error.to_string(), "needs an updater that knows: requires.flash");
    assert_eq!(error.unknown(), ["requires.flash"]);
    assert!(Manifest::parse(b"x").unwrap_err().unknown().is_empty());
}

#[test]
fn the_spec_names_the_limits() {
    let spec = include_str!("../../../../spec/manifest.md");
    let table = spec.split("## Limits").nth(1).unwrap().split("\n## ").next().unwrap();
    let numbers: Vec<u64> = table
        .lines()
        .filter_map(|line| {
            line.strip_prefix("| ")?.split("| ").nth(1)?.split(' ').next()?.replace(',', "").parse().ok()
        })
        .collect();
    let lines = [limits::HEADER_LINE, limits::FILE_LINE, limits::SIGNATURE_LINE].map(|line| line as u64);
    assert_eq!(numbers, [&[limits::MANIFEST as u64][..], &lines, &[limits::FILE]].concat());
}
