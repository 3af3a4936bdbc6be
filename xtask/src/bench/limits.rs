//! The limits of figures: `xtask/bench.toml`. Only counts have limits, and what is calculated from counts.

use super::figures::Case;
use super::place::Subject;
use anyhow::{Context, Result, bail, ensure};
use mpota_vboard::repository;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The figures that get a limit when the file is written, and the margin above the measured value, in percent.
const LIMITED: [(&str, f64); 17] = [
    ("connections", 0.0),
    ("requests", 0.0),
    ("down", 2.0),
    ("up", 2.0),
    ("slow", 1.0),
    ("slow/mip", 1.0),
    ("instructions", 3.0),
    ("instructions-install", 3.0),
    ("erases", 3.0),
    ("programmed", 3.0),
    ("programmed-per-byte", 3.0),
    // LittleFS begins its search for free blocks at random: the seed comes from what is on the flash, times of files
    // included.
    ("read", 5.0),
    ("read-plan", 5.0),
    ("read-fetch", 15.0),
    ("read-swap", 5.0),
    // How far the threads are when they hold the most depends on the machine.
    ("memory", 50.0),
    ("memory/quarter", 20.0),
];

const HEAD: &str = "\
# Limits of what an update costs, by case and figure. `cargo xtask bench --check` fails when a figure is above its limit;
# `cargo xtask test` runs it. The names are those of `cargo xtask bench --json`; \"slow/mip\" is the ratio to mip's value.
# CPU and wall times have no limits, because they depend on the machine. \"slow\" is calculated from counts.
#
# When the updater improves, lower its limits. `cargo xtask bench --write-limits` writes the file anew, with a small
# margin above what it measures: check in its diff that no limit was raised.
";

/// By case and figure.
#[derive(Debug, Default, PartialEq)]
pub struct Limits(BTreeMap<String, BTreeMap<String, f64>>);

impl Limits {
    fn path() -> PathBuf {
        repository().join("xtask/bench.toml")
    }

    /// Read the file.
    pub fn load() -> Result<Self> {
        let path = Self::path();
        let text =
            std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("{} is no list of limits", path.display()))
    }

    fn parse(text: &str) -> Result<Self> {
        let limits: BTreeMap<String, BTreeMap<String, f64>> = toml::from_str(text)?;
        ensure!(limits.values().any(|figures| !figures.is_empty()), "it has none");
        Ok(Self(limits))
    }

    /// The cases with limits.
    pub fn cases(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Whether a case has a limit of instructions.
    pub fn has_instructions(&self, case: &str) -> bool {
        self.0.get(case).is_some_and(|figures| figures.keys().any(|key| key.starts_with("instructions")))
    }

    /// Compare the figures of a case with its limits: a line for each limit, and whether it is broken.
    ///
    /// # Errors
    /// When a figure with a limit was not measured.
    pub fn judge(&self, case: &str, figures: &BTreeMap<String, f64>) -> Result<Vec<(String, bool)>> {
        let mut out = Vec::new();
        for (key, limit) in self.0.get(case).into_iter().flatten() {
            let Some(value) = figures.get(key) else {
                bail!(
                    "xtask/bench.toml has a limit for {key:?} of {case}, which is not measured; there is {}",
                    figures.keys().cloned().collect::<Vec<_>>().join(", ")
                );
            };
            let broken = value.is_nan() || value > limit;
            let verdict = if broken { "OVER the limit of" } else { "limit" };
            out.push((format!("{case} {key}: {}, {verdict} {limit}", short(*value)), broken));
        }
        Ok(out)
    }

    /// Set the limits of a case from its figures, with their margins.
    pub fn take(&mut self, case: &str, figures: &BTreeMap<String, f64>) {
        let limit = |(key, margin): &(&str, f64)| {
            let value = figures.get(*key)? * (1.0 + margin / 100.0);
            // Ratios get two digits, counts none. Rounded up, so that the measured value is not above its limit.
            let scale = if key.contains('/') || key.contains("-per-") { 100.0 } else { 1.0 };
            Some(((*key).to_owned(), (value * scale).ceil() / scale))
        };
        self.0.insert(case.to_owned(), LIMITED.iter().filter_map(limit).collect());
    }

    /// Write the file.
    pub fn save(&self) -> Result<()> {
        let mut text = HEAD.to_owned();
        for (case, figures) in &self.0 {
            text.push_str(&format!("\n[\"{case}\"]\n"));
            for (key, _) in LIMITED {
                if let Some(limit) = figures.get(key) {
                    let quote = if key.contains('/') { "\"" } else { "" };
                    text.push_str(&format!("{quote}{key}{quote} = {limit}\n"));
                }
            }
        }
        let path = Self::path();
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    }
}

