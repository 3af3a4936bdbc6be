//! The largest allocation in one piece, found by trial: all of the free memory is holes of one size, and
//! the smallest size in which an update works is looked for.

use super::place::{Kind, Place, script};
use super::report::{Report, limit};
use super::run::{Task, Trial};
use super::sweep::{Range, bisect, failing, sweep};
use anyhow::{Result, bail, ensure};
use mpota_vboard::MicroPython;

/// Plenty in all, so that only the size of the holes counts.
const HEAP: &str = "512K";
/// A hole is so many blocks of the 32-bit heap.
const HOLES: Range = Range { least: 64, most: 16384, step: 16, row: 10, repeats: 1 };
/// More names than the updater has: the interpreter's table of them, which is in one piece, does not grow
/// any more after that.
const NAMES: u32 = 650;

/// What makes the interpreter's table of names so large, before anything of the updater runs.
pub fn named() -> Result<String> {
    Ok(format!("import gc\nCOUNT = {NAMES}\n{}", script("names.py")?))
}

/// What is in front of the holes, and what does the work.
struct Holes<'a> {
    trial: Trial<'a>,
    first: String,
}

impl<'a> Holes<'a> {
    fn new(micropython: &'a MicroPython, place: &'a Place, names: u32) -> Result<Self> {
        // Little is left to the garbage collector to find, and it takes its time.
        let trial = Trial::patient(micropython, place, Task::Update);
        let first = if names > 0 { named()? } else { String::new() };
        Ok(Self { trial, first })
    }

    fn before(&self, hole: u32) -> Result<String> {
        Ok(format!("{}HOLE = {hole}\n{}", self.first, script("holes.py")?))
    }

    fn at(&self, hole: u32) -> Result<super::run::Outcome> {
        Trial { before: self.before(hole)?, ..self.trial.clone() }.with(HEAP)
    }
}

/// Measure, or with `check` only look whether the limit is kept.
pub fn run(report: &mut Report, micropython: &MicroPython, check: bool) -> Result<()> {
    let plain = Place::new(&Kind { compress: false, ..Kind::default() })?;
    see_holes(micropython, &plain)?;
    let own = "largest allocation of the updater itself (signed, nothing compressed)";
    let holes = Holes::new(micropython, &plain, NAMES)?;
    if let (true, Some(most)) = (check, limit("largest")) {
        if failing(most, most + 12 * 16, HOLES, &|hole| holes.at(hole))?.is_empty() {
            report.kept("largest", "bytes", own);
        } else {
            report.figure("largest", bisect(HOLES, &|hole| holes.at(hole))?.into(), "bytes", own);
        }
        return Ok(());
    }
    report.line("\nLargest allocation in one piece: with all free memory in holes of this size it works");
    measure(report, "largest", own, &holes)?;
    let signed = Place::new(&Kind::default())?;
    let unsigned = Place::new(&Kind { signed: false, ..Kind::default() })?;
    for (key, what, place, names) in [
        ("largest-signed", "signed, compressed", &signed, NAMES),
        ("largest-unsigned", "unsigned, compressed", &unsigned, NAMES),
        ("largest-with-names", "signed, compressed, and the interpreter's table of names grows", &signed, 0),
    ] {
        measure(report, key, what, &Holes::new(micropython, place, names)?)?;
    }
    table_of_names(report, micropython, &signed)
}

/// The holes are what they are said to be, or nothing found with them means anything.
fn see_holes(micropython: &MicroPython, place: &Place) -> Result<()> {
    for names in [0, NAMES] {
        let holes = Holes::new(micropython, place, names)?;
        for hole in [256_u32, 1104, 4096] {
            let mut trial = Trial { task: Task::Boot, ..holes.trial.clone() };
            trial.before = format!("{}{}raise SystemExit\n", holes.before(hole)?, script("largest.py")?);
            let largest = trial.with(HEAP)?.number("largest")?;
            ensure!(largest == u64::from(hole), "holes of {hole} bytes take {largest}, after {names} names");
        }
    }
    Ok(())
}

fn measure(report: &mut Report, key: &str, what: &str, holes: &Holes) -> Result<()> {
    let found = sweep(HOLES, &|hole| holes.at(hole))?;
    report.figure(key, found.from.into(), "bytes", what);
    if !found.why.is_empty() {
        report.line(&format!("              in smaller ones: {}", found.why));
    }
    Ok(())
}

/// What the interpreter's own table takes for as many names as an update brings, without the updater.
fn table_of_names(report: &mut Report, micropython: &MicroPython, place: &Place) -> Result<()> {
    let mut trial = Trial::patient(micropython, place, Task::Update);
    trial.after = script("qstr.py")?;
    let said = trial.with(HEAP)?;
    let word = |name: &str| -> Option<u32> {
        said.output
            .split([' ', ',', '\n'])
            .find_map(|w| w.strip_prefix(name)?.strip_prefix('=')?.parse().ok())
    };
    let (Some(names), Some(bytes)) = (word("n_qstr"), word("n_total_bytes")) else {
        bail!("no count of names in:\n{}", said.output)
    };
    report.figure(
        "names",
        names.into(),
        "names",
        "the interpreter has learnt for the update; they stay until a reset",
    );
    report.figure("names-bytes", bytes.into(), "bytes", "of the heap are these");
    let work = |hole: u32| {
        let before = format!(
            "HOLE = {hole}\n{}COUNT = {names}\n{}raise SystemExit\n",
            script("holes.py")?,
            script("names.py")?
        );
        let mut outcome = Trial { before, ..trial.clone() }.with(HEAP)?;
        outcome.worked = outcome.output.contains("\nnamed ");
        Ok(outcome)
    };
    let found = sweep(HOLES, &work)?;
    report.figure(
        "names-largest",
        found.from.into(),
        "bytes",
        "the largest piece of their table, without the updater",
    );
    Ok(())
}
