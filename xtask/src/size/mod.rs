//! `cargo xtask size`: how big the updater is, and how little heap it runs in.
//!
//! The interpreter is MicroPython's plain Unix port with 32-bit words, whose heap looks as on a board; it
//! has nothing in it but the updater and a stand-in for `machine` of a few bytes. The flash is a folder.

mod cases;
mod flash;
mod pieces;
pub mod place;
mod report;
pub mod run;
mod sweep;
mod where_it_goes;

use anyhow::{Result, bail, ensure};
use cases::{Case, cases};
use mpota_vboard::bench::{Agent, compiled_agent};
use mpota_vboard::{MicroPython, Word};
use place::{Kind, Place};
use report::{Report, limit};
use run::{PLENTY, Task, Trial};
use std::collections::BTreeMap;
use std::time::Instant;
use sweep::{HEAP, Range, bisect, failing, spans, sweep};

/// So many KB above a limit have to do too.
const ABOVE: u32 = 12;

/// What is measured besides the cases.
const EXTRAS: [&str; 7] = ["files", "flash", "kept", "mip", "tls", "largest", "phases"];

/// What the command line asks for.
#[derive(Default)]
struct Arguments {
    check: bool,
    quick: bool,
    json: bool,
    /// One try with so many KB, and all that it prints.
    heap: Option<u32>,
    only: Vec<String>,
}

impl Arguments {
    fn parse(args: &[String]) -> Result<Self> {
        let mut out = Self::default();
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            match (arg.as_str(), args.clone().next()) {
                ("--check", _) => out.check = true,
                ("--quick", _) => out.quick = true,
                ("--json", _) => out.json = true,
                ("--heap", Some(kb)) => {
                    out.heap = Some(kb.parse()?);
                    args.next();
                }
                ("--only", Some(key)) => {
                    out.only.push(key.clone());
                    args.next();
                }
                _ => {
                    bail!("size [--check] [--quick] [--json] [--only KEY]... [--heap KB]\nkeys: {}", keys())
                }
            }
        }
        let known = |key: &String| EXTRAS.contains(&key.as_str()) || cases().iter().any(|c| c.key == key);
        ensure!(out.only.iter().all(known), "--only takes {}", keys());
        ensure!(!(out.check && (out.quick || !out.only.is_empty())), "--check looks at every limit");
        Ok(out)
    }

    /// Whether something is measured; `quick` where `--quick` has it.
    fn wants(&self, key: &str, quick: bool) -> bool {
        if self.only.is_empty() { quick || !self.quick } else { self.only.iter().any(|k| k == key) }
    }
}

/// What can be measured.
fn keys() -> String {
    let cases = cases();
    EXTRAS.iter().copied().chain(cases.iter().map(|c| c.key)).collect::<Vec<_>>().join(" ")
}

/// Measure all, or with `--check` only look whether the limits are kept.
pub fn run(args: &[String]) -> Result<()> {
    let arguments = Arguments::parse(args)?;
    let micropython = MicroPython::find(Word::Bits32)?;
    let mut report = Report::new(arguments.json);
    if arguments.check {
        check(&mut report, &micropython)?;
    } else if let Some(kb) = arguments.heap {
        return once(&micropython, &arguments, kb);
    } else {
        measure(&mut report, &micropython, &arguments)?;
    }
    report.end(arguments.check)
}

/// The place of a case, with the update staged where that is what it starts from.
fn place(micropython: &MicroPython, case: &Case) -> Result<Place> {
    let mut place = Place::new(&case.kind)?;
    if case.task == Task::Install {
        let dir = tempfile::tempdir()?;
        let staged = Trial::patient(micropython, &place, Task::Update).inside(dir.path(), PLENTY)?;
        ensure!(staged.worked, "nothing is staged:\n{}", staged.output);
        place.take(dir.path(), "staged")?;
    }
    Ok(place)
}

/// A thousand files take seconds a try.
fn range(case: &Case) -> Range {
    if case.many() { Range { row: 4, repeats: 1, ..HEAP } } else { HEAP }
}

/// Try each of the chosen cases once, and show what it prints.
fn once(micropython: &MicroPython, arguments: &Arguments, kb: u32) -> Result<()> {
    for case in cases().iter().filter(|case| arguments.only.iter().any(|k| k == case.key)) {
        let place = place(micropython, case)?;
        let outcome = Trial::new(micropython, &place, case.task.clone())?.with(&format!("{kb}K"))?;
        println!("{}{}: {}", outcome.output, case.key, if outcome.worked { "works" } else { "fails" });
    }
    Ok(())
}

