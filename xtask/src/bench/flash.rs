//! One update on a virtual board: erases, bytes programmed and bytes read of its LittleFS, by phase.

use super::corpus::Corpus;
use super::place::{Place, Subject};
use anyhow::{Context, Result, ensure};
use mpota_vboard::{Board, End, FileSystem, MicroPython, Run};
use serde_json::{Value, json};

/// Modules whose import begins a phase: see `vboard/meter.py`.
const PHASES: [(&str, &str); 10] = [
    ("mpota.start", "ask"),
    ("mpota.fit", "manifest"),
    ("mpota.accept", "verify"),
    ("mpota.compare", "plan"),
    ("mpota.fetch", "fetch"),
    ("mpota.stage", "stage"),
    ("ota_swap", "swap"),
    ("ota_trial", "trial"),
    ("mpota.proof", "=prove"),
    ("ota_keep", "=confirm"),
];
/// The phases that every update has.
const NEEDED: [&str; 7] = ["ask", "manifest", "verify", "plan", "fetch", "stage", "swap"];
/// The name of the swap in later starts: it checks every file again.
const LOOK: &str = "look";

/// Work of the flash.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Work {
    /// Blocks erased.
    pub erases: u64,
    /// Bytes programmed.
    pub programmed: u64,
    /// Bytes read.
    pub read: u64,
}

impl Work {
    fn less(self, before: Self) -> Self {
        Self {
            erases: self.erases - before.erases,
            programmed: self.programmed - before.programmed,
            read: self.read - before.read,
        }
    }

    fn add(&mut self, more: Self) {
        self.erases += more.erases;
        self.programmed += more.programmed;
        self.read += more.read;
    }
}

/// Work of the flash in one update.
#[derive(Debug, Clone, Default)]
pub struct Flash {
    /// All of it.
    pub all: Work,
    /// By phase, in the order in which they first came. "start" is what comes before any phase.
    pub phases: Vec<(String, Work)>,
}

/// Run an update on a new board.
///
/// # Errors
/// When the update fails, or a phase was not seen.
pub fn update(micropython: &MicroPython, place: &Place, corpus: &Corpus, subject: Subject) -> Result<Flash> {
    let run = run(micropython, place, corpus, subject, &json!({}))?;
    let all = Work { erases: run.erases.into(), programmed: run.programmed, read: run.read };
    let phases = phases(&run.output)?;
    if subject == Subject::Updater && place.changed.0 > 0 {
        for name in NEEDED {
            ensure!(
                phases.iter().any(|(n, _)| n == name),
                "the phase {name} was not seen: PHASES in xtask/src/bench/flash.rs names the module that begins it"
            );
        }
    }
    Ok(Flash { all, phases })
}

/// The same with more options of `vboard/vboard.py`.
pub fn run(
    micropython: &MicroPython,
    place: &Place,
    corpus: &Corpus,
    subject: Subject,
    more: &Value,
) -> Result<Run> {
    let folder = place.board(subject)?;
    let board = Board::with_size(micropython, FileSystem::Lfs, corpus.flash, &folder)?;
    let phases: serde_json::Map<String, Value> =
        PHASES.iter().map(|(module, name)| ((*module).to_owned(), json!(name))).collect();
    let mut options = json!({ "phases": phases, "limit_ms": 600_000 });
    if let (Some(options), Some(more)) = (options.as_object_mut(), more.as_object()) {
        options.extend(more.clone());
    }
    let run = board.run_with(&options)?;
    ensure!(run.end == End::Sleep, "{} does not end in a sleep:\n{}", subject.key(), run.output);
    if subject == Subject::Updater && place.changed.0 > 0 {
        ensure!(run.output.contains("v1.1.0 is installed"), "it is not installed:\n{}", run.output);
    }
    Ok(run)
}

/// The work of each phase: the differences between the lines of `vboard/meter.py`.
fn phases(output: &str) -> Result<Vec<(String, Work)>> {
    let mut out: Vec<(String, Work)> = Vec::new();
    let (mut before, mut phase, mut swap) = (Work::default(), "start".to_owned(), None::<u64>);
    for line in output.lines().filter_map(|line| line.strip_prefix("board: phase ")) {
        let mut words = line.split(' ');
        let name = words.next().unwrap_or_default();
        let number = |word: Option<&str>| -> Option<u64> { word?.split_once('=')?.1.parse().ok() };
        let read = (|| {
            let (boot, erases, programmed) =
                (number(words.next())?, number(words.next())?, number(words.next())?);
            words.next()?; // the number of reads
            Some((boot, Work { erases, programmed, read: number(words.next())? }))
        })();
        let (boot, now) = read.with_context(|| format!("no counts in {line:?}"))?;
        match out.iter_mut().find(|(n, _)| *n == phase) {
            Some((_, work)) => work.add(now.less(before)),
            None => out.push((phase, now.less(before))),
        }
        before = now;
        phase = match name {
            "end" => "start".to_owned(),
            "swap" if *swap.get_or_insert(boot) != boot => LOOK.to_owned(),
            _ => name.to_owned(),
        };
    }
    Ok(out)
}
