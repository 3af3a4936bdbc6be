//! `cargo xtask faults`: the tests of `spec/faults`, a line for each fault.

use anyhow::{Context, Result, ensure};
use mpota_vboard::repository;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// What the tests of the faults did, read from the output of `cargo test -- --show-output`.
#[derive(Debug, Default)]
pub struct Faults {
    tests: BTreeMap<u32, Vec<(String, bool)>>,
    /// By the test's name; a test that does not count is one case.
    cases: BTreeMap<String, u64>,
}

/// The fault that a test is named after: `path::fault_NN_claim`.
fn number(test: &str) -> Option<u32> {
    test.rsplit("::").next()?.strip_prefix("fault_")?.split('_').next()?.parse().ok()
}

impl Faults {
    /// Take in the output of test runs.
    pub fn read(&mut self, output: &str) {
        let mut inside = None;
        for line in output.lines() {
            if let Some(name) = line.strip_prefix("---- ").and_then(|l| l.strip_suffix(" stdout ----")) {
                inside = number(name).map(|_| name.to_owned());
            } else if let Some(rest) = line.strip_prefix("test ") {
                let Some((name, how)) = rest.split_once(" ... ") else { continue };
                let Some(number) = number(name) else { continue };
                self.tests.entry(number).or_default().push((name.to_owned(), how == "ok"));
            } else if let (Some(name), Some(rest)) = (&inside, line.strip_prefix("  cases ")) {
                let count = rest.split(|c: char| !c.is_ascii_digit()).next().and_then(|n| n.parse().ok());
                *self.cases.entry(name.clone()).or_default() += count.unwrap_or(0);
            }
        }
    }

    /// Print a line for each fault of the table; an error where one has no test, or a test that failed.
    pub fn report(&self) -> Result<()> {
        let path = repository().join("spec/faults");
        let table = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let (mut bad, mut known, mut all) = (Vec::new(), BTreeSet::new(), 0);
        for line in table.lines() {
            let (number, title) = line.split_once(' ').with_context(|| format!("spec/faults: {line}"))?;
            let number: u32 = number.parse().with_context(|| format!("spec/faults: {line}"))?;
            let none = Vec::new();
            let tests = self.tests.get(&number).unwrap_or(&none);
            let cases: u64 = tests.iter().map(|(name, _)| self.cases.get(name).copied().unwrap_or(1)).sum();
            let failed = tests.iter().filter(|(_, ok)| !ok).count();
            println!("{number:>3}  {cases:>7} cases, {} tests, {failed} failed: {title}", tests.len());
            if tests.is_empty() || failed > 0 || cases == 0 {
                bad.push(number.to_string());
            }
            known.insert(number);
            all += cases;
        }
        let unknown: Vec<_> = self.tests.keys().filter(|n| !known.contains(n)).collect();
        ensure!(unknown.is_empty(), "tests of faults that are not in spec/faults: {unknown:?}");
        ensure!(bad.is_empty(), "without a test, or with one that failed: {}", bad.join(", "));
        println!("{} faults, {all} cases, none skipped", known.len());
        Ok(())
    }
}

/// Run the tests that are named after a fault.
pub fn run(_: &[String]) -> Result<()> {
    crate::test::tools(&[])?;
    let out = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .current_dir(repository())
        .args(["test", "--workspace", "--no-fail-fast", "fault_", "--", "--show-output"])
        .output()
        .context("cannot start cargo")?;
    let text = String::from_utf8_lossy(&out.stdout);
    if !out.status.success() {
        print!("{text}{}", String::from_utf8_lossy(&out.stderr));
    }
    let mut faults = Faults::default();
    faults.read(&text);
    faults.report()?;
    ensure!(out.status.success(), "tests failed");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_counted_by_the_number_in_their_name() {
        let mut faults = Faults::default();
        faults.read(
            "test fault_07_a ... ok\ntest x::fault_07_b ... FAILED\ntest fault_1_c ... ok\ntest other ... ok\n\
             ---- fault_07_a stdout ----\n  cases 12: of something\n  cases 3: more\n\n---- other stdout ----\n  cases 9: x\n",
        );
        assert_eq!(faults.tests[&7], [("fault_07_a".into(), true), ("x::fault_07_b".into(), false)]);
        assert_eq!(faults.cases, BTreeMap::from([("fault_07_a".into(), 15)]));
        assert_eq!((number("fault_1_c"), number("default_2_x"), number("fault_x")), (Some(1), None, None));
    }

    #[test]
    fn a_fault_without_a_test_is_a_failure() {
        assert!(Faults::default().report().is_err());
    }
}