fn check(report: &mut Report, micropython: &MicroPython) -> Result<()> {
    let mut cases = cases();
    cases.retain(|case| limit(case.key).is_some());
    for case in cases {
        let place = place(micropython, &case)?;
        let trial = Trial::new(micropython, &place, case.task.clone())?;
        let work = |kb: u32| trial.with(&format!("{kb}K"));
        let most = limit(case.key).unwrap_or_default();
        let above = most + if case.many() { 1 } else { ABOVE };
        let fails = failing(most, above, Range { repeats: 2, ..range(&case) }, &work)?;
        match fails.first() {
            None => report.kept(case.key, "KB", case.what),
            Some((kb, why)) if case.many() => {
                report.broken(case.key, case.what, &format!("fails at {kb} KB: {why}"));
            }
            Some(_) => {
                let kb = bisect(HEAP, &work)?.max(most + 1);
                report.figure(case.key, kb.into(), "KB", &format!("{} (about)", case.what));
            }
        }
    }
    kept(report, micropython)?;
    pieces::run(report, micropython, true)
}

fn measure(report: &mut Report, micropython: &MicroPython, arguments: &Arguments) -> Result<()> {
    if arguments.wants("files", true) {
        sizes(report)?;
    }
    if arguments.wants("flash", true) {
        flash::ordinary_boot(report)?;
    }
    if arguments.wants("kept", true) {
        kept(report, micropython)?;
    }
    if arguments.wants("mip", true) || cases().iter().any(|case| arguments.wants(case.key, false)) {
        report.line("\nSmallest heap from which every larger one works (32 bit, .mpy, every KB three times)");
    }
    let mut found = BTreeMap::new();
    if arguments.wants("mip", false) {
        let (place, url) = Place::package()?;
        let trial = Trial::new(micropython, &place, Task::Mip(url))?;
        let what = "MicroPython's mip: the same 10 files";
        found.insert("mip", heap(report, &trial, "mip", what, HEAP, None)?);
    }
    for case in cases().into_iter().filter(|case| arguments.wants(case.key, case.quick)) {
        let place = place(micropython, &case)?;
        let mip = found.get("mip").copied();
        let trial = Trial::new(micropython, &place, case.task.clone())?;
        let kb = heap(report, &trial, case.key, case.what, range(&case), mip)?;
        found.insert(case.key, kb);
    }
    if let (Some(few), Some(many)) = (found.get("update"), found.get("update-1000")) {
        let what = "more for 1,000 files than for 10";
        report.figure("update-1000-more", many.saturating_sub(*few).into(), "KB", what);
    }
    if arguments.wants("tls", false) {
        where_it_goes::tls(report, micropython, found.get("https").zip(found.get("update")))?;
    }
    if arguments.wants("largest", false) {
        pieces::run(report, micropython, false)?;
    }
    if arguments.wants("phases", false) {
        where_it_goes::phases(report, micropython)?;
    }
    Ok(())
}

/// Sweep one case, and say what was found.
fn heap(
    report: &mut Report,
    trial: &Trial,
    key: &str,
    what: &str,
    range: Range,
    mip: Option<u32>,
) -> Result<u32> {
    let begun = Instant::now();
    let found = sweep(range, &|kb| trial.with(&format!("{kb}K")))?;
    let times =
        mip.map_or(String::new(), |mip| format!(", {:.1} times mip", f64::from(found.from) / f64::from(mip)));
    report.figure(key, found.from.into(), "KB", &format!("{what}{times}"));
    if !found.between.is_empty() {
        report.line(&format!(
            "              works at {}, fails at {}",
            found.first,
            spans(&found.between, 1)
        ));
    }
    if !found.why.is_empty() {
        report.line(&format!("              in less: {}", found.why));
    }
    report.detail(
        &format!("{key}-sweep"),
        serde_json::json!({ "first": found.first, "fails": found.between, "why": found.why, "seconds": begun.elapsed().as_secs() }),
    );
    Ok(found.from)
}

/// The updater's files.
fn sizes(report: &mut Report) -> Result<()> {
    let mut sum = 0;
    for (name, content) in compiled_agent()? {
        report.line(&format!("{:>7} bytes {name}", content.len()));
        report.detail(&format!("mpy-{name}"), content.len().into());
        sum += content.len();
    }
    report.figure("mpy", sum as u64, "bytes", "in all");
    Ok(())
}

/// What an ordinary boot keeps of the heap for good, but for the interpreter's table of names: it doubles with
/// name 61, 606 bytes, and whether that is one of ours is chance.
fn kept(report: &mut Report, micropython: &MicroPython) -> Result<()> {
    for agent in [Agent::Mpy, Agent::Py] {
        let place = Place::new(&Kind { current: true, agent, ..Kind::default() })?;
        let mut trial = Trial::patient(micropython, &place, Task::Kept);
        trial.before = pieces::named()?;
        let outcome = trial.with(PLENTY)?;
        let (key, from) = if agent == Agent::Mpy { ("boot-kept", ".mpy") } else { ("boot-kept-py", ".py") };
        let what = format!("of the heap kept after an ordinary boot, {from}, {} us", outcome.number("us")?);
        report.figure(key, outcome.number("kept")?, "bytes", &what);
        if agent == Agent::Mpy {
            report.detail("stand-in", outcome.number("stand-in")?.into());
            let what = "more where main.py starts the app by ota_main.run()";
            report.figure("main-kept", outcome.number("main")?, "bytes", what);
        }
    }
    Ok(())
}
