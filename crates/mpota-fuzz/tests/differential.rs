//! The Rust readers and the board's readers give the same verdict on every vector and on mutations of them.

#![allow(missing_docs, clippy::unwrap_used, reason = "these are tests")]

use mpota_fuzz::differ::{Differ, Kind};

/// Every vector, and so many mutations; what differs is printed as it would stand in a vector.
fn run(kind: Kind, rounds: usize) {
    let mut differ = Differ::new().unwrap();
    let vectors = kind.vectors();
    let mut differences: Vec<String> = Vec::new();
    for vector in &vectors {
        differences.extend(differ.compare(kind, vector).unwrap().err().map(|found| found.to_string()));
    }
    let (count, accepted, found) = differ.run(kind, 42, rounds, None).unwrap();
    differences.extend(found.iter().map(ToString::to_string));
    assert!(differences.is_empty(), "{} differences\n{}", differences.len(), differences.join("\n"));
    assert!(count == rounds && accepted * 100 > rounds, "hardly an input was taken: {accepted} of {rounds}");
    println!("  cases {}: {} read by both, {accepted} mutations taken", vectors.len() + count, kind.name());
}

#[test]
fn fault_42_both_readers_say_the_same_of_mutated_manifests() {
    run(Kind::Manifest, 3000);
}

#[test]
fn fault_42_both_readers_say_the_same_of_mutated_manifests_that_are_signed_again() {
    run(Kind::Signature, 1500);
}

#[test]
fn fault_42_both_readers_say_the_same_of_mutated_journal_records() {
    run(Kind::Journal, 3000);
}

#[test]
fn fault_42_both_readers_say_the_same_of_mutated_versions_and_their_order() {
    run(Kind::Version, 3000);
}

#[test]
fn fault_42_a_board_unpacks_what_rust_unpacks_of_mutated_packs_to_the_same_hash() {
    run(Kind::Pack, 3000);
}
