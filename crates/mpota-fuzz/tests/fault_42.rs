//! Line 42 of the list of faults: every mutation of what we read is an error or the same meaning, never a panic.
//! Short runs with a fixed number to start from; `cargo xtask fuzz` runs long, led by coverage.

#![allow(missing_docs, clippy::unwrap_used, reason = "these are tests")]

use mpota_fuzz::mutate::Mutator;
use mpota_fuzz::targets::{ALL, Target};

/// Runs a target on its seeds, and on so many mutations of them; some of both must be taken and some refused.
fn run(name: &str, rounds: usize) {
    let target: &Target = ALL.iter().find(|target| target.name == name).unwrap();
    let seeds = (target.seeds)();
    let mut taken = [0, 0];
    let mut count = |bytes: &[u8]| {
        let result = std::panic::catch_unwind(|| (target.run)(bytes));
        match result {
            Ok(accepted) => taken[usize::from(accepted)] += 1,
            Err(_) => panic!("{name} fails on {} bytes: {:?}", bytes.len(), String::from_utf8_lossy(bytes)),
        }
    };
    seeds.iter().for_each(|seed| count(seed));
    let mut mutator = Mutator::new(42, target.words);
    for _ in 0..rounds {
        let mut input = mutator.input(&seeds);
        if let Some(repair) = target.repair
            && mutator.once_in(2)
        {
            input = repair(&input);
        }
        count(&input);
    }
    assert!(taken[1] * 200 > rounds, "{name}: hardly an input was taken: {taken:?}");
    assert!(taken[0] * 20 > rounds, "{name}: hardly an input was refused: {taken:?}");
    println!("  cases {}: {name}, mutations and seeds, {} taken", taken[0] + taken[1], taken[1]);
}

#[test]
fn fault_42_a_mutated_manifest_is_refused_or_written_again_to_the_same_bytes() {
    run("manifest", 12_000);
}

#[test]
fn fault_42_a_mutated_pack_is_refused_or_unpacks_to_the_size_it_claims() {
    run("pack", 20_000);
}

#[test]
fn fault_42_a_mutated_journal_record_does_not_count_or_says_the_same_again() {
    run("journal", 20_000);
}

#[test]
fn fault_42_a_mutated_signature_is_refused_or_is_by_a_trusted_key_over_these_bytes() {
    run("signature", 2_000);
}

#[test]
fn fault_42_a_mutated_rollout_is_refused_or_written_again_to_the_same_bytes_and_counts_by_its_signature_only()
{
    run("rollout", 4_000);
}

#[test]
fn fault_42_mutated_versions_paths_and_keys_are_refused_or_say_the_same_again() {
    run("text", 20_000);
}

#[test]
fn fault_42_a_mutated_report_is_refused_or_says_the_same_again() {
    run("report", 20_000);
}

#[test]
fn fault_42_mutated_requests_get_no_panic_and_nothing_from_outside_of_the_folder() {
    run("serve", 6_000);
}
