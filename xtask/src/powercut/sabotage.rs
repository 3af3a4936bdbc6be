//! The harness is proved able to see: the updater is broken on purpose, and that has to show.

use super::{Arguments, SCENARIOS, cell, in_parallel, number, print_row};
use anyhow::{Context, Result, ensure};
use mpota_vboard::{FileSystem, MicroPython, Word};

/// A way to break the updater on purpose: its name, where the break shows, and the replacement.
pub struct Sabotage {
    /// Its name on the command line.
    pub name: &'static str,
    scenario: &'static str,
    /// First cuts, or turned bits; 0: all.
    first: u64,
    /// (file, what to replace, by what), each of which must apply.
    pub changes: &'static [(&'static str, &'static str, &'static str)],
}

/// All of them.
pub const SABOTAGES: &[Sabotage] = &[
    Sabotage {
        name: "no-commit-record",
        scenario: "every-file",
        first: 40,
        // Nothing says that the exchange has begun: neither this record, nor the check at the next start,
        // which goes on where it finds a file in its new place.
        changes: &[
            ("ota_swap.py", "    write(state=\"swapping\")\n", ""),
            (
                "ota_steps.py",
                "return file_hash(HOME + \"new/\" + n) == h or file_hash(ROOT + path) == h",
                "return file_hash(HOME + \"new/\" + n) == h",
            ),
        ],
    },
    Sabotage {
        name: "steps-exchanged",
        scenario: "undo-after-crash",
        first: 16,
        changes: &[(
            "ota_swap.py",
            "for op in steps():\n            changed",
            "for op in steps(True):\n            changed",
        )],
    },
    Sabotage {
        name: "no-record-crc",
        scenario: "digits-turned",
        first: 0,
        changes: &[
            ("ota_journal.py", " or line != b\"%08x %s\\n\" % (crc32(text), text):", ":"),
            (
                "ota_updater.py",
                "if crc != b\"%08x \" % crc32(text[:-1]) or text[-1:] != b\"\\n\":",
                "if not text:",
            ),
        ],
    },
    Sabotage {
        name: "no-hash-of-staged-files",
        scenario: "bits-turned",
        first: 80,
        changes: &[
            (
                "ota_steps.py",
                "return file_hash(HOME + \"new/\" + n) == h or file_hash(ROOT + path) == h",
                "return True",
            ),
            // Nor is the installed file looked at: it counts as there once the staged one is gone.
            (
                "ota_steps.py",
                "    if file_hash(path) == h:\n        return False\n    if file_hash(new) != h:",
                "    if kind(new) != 0x8000:\n        return False\n    if False:",
            ),
        ],
    },
    Sabotage {
        name: "version-written-first",
        scenario: "every-file",
        first: 40,
        changes: &[(
            "ota_swap.py",
            "    log(\"I\", \"installing %s\" % r[\"next\"])\n",
            "    tell(r[\"next\"], True)\n",
        )],
    },
    Sabotage {
        name: "nothing-said",
        scenario: "write-errors",
        first: 40,
        changes: &[(
            "ota_updater.py",
            "    except OtaError:\n        raise\n",
            "    except Exception:\n        return None\n",
        )],
    },
];

/// The harness sees an updater that is broken on purpose.
pub fn check_sabotages(a: &Arguments) -> Result<()> {
    let micropython = MicroPython::find(Word::Bits64)?;
    let results = in_parallel(SABOTAGES, |sabotage| {
        let a = Arguments {
            quick: false,
            sabotage: Some(sabotage.name.into()),
            file_systems: vec![FileSystem::Lfs],
            first: Some(sabotage.first),
            second: Some(1),
            ..a.clone()
        };
        let scenario = SCENARIOS.iter().find(|s| s.name == sabotage.scenario).context("no such scenario")?;
        Ok((scenario, cell(&micropython, scenario, FileSystem::Lfs, &a)?))
    });
    for (sabotage, result) in SABOTAGES.iter().zip(results) {
        let (scenario, cell) = result?;
        println!("\nbroken on purpose: {}", sabotage.name);
        print_row(scenario.name, "lfs", &cell);
        ensure!(
            ["silent", "mixed", "dead"].iter().any(|k| number(&cell, k) > 0),
            "the updater was broken ({}), and nothing was seen",
            sabotage.name
        );
    }
    println!("\n{} ways to break it, all of them seen", SABOTAGES.len());
    Ok(())
}
