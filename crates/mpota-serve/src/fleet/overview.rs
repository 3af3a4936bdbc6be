//! The fleet in figures.

use std::collections::{BTreeMap, BTreeSet};

use mpota_format::version::Version;

use super::record::{Release, Tally};
use super::state::State;

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

/// A version in figures.
#[derive(Debug, Default, Clone)]
pub(crate) struct Row {
    /// Boards that have it now.
    pub installed: u64,
    pub tally: Tally,
    pub halted: bool,
}

/// All figures.
#[derive(Default)]
pub(crate) struct Overview {
    pub boards: u64,
    pub seen_in_hour: u64,
    pub seen_in_day: u64,
    /// Boards that came back from a version, and have taken no other since.
    pub back: u64,
    /// The versions, the newest first.
    pub versions: Vec<(Release, Row)>,
    /// Boards by state.
    pub states: BTreeMap<String, u64>,
    /// Boards by project, version and state. An empty text: the board did not say.
    pub groups: BTreeMap<(String, String, String), u64>,
}

impl Overview {
    pub fn of(state: &State, now: u64) -> Self {
        let mut all = Self { boards: state.boards().len() as u64, ..Self::default() };
        let mut rows: BTreeMap<Release, Row> = BTreeMap::new();
        for (release, tally) in state.tallies() {
            rows.entry(release.clone()).or_default().tally = *tally;
        }
        for (release, _) in state.halted() {
            rows.entry(release.clone()).or_default().halted = true;
        }
        for board in state.boards().values().map(|known| &known.board) {
            let silent = now.saturating_sub(board.last_seen);
            all.seen_in_hour += u64::from(silent <= HOUR);
            all.seen_in_day += u64::from(silent <= DAY);
            all.back += u64::from(board.came_back());
            let text = |text: &Option<String>| text.clone().unwrap_or_default();
            let group = (board.project.clone(), text(&board.version), text(&board.state));
            *all.groups.entry(group).or_default() += 1;
        }
        for ((project, version, state), boards) in &all.groups {
            if !version.is_empty() {
                rows.entry(Release::new(project, version)).or_default().installed += boards;
            }
            if !state.is_empty() {
                *all.states.entry(state.clone()).or_default() += boards;
            }
        }
        all.versions = rows.into_iter().collect();
        let order = |release: &Release| Version::parse(&release.version).ok();
        all.versions.sort_by_cached_key(|(release, _)| {
            (release.project.clone(), std::cmp::Reverse((order(release), release.version.clone())))
        });
        all
    }

    /// The projects that boards belong to.
    pub fn projects(&self) -> BTreeSet<&str> {
        self.versions.iter().map(|(release, _)| release.project.as_str()).collect()
    }
}
