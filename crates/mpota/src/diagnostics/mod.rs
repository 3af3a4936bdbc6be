//! What each code of an error or a warning means, and what to do: the text of `mpota explain`, and of
//! `docs/diagnostics.md`.

mod app;
mod board;
mod mirror;
mod publish;
mod release;
mod rollout;

use std::fmt::Write;

/// One code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// As it stands in brackets behind `error` or `warning`.
    pub code: &'static str,
    /// What it means.
    pub means: &'static str,
    /// What to do.
    pub next: &'static str,
}

/// A title, and the codes below it.
pub type Group = (&'static str, &'static [Entry]);

/// All of them.
pub const GROUPS: [Group; 6] = [
    (app::TITLE, app::ENTRIES),
    (release::TITLE, release::ENTRIES),
    (publish::TITLE, publish::ENTRIES),
    (rollout::TITLE, rollout::ENTRIES),
    (mirror::TITLE, mirror::ENTRIES),
    (board::TITLE, board::ENTRIES),
];

/// Every code.
pub fn all() -> impl Iterator<Item = &'static Entry> {
    GROUPS.iter().flat_map(|(_, entries)| entries.iter())
}

/// The one with this code, also as it was printed: `error[config::project]`.
pub fn find(code: &str) -> Option<&'static Entry> {
    let inner = code.split_once('[').map_or(code, |(_, rest)| rest);
    let inner = inner.split(']').next().unwrap_or_default();
    all().find(|entry| entry.code == inner)
}

/// The page `docs/diagnostics.md`.
pub fn page() -> String {
    let mut page = String::from(
        "# Errors and warnings\n\n\
         <!-- `cargo xtask diagnostics` writes this page from crates/mpota/src/diagnostics. -->\n\n\
         Each error and each warning of `mpota` has a code: `error[config::project]: ...`. \
         `mpota explain CODE` prints what stands here. A code keeps its meaning; the words of a message may change.\n",
    );
    for (title, entries) in GROUPS {
        // Into a string: it cannot fail.
        let _ = write!(
            page,
            "\n## {}\n\n| code | what it means | what to do |\n| --- | --- | --- |\n",
            title.trim_end_matches('.')
        );
        for Entry { code, means, next } in entries {
            let _ = writeln!(page, "| `{code}` | {} | {} |", cell(means), cell(next));
        }
    }
    page
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
