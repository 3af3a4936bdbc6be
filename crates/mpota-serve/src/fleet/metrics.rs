//! `/metrics`: the figures as Prometheus reads them.

use std::collections::BTreeMap;
use std::fmt::{Display, Write as _};

use super::Fleet;
use super::overview::{Overview, Row};
use super::record::Release;

/// Versions of all projects that have figures of their own, those with the most boards. The others are one:
/// versions come from outside, and each is a series for ever.
const MOST_VERSIONS: usize = 200;
/// States that have figures of their own: those of a board's journal.
const STATES: [&str; 7] = ["idle", "staged", "swapping", "trial", "confirmed", "undoing", "undone"];
const OTHER: &str = "other";

/// The text, in the format 0.0.4.
pub(crate) fn text(fleet: &Fleet, all: &Overview, halted: &[Release], writes: u64) -> String {
    let mut out = Text::default();
    out.family("mpota_boards_known", "gauge", "Boards that have reported at some time.");
    out.sample("mpota_boards_known", &[], all.boards);
    out.family("mpota_boards_seen", "gauge", "Boards that have reported in the last so many seconds.");
    out.sample("mpota_boards_seen", &[("within", "3600")], all.seen_in_hour);
    out.sample("mpota_boards_seen", &[("within", "86400")], all.seen_in_day);

    let mut shown: Vec<&(Release, Row)> = all.versions.iter().collect();
    shown.sort_by_key(|(_, row)| std::cmp::Reverse(row.installed.max(row.tally.tried)));
    shown.truncate(MOST_VERSIONS);
    let own = |project: &str, version: &str| {
        shown.iter().any(|(release, _)| release.project == project && release.version == version)
    };
    let mut groups: BTreeMap<[&str; 3], u64> = BTreeMap::new();
    for ((project, version, state), boards) in &all.groups {
        let version = if version.is_empty() || own(project, version) { version } else { OTHER };
        let state = if state.is_empty() || STATES.contains(&&**state) { state } else { OTHER };
        *groups.entry([project, version, state]).or_default() += boards;
    }
    out.family("mpota_boards", "gauge", "Boards by project, installed version and state of the update.");
    for ([project, version, state], boards) in groups {
        out.sample("mpota_boards", &[("project", project), ("version", version), ("state", state)], boards);
    }
    let mut family = |name: &str, help: &str, figure: &dyn Fn(&Row) -> u64| {
        out.family(name, "gauge", help);
        for (release, row) in &shown {
            let labels = [("project", &*release.project), ("version", &*release.version)];
            out.sample(name, &labels, figure(row));
        }
    };
    let tried = "Boards that have or had the version, or came back from it.";
    family("mpota_boards_tried", tried, &|row| row.tally.tried);
    family("mpota_boards_came_back", "Boards that came back from the version.", &|row| row.tally.back);
    out.family("mpota_rollout_withheld", "gauge", "1 for a version whose rollout this server withholds.");
    for release in halted {
        let labels = [("project", &*release.project), ("version", &*release.version)];
        out.sample("mpota_rollout_withheld", &labels, 1);
    }
    out.family(
        "mpota_reports_total",
        "counter",
        "Reports since the server was started, by what became of them.",
    );
    for (outcome, code, count) in fleet.counts.all() {
        let labels = [("outcome", outcome), ("code", code.unwrap_or_default())];
        out.sample("mpota_reports_total", &labels, count);
    }
    out.family(
        "mpota_report_writes_total",
        "counter",
        "Writes to the disk since the start. Reports share them.",
    );
    out.sample("mpota_report_writes_total", &[], writes);
    out.0
}

#[derive(Default)]
struct Text(String);

// Writing to a String cannot fail.
impl Text {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        self.0.push_str(name);
        for (place, (label, text)) in labels.iter().enumerate() {
            let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let _ = write!(self.0, "{}{label}=\"{text}\"", if place == 0 { '{' } else { ',' });
        }
        let end = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(self.0, "{end} {value}");
    }
}
