//! What the pages say of the board is what its modules do.

#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::collections::BTreeSet;

/// What stands in quotes behind `before`, up to the end of that statement.
fn quoted(source: &str, before: &str) -> Vec<String> {
    let (_, rest) = source.split_once(before).unwrap();
    let statement = rest.split_once("\n\n").unwrap().0.split_once("\n#").map_or(rest, |(first, _)| first);
    let statement = statement.split_once("\n_").map_or(statement, |(first, _)| first);
    statement.split('"').skip(1).step_by(2).flat_map(str::split_whitespace).map(str::to_owned).collect()
}

#[test]
fn every_key_that_a_board_reads_stands_in_the_table_and_no_other() {
    let path = mpota_vboard::repository().join("device/mpota/config.py");
    let source = std::fs::read_to_string(path).unwrap();
    let mut read = BTreeSet::from(["keys".to_owned(), "limits".to_owned()]);
    for list in ["\n_TEXTS = ", "\n_FLAGS = ", "\n_COUNTS = ", "\n_AMOUNTS = "] {
        let names = quoted(&source, list);
        assert!(names.len() > 2, "{list}: {names:?}");
        read.extend(names);
    }
    let text = std::fs::read_to_string(mpota_vboard::repository().join("docs/config.md")).unwrap();
    let mut told = BTreeSet::new();
    for line in text.lines().filter(|l| l.starts_with("| `")) {
        let keys = line.split('|').nth(1).unwrap();
        told.extend(keys.split('`').skip(1).step_by(2).map(str::to_owned));
    }
    assert_eq!(read, told);
    assert!(told.len() > 15, "{told:?}");
    println!("  cases {}: keys of CONFIG", told.len());
}
