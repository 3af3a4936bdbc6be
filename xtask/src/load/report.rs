//! The figures, a line for each, and the limits that they have to keep.

use super::crowd::Crowd;
use super::rates::{Rate, Target};
use anyhow::{Result, ensure};
use serde_json::{Map, Value, json};

/// What a figure has to be.
enum Bound {
    /// Not less.
    Least(f64),
    /// Not more.
    Most(f64),
}

/// None of them hangs on how busy the machine is: counts, and ratios far below what a quiet machine shows.
const LIMITS: [(&str, Bound); 14] = [
    ("redirect", Bound::Least(0.25)),
    ("manifest", Bound::Least(0.25)),
    ("range", Bound::Least(0.25)),
    ("pack", Bound::Least(0.4)),
    ("at-once-unanswered", Bound::Most(0.0)),
    ("at-once-threads", Bound::Most(48.0)),
    ("at-once-memory", Bound::Most(96_000.0)),
    ("in-turn-unanswered", Bound::Most(0.0)),
    ("in-turn-threads", Bound::Most(48.0)),
    ("in-turn-memory", Bound::Most(96_000.0)),
    ("reports-at-once-unanswered", Bound::Most(0.0)),
    ("reports-at-once-memory", Bound::Most(192_000.0)),
    ("reports-in-turn-unanswered", Bound::Most(0.0)),
    ("reports-in-turn-memory", Bound::Most(192_000.0)),
];

/// Takes the figures in as they come.
pub struct Report {
    json: bool,
    figures: Map<String, Value>,
    judged: usize,
    broken: Vec<String>,
}

impl Report {
    /// With JSON the lines go to the error output.
    pub fn new(json: bool) -> Self {
        let report = Self { json, figures: Map::new(), judged: 0, broken: Vec::new() };
        report.line("                                 mpota serve            nginx                  ratio");
        report
    }

    fn line(&self, text: &str) {
        if self.json {
            eprintln!("{text}");
        } else {
            println!("{text}");
        }
    }

    /// Keeps a figure; what its limit says of it.
    fn judge(&mut self, key: &str, figure: f64) -> String {
        self.figures.insert(key.into(), json!(figure));
        let Some((_, bound)) = LIMITS.iter().find(|(name, _)| *name == key) else { return String::new() };
        self.judged += 1;
        let (kept, said) = match bound {
            Bound::Least(least) => (figure >= *least, format!("at least {least}")),
            Bound::Most(most) => (figure <= *most, format!("at most {most}")),
        };
        if kept {
            return format!("  [{said}]");
        }
        self.broken.push(format!("{key}: {figure:.2}, the limit is {said}"));
        format!("  [BROKEN: {said}]")
    }

    /// Requests a second, ours and nginx's.
    pub fn rate(&mut self, target: &Target, [ours, theirs]: &[Rate; 2]) {
        let ratio = ours.per_second() / theirs.per_second();
        let verdict = self.judge(target.key, ratio);
        for (name, rate) in [("mpota", ours), ("nginx", theirs)] {
            self.figures
                .insert(format!("{}-{name}-per-second", target.key), json!(rate.per_second().round()));
            self.figures.insert(format!("{}-{name}-cpu-us", target.key), json!(rate.cpu()));
        }
        let side = |rate: &Rate| format!("{:>7.0}/s {:>5.0} us CPU", rate.per_second(), rate.cpu());
        self.line(&format!("{:<30} {}   {}   {ratio:.2}{verdict}", target.what, side(ours), side(theirs)));
    }

    /// A crowd at our server, and the same at nginx.
    pub fn crowds(&mut self, key: &str, ours: &Crowd, theirs: &Crowd) {
        self.line(&format!("{} boards, {key}:", ours.boards));
        for (name, crowd) in [("mpota", ours), ("nginx", theirs)] {
            self.line(&format!(
                "  {name}: {} answered, {} closed, {} waited in vain; slowest {} ms, all in {} ms; {} KB, {} threads",
                crowd.answered,
                crowd.closed,
                crowd.waited,
                crowd.slowest.as_millis(),
                crowd.took.as_millis(),
                crowd.memory,
                crowd.threads
            ));
            let figures = json!({
                "answered": crowd.answered, "closed": crowd.closed, "waited": crowd.waited,
                "slowest_ms": crowd.slowest.as_millis() as u64, "took_ms": crowd.took.as_millis() as u64,
                "memory_kb": crowd.memory, "threads": crowd.threads,
            });
            self.figures.insert(format!("{key}-{name}"), figures);
        }
        let unanswered = (ours.boards - ours.answered) as f64;
        let figures =
            [("unanswered", unanswered), ("threads", ours.threads as f64), ("memory", ours.memory as f64)];
        for (what, figure) in figures {
            let verdict = self.judge(&format!("{key}-{what}"), figure);
            self.line(&format!("  {what} {figure}{verdict}"));
        }
    }

    /// A crowd whose boards report: each answer waits until the report is on disk.
    pub fn reports(&mut self, key: &str, crowd: &Crowd) {
        let per_second = crowd.answered as f64 / crowd.took.as_secs_f64();
        self.line(&format!(
            "{} boards, {key}: {per_second:.0} reports/s kept on disk; slowest {} ms, all in {} ms; {} threads",
            crowd.boards,
            crowd.slowest.as_millis(),
            crowd.took.as_millis(),
            crowd.threads
        ));
        self.figures.insert(format!("{key}-per-second"), json!(per_second.round()));
        let unanswered = (crowd.boards - crowd.answered) as f64;
        for (what, figure) in [("unanswered", unanswered), ("memory", crowd.memory as f64)] {
            let verdict = self.judge(&format!("{key}-{what}"), figure);
            self.line(&format!("  {what} {figure}{verdict}"));
        }
    }

    /// What is left to print; an error with a line for each limit that is broken, where that is wanted.
    pub fn end(mut self, check: bool) -> Result<()> {
        if self.json {
            self.figures.insert("broken".into(), json!(self.broken));
            println!("{:#}", Value::Object(std::mem::take(&mut self.figures)));
        }
        ensure!(self.judged == LIMITS.len(), "{} of {} limits were looked at", self.judged, LIMITS.len());
        self.line(&format!("{} limits, {} broken", self.judged, self.broken.len()));
        ensure!(!check || self.broken.is_empty(), "limits that are broken:\n  {}", self.broken.join("\n  "));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "these are tests")]

    use super::*;

    /// A report whose figures keep every limit, but for those of the given keys.
    fn report(broken: &[&str], missing: &[&str]) -> Report {
        let mut report = Report::new(true);
        for (key, bound) in LIMITS.iter().filter(|(key, _)| !missing.contains(key)) {
            let (Bound::Least(kept) | Bound::Most(kept)) = bound;
            let worse = match bound {
                Bound::Least(least) => least - 0.01,
                Bound::Most(most) => most + 1.0,
            };
            report.judge(key, if broken.contains(key) { worse } else { *kept });
        }
        report
    }

    #[test]
    fn every_broken_limit_is_named_and_one_without_a_figure_is_an_error() {
        report(&[], &[]).end(true).unwrap();
        for (key, _) in &LIMITS {
            let error = report(&[key], &[]).end(true).unwrap_err().to_string();
            assert!(error.contains(&format!("  {key}: ")), "{error}");
            report(&[key], &[]).end(false).unwrap();
            assert!(report(&[], &[key]).end(false).is_err(), "{key}");
        }
        println!("  cases {}: limits of the load", LIMITS.len());
    }
}
