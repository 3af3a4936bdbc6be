//! Every command that a page tells is one that the program takes.

#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::path::{Path, PathBuf};

use clap::Parser;

use super::Cli;

fn pages(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => pages(&path, found),
            // Made from the program, with its own form for what may be left out.
            false if path.ends_with("commands.md") => {}
            false => found.extend(path.extension().is_some_and(|e| e == "md").then_some(path)),
        }
    }
}

/// The arguments of `mpota` in a line of a shell. Nothing on the pages has a space in it.
fn arguments(line: &str) -> Option<Vec<&str>> {
    let line = line.split(" # ").next().unwrap().trim();
    line.starts_with("mpota ").then(|| line.split_whitespace().map(|word| word.trim_matches('"')).collect())
}

#[test]
fn the_program_takes_every_command_of_the_pages() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut paths = vec![root.join("README.md")];
    pages(&root.join("docs"), &mut paths);
    let mut ran = 0;
    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap();
        let mut open = false;
        for line in text.lines() {
            // Blocks in a list are indented.
            let line = line.trim();
            open ^= line.starts_with("```");
            // mpota ca "ISRG Root X1" is the only one with words in quotes.
            let line = line.replace("\"ISRG Root X1\"", "X1");
            let Some(words) = open.then_some(line.as_str()).and_then(arguments) else { continue };
            if let Err(e) = Cli::try_parse_from(&words) {
                panic!("{}: {line}: {e}", path.display());
            }
            ran += 1;
        }
        assert!(!open, "{}: a block does not end", path.display());
    }
    println!("  cases {ran}: commands on the pages");
    assert!(ran > 20, "{ran}");
}
