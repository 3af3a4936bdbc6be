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

    /// The change that this is, compared with how it was before. It has the number, if it is one.
    pub fn change(&self, before: Option<&Self>, number: u64) -> Option<Change> {
        let of = |board: &Self| (board.project.clone(), board.version.clone(), board.bad.clone());
        if before.map(of) == Some(of(self)) {
            return None;
        }
        let why = self.why.clone().filter(|_| self.came_back());
        let (project, version, bad) = of(self);
        Some(Change { at: self.last_seen, number, project, version, bad, why })
    }
}

/// A step in the history of a board.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Change {
    pub at: u64,
    /// It grows with each change of any board and with each lift: seconds do not tell which of two came first, and a
    /// clock may be set back.
    pub number: u64,
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

/// What a board has tried.
pub(crate) type Tried = BTreeMap<Release, Try>;

/// What came of a version on a board. What was said last counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Try {
    pub back: bool,
    /// The number of the change with which it became so.
    pub number: u64,
}

/// What a history says of that.
pub(crate) fn tried(history: &[Change]) -> Tried {
    let mut tried = Tried::new();
    let mut before: Option<&Change> = None;
    for change in history {
        // What the first of a full history says may have happened long before it, in one that has gone.
        let old = before.is_none() && history.len() >= MOST_CHANGES;
        let number = if old { 0 } else { change.number };
        let mut note = |named: &str, back: bool, still: bool| {
            let release = Release::new(&change.project, named);
            // What is only said again has happened before.
            if !still || tried.get(&release).is_none_or(|known| known.back != back) {
                tried.insert(release, Try { back, number });
            }
        };
        let last = before.filter(|last| last.project == change.project);
        if let Some(bad) = change.bad.as_ref().filter(|bad| change.version.as_ref() != Some(bad)) {
            note(bad, true, last.is_some_and(|last| last.bad.as_ref() == Some(bad)));
        }
        if let Some(version) = &change.version {
            note(version, false, last.is_some_and(|last| last.version.as_ref() == Some(version)));
        }
        before = Some(change);
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
    /// Where among the changes somebody lifted it: those with a higher number count, and no others.
    pub lifted: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::{Change, MOST_CHANGES, Release, Tried, Try, append, tried};

    fn change(number: u64, version: &str, bad: &str) -> Change {
        let said = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let (version, bad) = (said(version), said(bad));
        Change { at: 5, number, project: "octo/weather".into(), version, bad, why: None }
    }

    #[test]
    fn a_try_has_the_number_of_the_change_that_it_came_with() {
        // Version and bad of each change, and what came of v2: whether the board is back, and since which change.
        let cases: [(&[(&str, &str)], _); 10] = [
            (&[("v1", "")], None),
            (&[("v1", ""), ("v2", "")], Some((false, 1))),
            (&[("v2", ""), ("v2", "v3"), ("v2", "v4")], Some((false, 0))),
            (&[("v2", ""), ("v1", ""), ("v2", "")], Some((false, 2))),
            (&[("v2", ""), ("v1", "v2")], Some((true, 1))),
            (&[("v1", "v2"), ("v1.1", "v2"), ("", "v2")], Some((true, 0))),
            (&[("v1", "v2"), ("v2", "v2")], Some((false, 1))),
            (&[("v1", "v2"), ("v2", "v2"), ("v1", "v2")], Some((true, 2))),
            (&[("v1", "v2"), ("v1", "v3"), ("v1", "v2")], Some((true, 2))),
            (&[("v1", "v2"), ("v2", ""), ("v3", "v2"), ("v3", "")], Some((true, 2))),
        ];
        for (said, expected) in cases {
            let history: Vec<Change> =
                said.iter().zip(0..).map(|((version, bad), number)| change(number, version, bad)).collect();
            let all: Tried = tried(&history);
            let found = all.get(&Release::new("octo/weather", "v2"));
            assert_eq!(found.copied(), expected.map(|(back, number)| Try { back, number }), "{said:?}");
        }
        println!("  cases {}: histories", cases.len());
    }

    #[test]
    fn what_a_board_still_says_is_no_new_try_when_older_changes_go() {
        let mut history = vec![change(7, "v1", "v2")];
        for number in 8..100 {
            append(&mut history, change(number, &format!("v3.{number}"), "v2"));
            let found = tried(&history)[&Release::new("octo/weather", "v2")];
            assert!(found.back && found.number <= 7, "{found:?} after {number}");
        }
        assert_eq!(history.len(), MOST_CHANGES);
    }
}