/// The updater's figures of a case, and their ratios to those of the others, by their names in the limits file.
pub fn named(case: &Case) -> BTreeMap<String, f64> {
    let mut out = BTreeMap::new();
    for figure in case.figures() {
        if let Some(value) = figure.values[Subject::Updater as usize] {
            out.insert(figure.key.to_owned(), value);
        }
        for other in [Subject::Mip, Subject::Floor] {
            if let Some(ratio) = figure.ratio(other) {
                out.insert(format!("{}/{}", figure.key, other.key()), ratio);
            }
        }
    }
    out
}

fn short(value: f64) -> String {
    if value.fract() == 0.0 { format!("{value}") } else { format!("{value:.2}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(list: &[(&str, f64)]) -> BTreeMap<String, f64> {
        list.iter().map(|(key, value)| ((*key).to_owned(), *value)).collect()
    }

    #[test]
    fn a_figure_above_its_limit_is_named_with_both() {
        let limits = Limits::parse("[\"10.all\"]\nrequests = 5\n\"slow/mip\" = 0.35\n").unwrap();
        let mut cases = 0;
        for (requests, slow, said) in [
            (5.0, 0.35, ["10.all requests: 5, limit 5", "10.all slow/mip: 0.35, limit 0.35"]),
            (6.0, 0.34, ["10.all requests: 6, OVER the limit of 5", "10.all slow/mip: 0.34, limit 0.35"]),
            (4.0, 0.36, ["10.all requests: 4, limit 5", "10.all slow/mip: 0.36, OVER the limit of 0.35"]),
            (4.0, f64::NAN, ["10.all requests: 4, limit 5", "10.all slow/mip: NaN, OVER the limit of 0.35"]),
        ] {
            let judged =
                limits.judge("10.all", &figures(&[("requests", requests), ("slow/mip", slow)])).unwrap();
            let expected = said.map(|line| (line.to_owned(), line.contains("OVER")));
            assert_eq!(judged, expected);
            cases += 1;
        }
        assert_eq!(cases, 4);
        println!("  cases {cases}: figures and their limits");
    }

    #[test]
    fn a_limit_without_a_figure_and_a_file_without_limits_are_errors() {
        let limits = Limits::parse("[\"10.all\"]\nreqests = 5\n").unwrap();
        let error = limits.judge("10.all", &figures(&[("requests", 1.0)])).unwrap_err().to_string();
        assert!(error.contains("\"reqests\" of 10.all, which is not measured; there is requests"), "{error}");
        assert!(Limits::parse("").is_err());
        assert!(Limits::parse("[\"10.all\"]\n").is_err());
    }

    #[test]
    fn what_is_taken_is_kept_by_the_same_figures_and_by_no_larger_one() {
        let mut limits = Limits::default();
        let today =
            figures(&[("requests", 5.0), ("slow/mip", 0.3499), ("instructions", 200.6), ("wall", 3.0)]);
        limits.take("10.all", &today);
        assert_eq!(
            limits.0["10.all"],
            figures(&[("requests", 5.0), ("slow/mip", 0.36), ("instructions", 207.0)])
        );
        let judged = limits.judge("10.all", &today).unwrap();
        assert!(judged.len() == 3 && judged.iter().all(|(_, broken)| !broken), "{judged:?}");
        for key in ["requests", "slow/mip", "instructions"] {
            let mut worse = today.clone();
            *worse.get_mut(key).unwrap() *= 1.1;
            assert_eq!(
                limits.judge("10.all", &worse).unwrap().iter().filter(|(_, broken)| *broken).count(),
                1
            );
        }
    }
}
