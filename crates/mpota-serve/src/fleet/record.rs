//! What is kept of a board.

use std::collections::BTreeMap;

use mpota_format::report::Report;
use serde::{Deserialize, Serialize};

/// Most changes that are kept of one board; the oldest go first.
pub(crate) const MOST_CHANGES: usize = 32;

/// A version of a project.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Release {
    pub project: String,
    pub version: String,
}

impl Release {
    pub fn new(project: &str, version: &str) -> Self {
        Self { project: project.to_owned(), version: version.to_owned() }
    }
}

/// A board as its last report describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Board {
    pub project: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bad: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub micropython: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub board: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flash: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub boots: Option<u64>,
    /// When it was heard first, in seconds of unix time.
    pub first_seen: u64,
    /// When it was heard last.
    pub last_seen: u64,
}

impl Board {
    /// From a report of this moment.
    pub fn new(project: String, report: Report, now: u64) -> Self {
        let Report { id: _, version, state, bad, why, micropython, board, flash, memory, boots } = report;
        Self {
            project,
            version,
            state,
            bad,
            why,
            micropython,
            board,
            flash,
            memory,
            boots,
            first_seen: now,
            last_seen: now,
        }
    }

    /// Whether it has come back from a version, and has not taken another one since.
    pub fn came_back(&self) -> bool {
        self.bad.is_some() && self.bad != self.version
    }

    /// The change that this is, compared with how it was before.
    pub fn change(&self, before: Option<&Self>) -> Option<Change> {
        let of = |board: &Self| (board.project.clone(), board.version.clone(), board.bad.clone());
        if before.map(of) == Some(of(self)) {
            return None;
        }
        let why = self.why.clone().filter(|_| self.came_back());
        let (project, version, bad) = of(self);
        Some(Change { at: self.last_seen, project, version, bad, why })
    }
}

/// A step in the history of a board.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Change {
    pub at: u64,
    pub project: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub bad: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub why: Option<String>,
}

/// One change more; those that are too many go.
pub(crate) fn append(history: &mut Vec<Change>, change: Change) {
    history.push(change);
    let surplus = history.len().saturating_sub(MOST_CHANGES);
    history.drain(..surplus);
}

/// What a board has tried, and whether it came back from it. What was said last counts.
pub(crate) type Tried = BTreeMap<Release, bool>;

/// What a history says of that.
pub(crate) fn tried(history: &[Change]) -> Tried {
    let mut tried = Tried::new();
    for change in history {
        if let Some(bad) = &change.bad {
            tried.insert(Release::new(&change.project, bad), true);
        }
        if let Some(version) = &change.version {
            tried.insert(Release::new(&change.project, version), false);
        }
    }
    tried
}

/// How many boards tried a version, and how many of them came back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tally {
    pub tried: u64,
    pub back: u64,
}

/// A version whose rollout was withheld.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Halt {
    /// Since when.
    pub at: u64,
    /// The figures of that moment.
    pub tally: Tally,
    /// The figures of the moment when somebody lifted it: what comes later counts anew.
    pub lifted: Option<Tally>,
}
