//! `cargo xtask firmware`: the updater on MicroPython of every minor version that it is written for.
//!
//! # Layout
//!
//! - [`interpreter`]: the MicroPythons, and how one of them boots a folder
//! - [`update`]: releases, servers, and what a board made of them
//! - [`docs`]: the tables in `docs/boards.md`

mod docs;
mod interpreter;
mod update;

use anyhow::{Context, Result, bail, ensure};
use interpreter::{Facts, Firmware, Source};
use mpota_vboard::bench::Agent;
use mpota_vboard::clients;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use update::{Counts, World};

/// So many interpreters run at a time.
const AT_A_TIME: usize = 2;

/// One interpreter, and what was done with it.
struct Done {
    firmware: Firmware,
    facts: Facts,
    counts: Counts,
}

impl Done {
    fn line(&self) -> String {
        let c = &self.counts;
        let certificates = match (c.accepted, c.rejected) {
            (0, 0) => "certificates are not checked".to_owned(),
            (accepted, rejected) => format!("certificates {accepted} accepted, {rejected} refused"),
        };
        format!(
            "{:<26} {:<28} {} bit: {} unit tests passed, {} boots, {} updates kept, {} undone, {certificates}",
            self.firmware.name(),
            self.facts.build,
            self.facts.word,
            c.tests,
            c.boots,
            c.kept,
            c.undone
        )
    }
}

/// Get every interpreter.
pub fn install() -> Result<()> {
    interpreter::all().iter().try_for_each(Firmware::install)
}

/// Run the matrix: `[--only VERSION] [--write-docs]`.
pub fn run(args: &[String]) -> Result<()> {
    let (mut only, mut write) = (None, false);
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--only" => only = Some(args.next().context("--only which version? 1.22, for example")?.as_str()),
            "--write-docs" => write = true,
            other => bail!("cargo xtask firmware [--only VERSION] [--write-docs], and not {other}"),
        }
    }
    ensure!(only.is_none() || !write, "--write-docs wants all of the matrix");
    let report = matrix(only)?;
    if only.is_none() {
        docs::place(&report.tables, write)?;
    }
    println!("{}", report.sum());
    Ok(())
}

/// What came of the matrix.
struct Report {
    done: Vec<Done>,
    /// Boards of firmware that lacks something.
    lacks: usize,
    /// For `docs/boards.md`, of what was run.
    tables: String,
}

impl Report {
    fn sum(&self) -> String {
        let sum = |count: fn(&Counts) -> u32| self.done.iter().map(|d| count(&d.counts)).sum::<u32>();
        format!(
            "{} interpreters, {} boots, {} updates kept, {} undone, {} boards of firmware that lacks something",
            self.done.len(),
            sum(|c| c.boots),
            sum(|c| c.kept),
            sum(|c| c.undone),
            self.lacks
        )
    }
}

fn matrix(only: Option<&str>) -> Result<Report> {
    let chosen: Vec<_> =
        interpreter::all().into_iter().filter(|f| only.is_none_or(|o| f.minor == o)).collect();
    ensure!(!chosen.is_empty(), "there is no version {} in the matrix", only.unwrap_or_default());
    let world = World::new()?;
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    let Some(firmware) = chosen.get(n) else { return };
                    let result = one(&world, firmware);
                    match &result {
                        Ok(done) => println!("{}", done.line()),
                        Err(_) => println!("{:<26} FAILED, see below", firmware.name()),
                    }
                    if let Ok(mut results) = results.lock() {
                        results.push((n, result));
                    }
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap_or_default();
    results.sort_by_key(|(n, _)| *n);
    ensure!(results.len() == chosen.len(), "not all of the matrix was run");
    let (mut done, mut failed) = (Vec::new(), Vec::new());
    for (n, result) in results {
        match result {
            Ok(one) => done.push(one),
            Err(e) => failed.push(format!("{}: {e:#}", chosen[n].name())),
        }
    }
    ensure!(failed.is_empty(), "{} of {} failed:\n{}", failed.len(), chosen.len(), failed.join("\n"));
    let tests = done.first().map_or(0, |d| d.counts.tests);
    ensure!(done.iter().all(|d| d.counts.tests == tests), "not every version has run the same unit tests");
    // What a firmware may lack is tried on the newest one, by hiding it.
    let newest = clients::FIRMWARE.last();
    let newest = done.iter().find(|d| matches!(d.firmware.source, Source::Web(v) if Some(&v) == newest));
    let lacks = newest.map_or(Ok(Vec::new()), |d| docs::lacks(&world, &d.firmware))?;
    ensure!(only.is_some() || !lacks.is_empty(), "the newest version is not in the matrix");
    let rows: Vec<String> = done.iter().map(|d| docs::row(&d.firmware, &d.facts)).collect();
    let tables = docs::text(&rows, &lacks);
    Ok(Report { done, lacks: lacks.len(), tables })
}

/// All that is done with one interpreter.
fn one(world: &World, firmware: &Firmware) -> Result<Done> {
    firmware.install()?;
    let facts = firmware.facts()?;
    if let Source::Unix(suite, _) = firmware.source {
        // A suite that is not released gets newer versions; an older one is another package.
        let found = facts.build.trim_start_matches('v').split('.').nth(1).and_then(|n| n.parse::<u32>().ok());
        let wanted = firmware.minor.split('.').nth(1).and_then(|n| n.parse::<u32>().ok());
        let fits = if suite == "trixie" { found == wanted } else { found >= wanted };
        ensure!(fits, "{} is {}", firmware.name(), facts.build);
    }
    let mut counts = Counts::default();
    update::unit_tests(firmware, &mut counts)?;
    update::kept_and_undone(world, firmware, Agent::Py, &mut counts)?;
    let agent = if facts.mpy { Agent::Mpy } else { Agent::Py };
    update::certificates(world, firmware, agent, &mut counts)?;
    let none = [counts.tests, counts.boots.into(), counts.kept.into(), counts.undone.into()].contains(&0);
    ensure!(!none, "{}: something was not done: {counts:?}", firmware.name());
    Ok(Done { firmware: firmware.clone(), facts, counts })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::OnceLock;

    /// The matrix, run once for all tests.
    fn whole() -> &'static Report {
        static WHOLE: OnceLock<Result<Report>> = OnceLock::new();
        match WHOLE.get_or_init(|| matrix(None)) {
            Ok(report) => report,
            Err(e) => panic!("{e:#}"),
        }
    }

    #[test]
    fn fault_47_every_official_firmware_keeps_an_update_and_undoes_another() {
        let report = whole();
        assert_eq!(report.done.len(), 13);
        for done in &report.done {
            println!("  cases {}: {}", done.counts.kept + done.counts.undone, done.line());
        }
    }

    #[test]
    fn fault_48_a_certificate_is_checked_in_the_way_of_each_version() {
        let mut checked = 0;
        for done in &whole().done {
            let counts = &done.counts;
            let able = u32::from(done.firmware.minor != "1.21");
            assert_eq!((counts.accepted, counts.rejected), (able, able), "{}", done.firmware.name());
            checked += able;
        }
        println!("  cases {}: a certificate accepted, and another refused", 2 * checked);
        assert_eq!(checked, 12);
    }

    #[test]
    fn the_tables_in_the_documents_are_those_of_a_run() {
        let report = whole();
        println!("  cases {}: firmware that lacks something", report.lacks);
        docs::place(&report.tables, false).expect("the same tables");
    }
}
