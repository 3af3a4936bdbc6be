//! What the pages say of the board is what its modules do.

#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::collections::BTreeSet;

/// The words in quotes that stand right behind `before` in a text.
fn quoted_behind(text: &str, before: &str) -> Vec<String> {
    let starts = text.match_indices(before).map(|(at, _)| &text[at + before.len()..]);
    starts.filter_map(|rest| rest.split_once('"')).map(|(word, _)| word.to_owned()).collect()
}

#[test]
fn every_key_that_a_board_reads_stands_in_the_table_and_no_other() {
    let mut read = BTreeSet::new();
    for (name, source) in mpota_vboard::agent_files().unwrap() {
        let source = String::from_utf8(source).unwrap();
        for before in ["config.get(\"", "settings.get(\"", "config[\"", " {}, \""] {
            read.extend(quoted_behind(&source, before));
        }
        if source.contains("get = config.get") || source.contains("get = settings.get") {
            for before in [" get(\"", "(get(\""] {
                read.extend(quoted_behind(&source, before));
            }
        }
        if name == "ota_update.py" {
            let (_, limits) = source.split_once("count(limits, *x) for x in (").unwrap();
            read.extend(quoted_behind(limits.lines().next().unwrap(), "(\""));
        }
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
