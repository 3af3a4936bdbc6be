//! Faults 26 to 31 of faults.md, a sample of each; `cargo xtask powercut` runs all of it.

use super::{Arguments, SCENARIOS, cell, number};
use mpota_vboard::{FileSystem, MicroPython, Word};

/// A sample of one cell; the counts by name.
fn sample(scenario: &str, fs: FileSystem, seed: u64) -> impl Fn(&str) -> u64 {
    run(scenario, fs, &Arguments { quick: true, seed, second: Some(8), ..Arguments::default() })
}

/// One cell, in which nothing may go wrong; the counts by name.
fn run(scenario: &str, fs: FileSystem, a: &Arguments) -> impl Fn(&str) -> u64 + use<> {
    let micropython = MicroPython::find(Word::Bits64).expect("MicroPython");
    let scenario = SCENARIOS.iter().find(|s| s.name == scenario).expect("a scenario of the table");
    let counts = cell(&micropython, scenario, fs, a).expect("the harness");
    assert_eq!(number(&counts, "silent") + number(&counts, "mixed") + number(&counts, "dead"), 0, "{counts}");
    assert!(number(&counts, "online") > 0, "{counts}");
    move |key| number(&counts, key)
}

#[test]
fn fault_26_a_cut_at_a_write_of_download_swap_trial_confirm_undo_and_clean_up() {
    let mut cuts = 0;
    for fs in [FileSystem::Lfs, FileSystem::LfsSmall] {
        for scenario in ["every-file", "undo-after-crash"] {
            let count = sample(scenario, fs, 26);
            assert!(count("writes") > 30 && count("first") > 3, "{scenario}");
            cuts += count("first");
        }
    }
    println!("  cases {cuts}: first cuts");
}

#[test]
fn fault_60_cuts_while_kept_and_changed_files_are_installed_or_undone() {
    let mut cuts = 0;
    for fs in [FileSystem::Lfs, FileSystem::Fat] {
        for scenario in ["kept-files", "kept-files-undone", "changed-on-the-board"] {
            let count = sample(scenario, fs, 60);
            assert!(count("writes") > 30 && count("first") > 3, "{scenario}");
            cuts += count("first") + count("second");
        }
    }
    println!("  cases {cuts}: cuts");
}

#[test]
fn fault_27_second_and_third_cuts_during_the_recovery() {
    let (mut second, mut third) = (0, 0);
    for seed in 0..4 {
        let count = sample("undo-after-crash", FileSystem::Fat, seed);
        second += count("second");
        third += count("third");
    }
    assert!(second > 10 && third > 0, "{second} second cuts, {third} third cuts");
    println!("  cases {}: second and third cuts", second + third);
}

#[test]
fn fault_28_the_last_write_is_torn_or_overtaken_by_the_next() {
    let count = sample("main.py", FileSystem::Lfs, 28);
    assert!(count("torn") > 0);
    // LittleFS does not sync between the end of a file's data and the entry that names it.
    let all = Arguments { like: Some("overtaken".into()), second: Some(1), ..Arguments::default() };
    let overtaken = run("small-change", FileSystem::Lfs, &all)("reordered");
    assert!(overtaken > 0);
    println!("  cases {}: torn or overtaken writes", count("torn") + overtaken);
}

/// A file whose data were overtaken by the entry that names it is corrupt, and LittleFS then gives no
/// block to anybody: neither the exchange nor the journal would ever go on.
#[test]
fn fault_28_a_corrupt_file_of_the_updater_is_in_nobodys_way() {
    let a = Arguments { like: Some("overtaken".into()), second: Some(1), ..Arguments::default() };
    let (mut overtaken, mut boots) = (0, 0);
    for (name, fs) in [
        ("updater-to-newer", FileSystem::LfsSmall),
        ("undo-after-crash", FileSystem::LfsSmall),
        ("updater-compiled", FileSystem::Lfs),
    ] {
        let count = run(name, fs, &a);
        overtaken += count("reordered");
        boots += count("boots");
    }
    assert!(overtaken > 50 && boots > overtaken, "{overtaken}");
    println!("  cases {overtaken}: writes overtaken by the next");
}

#[test]
fn fault_30_a_write_or_a_read_of_the_flash_fails() {
    let (writes, reads) =
        (sample("write-errors", FileSystem::Lfs, 30), sample("read-errors-1", FileSystem::Lfs, 30));
    assert!(writes("faults") > 6 && reads("faults") > 0);
    println!("  cases {}: reads and writes that failed", writes("faults") + reads("faults"));
}

#[test]
fn fault_30_memory_runs_out_at_a_call() {
    let count = sample("memory-errors", FileSystem::Lfs, 30);
    assert!(count("faults") > 3);
    println!("  cases {}: calls without memory", count("faults"));
}

#[test]
fn fault_31_a_bit_turns_after_staging() {
    let a = Arguments { first: Some(60), ..Arguments::default() };
    let (mut damaged, mut lost) = (0, 0);
    for fs in [FileSystem::Lfs, FileSystem::Fat] {
        for name in ["bits-turned", "bits-turned-undo"] {
            let count = run(name, fs, &a);
            assert!(count("damaged") > 20, "{name}");
            // The version to go back to cannot be whole without its backup; nothing else may be lost.
            assert!(count("lost") == 0 || name == "bits-turned-undo", "{name}");
            damaged += count("damaged");
            lost += count("lost");
        }
    }
    assert!(lost > 0);
    println!("  cases {damaged}: turned bits");
}
