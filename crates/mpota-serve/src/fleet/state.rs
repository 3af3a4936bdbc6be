//! The fleet in memory, as the database has it.

use std::collections::{BTreeMap, HashMap};

use mpota_format::rollout::asset;

use super::options::HaltAt;
use super::record::{Board, Halt, Release, Tally, Tried};

/// A board and what it has tried.
pub(crate) struct Known {
    pub board: Board,
    tried: Tried,
}

/// All boards.
#[derive(Default)]
pub(crate) struct State {
    boards: HashMap<String, Known>,
    tallies: BTreeMap<Release, Tally>,
    halts: BTreeMap<Release, Halt>,
    /// Grows with every change.
    generation: u64,
    /// How often the disk was waited for.
    writes: u64,
}

impl State {
    pub fn boards(&self) -> &HashMap<String, Known> {
        &self.boards
    }

    pub fn tallies(&self) -> &BTreeMap<Release, Tally> {
        &self.tallies
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
                count(&mut self.tallies, &known.tried, |n| *n = n.saturating_sub(1));
                count(&mut self.tallies, &tried, |n| *n += 1);
                *known = Known { board, tried };
            }
            (None, tried) => {
                let tried = tried.unwrap_or_default();
                count(&mut self.tallies, &tried, |n| *n += 1);
                self.boards.insert(id, Known { board, tried });
            }
        }
    }

    pub fn put_halt(&mut self, release: Release, halt: Halt) {
        self.generation += 1;
        self.halts.insert(release, halt);
    }

    /// What is withheld now.
    pub fn halted(&self) -> impl Iterator<Item = (&Release, &Halt)> {
        self.halts.iter().filter(|(_, halt)| halt.lifted.is_none())
    }

    /// Whether this file of the release `rollout` is withheld.
    pub fn withholds(&self, project: &str, file: &str) -> bool {
        self.halted().any(|(release, _)| release.project == project && asset(&release.version) == file)
    }

    /// Those of these versions that are to be withheld from now on.
    pub fn to_halt<'a>(
        &self,
        rule: HaltAt,
        among: impl IntoIterator<Item = &'a Release>,
    ) -> Vec<(Release, Tally)> {
        let due = |release: &Release| {
            let tally = self.tallies.get(release)?;
            let halt = self.halts.get(release);
            let before = match halt {
                Some(Halt { lifted: None, .. }) => return None,
                Some(Halt { lifted: Some(before), .. }) => *before,
                None => Tally::default(),
            };
            let tried = tally.tried.saturating_sub(before.tried);
            let back = tally.back.saturating_sub(before.back);
            let due = tried >= rule.boards.max(1) && back * 100 > u64::from(rule.percent) * tried;
            due.then(|| (release.clone(), Tally { tried, back }))
        };
        among.into_iter().filter_map(due).collect()
    }

    /// What is no longer withheld when this version is lifted.
    pub fn to_lift(&self, version: &str) -> Vec<(Release, Halt)> {
        let of = self.halted().filter(|(release, _)| release.version == version);
        let lift = |(release, halt): (&Release, &Halt)| {
            let now = self.tallies.get(release).copied().unwrap_or_default();
            (release.clone(), Halt { lifted: Some(now), ..halt.clone() })
        };
        of.map(lift).collect()
    }
}

fn count(tallies: &mut BTreeMap<Release, Tally>, tried: &Tried, step: impl Fn(&mut u64)) {
    for (release, back) in tried {
        let tally = tallies.entry(release.clone()).or_default();
        step(&mut tally.tried);
        if *back {
            step(&mut tally.back);
        }
        if *tally == Tally::default() {
            tallies.remove(release);
        }
    }
}
