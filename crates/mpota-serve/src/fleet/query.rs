//! Which boards are wanted, and in which order.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::fmt::Write as _;

use mpota_format::version::Version;

use super::record::Board;
use super::state::State;
use crate::web::encode::{decode, encode, in_query};

/// Most letters of a text that is looked for.
const TEXT: usize = 100;

/// What boards are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sort {
    Id,
    Version,
    State,
    Back,
    Seen,
    Flash,
    Memory,
}

impl Sort {
    pub const ALL: [(&str, Self); 7] = [
        ("id", Self::Id),
        ("version", Self::Version),
        ("state", Self::State),
        ("back", Self::Back),
        ("seen", Self::Seen),
        ("flash", Self::Flash),
        ("memory", Self::Memory),
    ];

    /// The word for it in an address.
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, sort)| *sort == self).map_or("", |(word, _)| word)
    }

    fn compare(self, a: &Board, b: &Board, versions: &Versions<'_>) -> Ordering {
        let version = |board: &Board| versions.get(board.version.as_deref()?);
        match self {
            // All are sorted by it in the end.
            Self::Id => Ordering::Equal,
            Self::Version => a.project.cmp(&b.project).then_with(|| version(a).cmp(&version(b))),
            Self::State => a.state.cmp(&b.state),
            Self::Back => a.came_back().cmp(&b.came_back()),
            Self::Seen => a.last_seen.cmp(&b.last_seen),
            Self::Flash => a.flash.cmp(&b.flash),
            Self::Memory => a.memory.cmp(&b.memory),
        }
    }
}

/// Each version is read once, however many boards have it.
type Versions<'a> = HashMap<&'a str, Version>;

/// What a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Query {
    /// Somewhere in the id, the board's name, the reason or the version of MicroPython.
    pub text: String,
    pub project: String,
    pub version: String,
    pub state: String,
    /// Only those that came back from a version.
    pub back: bool,
    pub sort: Sort,
    pub descending: bool,
    pub page: usize,
    pub per_page: usize,
}

impl Query {
    pub fn read(query: &str, per_page: usize) -> Self {
        let text = |key| in_query(query, key).map(decode).unwrap_or_default();
        let number = |key, from: usize, most| text(key).parse().unwrap_or(from).clamp(1, most);
        let sort = text("sort");
        let sort = Sort::ALL.iter().find(|(word, _)| *word == sort).map_or(Sort::Seen, |(_, sort)| *sort);
        let order = text("order");
        Self {
            text: text("q").chars().take(TEXT).collect(),
            project: text("project"),
            version: text("version"),
            state: text("state"),
            back: text("back") == "1",
            sort,
            descending: if order.is_empty() { sort == Sort::Seen } else { order == "desc" },
            page: number("page", 1, usize::MAX),
            per_page: number("per_page", per_page, 1_000),
        }
    }

    /// As it is written in an address.
    pub fn write(&self) -> String {
        let mut out = String::new();
        let texts = [
            ("q", &self.text),
            ("project", &self.project),
            ("version", &self.version),
            ("state", &self.state),
        ];
        for (key, value) in texts.into_iter().filter(|(_, value)| !value.is_empty()) {
            // Writing to a String cannot fail.
            let _ = write!(out, "{key}={}&", encode(value, b""));
        }
        if self.back {
            out.push_str("back=1&");
        }
        let order = if self.descending { "desc" } else { "asc" };
        let _ = write!(out, "sort={}&order={order}", self.sort.word());
        if self.page > 1 {
            let _ = write!(out, "&page={}", self.page);
        }
        out
    }

    fn takes(&self, id: &str, board: &Board, text: &str) -> bool {
        let is = |wanted: &str, found: Option<&str>| wanted.is_empty() || found == Some(wanted);
        let texts = [Some(id), board.board.as_deref(), board.why.as_deref(), board.micropython.as_deref()];
        let has = |found: &&str| found.to_ascii_lowercase().contains(text);
        is(&self.project, Some(&board.project))
            && is(&self.version, board.version.as_deref())
            && is(&self.state, board.state.as_deref())
            && (!self.back || board.came_back())
            && (text.is_empty() || texts.iter().flatten().any(has))
    }

    /// The boards of the page, and how many there are on all pages.
    pub fn select<'a>(&self, state: &'a State) -> (Vec<(&'a str, &'a Board)>, usize) {
        let text = self.text.to_ascii_lowercase();
        let all = state.boards().iter().map(|(id, known)| (id.as_str(), &known.board));
        let mut found: Vec<_> = all.filter(|(id, board)| self.takes(id, board, &text)).collect();
        let mut versions = Versions::new();
        if self.sort == Sort::Version {
            for version in found.iter().filter_map(|(_, board)| board.version.as_deref()) {
                if !versions.contains_key(version) {
                    versions.extend(Version::parse(version).ok().map(|read| (version, read)));
                }
            }
        }
        found.sort_unstable_by(|(a_id, a), (b_id, b)| {
            let order = self.sort.compare(a, b, &versions);
            let order = if self.sort == Sort::Id { a_id.cmp(b_id) } else { order };
            if self.descending { order.reverse() } else { order }.then_with(|| a_id.cmp(b_id))
        });
        let total = found.len();
        let from = self.per_page.saturating_mul(self.page - 1).min(total);
        found.truncate(total.min(from.saturating_add(self.per_page)));
        found.drain(..from);
        (found, total)
    }
}
