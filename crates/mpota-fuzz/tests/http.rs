//! The board's HTTP client on mutated answers, on a real MicroPython with 64 KB of heap.

#![allow(missing_docs, clippy::unwrap_used, reason = "these are tests")]

use mpota_fuzz::http::run;

#[test]
fn fault_17_mutated_answers_end_in_what_was_read_or_in_an_error_of_the_updater() {
    let rounds = 4000;
    let (count, fine, findings) = run(17, rounds, None).unwrap();
    assert!(findings.is_empty(), "{} findings\n{}", findings.len(), findings.join("\n"));
    assert!(count == rounds && fine * 20 > rounds, "hardly an answer was taken: {fine} of {count}");
    println!("  cases {count}: mutated answers to the board's client, {fine} without an error");
}
