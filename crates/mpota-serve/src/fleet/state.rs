//! The fleet in memory, as the database has it.

use std::collections::{BTreeMap, HashMap};

use mpota_format::rollout::asset;

use super::options::HaltAt;
use super::record::{Board, Halt, Release, Tally, Tried, Try};

/// A board and what it has tried.
pub(crate) struct Known {
    pub board: Board,
    tried: Tried,
}

/// All boards.
#[derive(Default)]
pub(crate) struct State {
    boards: HashMap<String, Known>,
    figures: Figures,
    halts: BTreeMap<Release, Halt>,
    /// Grows with every change.
    generation: u64,
    /// How often the disk was waited for.
    writes: u64,
}

/// How many boards tried a version, and how many came back.
#[derive(Default)]
struct Figures {
    ever: BTreeMap<Release, Tally>,
    /// Of versions that were lifted: the number of the lift, and what has happened after it.
    since: BTreeMap<Release, (u64, Tally)>,
}

impl State {
    pub fn boards(&self) -> &HashMap<String, Known> {
        &self.boards
    }

    pub fn tallies(&self) -> &BTreeMap<Release, Tally> {
        &self.figures.ever
    }

    pub fn generation(&self) -> u64 {
        self.generation
    }

    pub fn writes(&self) -> u64 {
        self.writes
    }

    /// The disk was waited for once more.
    pub fn written(&mut self) {
        self.writes += 1;
    }

    pub fn board(&self, id: &str) -> Option<&Board> {
        Some(&self.boards.get(id)?.board)
    }

    /// Takes in what was written. Without a new history what it has tried stays as it is.
    pub fn put(&mut self, id: String, board: Board, tried: Option<Tried>) {
        self.generation += 1;
        match (self.boards.get_mut(&id), tried) {
            (Some(known), None) => known.board = board,
            (Some(known), Some(tried)) => {
                self.figures.count(&known.tried, |n| *n = n.saturating_sub(1));
                self.figures.count(&tried, |n| *n += 1);
                *known = Known { board, tried };
            }
            (None, tried) => {
                let tried = tried.unwrap_or_default();
                self.figures.count(&tried, |n| *n += 1);
                self.boards.insert(id, Known { board, tried });
            }
        }
    }

    pub fn put_halt(&mut self, release: Release, halt: Halt) {
        self.generation += 1;
        match halt.lifted {
            Some(lift) => {
                let mut tally = Tally::default();
                for known in self.boards.values() {
                    tally.count(known.tried.get(&release).filter(|one| one.number > lift), |n| *n += 1);
                }
                self.figures.since.insert(release.clone(), (lift, tally));
            }
            None => drop(self.figures.since.remove(&release)),
        }
        self.halts.insert(release, halt);
    }

    /// What is withheld now.
    pub fn halted(&self) -> impl Iterator<Item = (&Release, &Halt)> {
        self.halts.iter().filter(|(_, halt)| halt.lifted.is_none())
    }

    /// The version whose rollout this file of the release `rollout` is, if it is withheld.
    pub fn withheld(&self, project: &str, file: &str) -> Option<&str> {
        let found = |release: &Release| release.project == project && asset(&release.version) == file;
        self.halted().find(|(release, _)| found(release)).map(|(release, _)| release.version.as_str())
    }

    /// Those of these versions that are to be withheld from now on.
    pub fn to_halt<'a>(
        &self,
        rule: HaltAt,
        among: impl IntoIterator<Item = &'a Release>,
    ) -> Vec<(Release, Tally)> {
        let due = |release: &Release| {
            if self.halts.get(release).is_some_and(|halt| halt.lifted.is_none()) {
                return None;
            }
            let since = self.figures.since.get(release).map(|(_, tally)| tally);
            let Tally { tried, back } = *since.or_else(|| self.figures.ever.get(release))?;
            let due = tried >= rule.boards.max(1) && back * 100 > u64::from(rule.percent) * tried;
            due.then(|| (release.clone(), Tally { tried, back }))
        };
        among.into_iter().filter_map(due).collect()
    }

    /// What is no longer withheld when this version is lifted with this number.
    pub fn to_lift(&self, version: &str, number: u64) -> Vec<(Release, Halt)> {
        let of = self.halted().filter(|(release, _)| release.version == version);
        of.map(|(release, halt)| (release.clone(), Halt { lifted: Some(number), ..halt.clone() })).collect()
    }
}

impl Figures {
    fn count(&mut self, tried: &Tried, step: impl Fn(&mut u64)) {
        for (release, one) in tried {
            let tally = self.ever.entry(release.clone()).or_default();
            tally.count(Some(one), &step);
            if *tally == Tally::default() {
                self.ever.remove(release);
            }
            if let Some((lift, tally)) = self.since.get_mut(release) {
                tally.count(Some(one).filter(|one| one.number > *lift), &step);
            }
        }
    }
}

impl Tally {
    fn count(&mut self, one: Option<&Try>, step: impl Fn(&mut u64)) {
        let Some(one) = one else { return };
        step(&mut self.tried);
        if one.back {
            step(&mut self.back);
        }
    }
}
