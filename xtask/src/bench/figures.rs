//! The figures of one case: of the updater, of `mip` and of the floor.

use super::corpus::{Change, Corpus};
use super::flash::Flash;
use super::host::Times;
use super::place::Subject;
use super::wire::{SLOW, Traffic};
use serde_json::{Map, Value, json};

/// The measurements of one subject.
#[derive(Debug, Clone, Default)]
pub struct Measured {
    /// Traffic until the update is staged.
    pub traffic: Traffic,
    /// The same over https, if measured.
    pub https: Option<Traffic>,
    /// Times on a folder of the host.
    pub times: Times,
    /// Wall time over a simulated [`SLOW`] link, if measured.
    pub waited: Option<std::time::Duration>,
    /// Instructions, if counted: until the update is staged, and for its installation.
    pub instructions: Option<[u64; 2]>,
    /// The virtual board's flash, for the whole update: with installation, trial and confirmation.
    pub flash: Flash,
}

/// The measurements of one case.
#[derive(Debug, Clone)]
pub struct Case {
    /// The app.
    pub corpus: Corpus,
    /// The change.
    pub change: Change,
    /// The number of changed files, and their bytes.
    pub changed: (u64, u64),
    /// For each of [`Subject::ALL`].
    pub measured: [Measured; 3],
}

/// One figure.
#[derive(Debug, Clone)]
pub struct Figure {
    /// Its name in JSON and in the limits.
    pub key: &'static str,
    /// For people.
    pub what: &'static str,
    /// The value of each of [`Subject::ALL`], if it has one.
    pub values: [Option<f64>; 3],
    /// Digits behind the point.
    pub digits: usize,
}

impl Figure {
    /// The updater's value divided by another subject's; None if that is missing or 0.
    pub fn ratio(&self, to: Subject) -> Option<f64> {
        let other = self.values[to as usize]?;
        (other > 0.0).then_some(self.values[Subject::Updater as usize]? / other)
    }
}

type Of = fn(&Case, &Measured) -> Option<f64>;

/// Name, description, digits, value.
const FIGURES: [(&str, &str, usize, Of); 21] = [
    ("connections", "connections", 0, |_, m| Some(m.traffic.connections as f64)),
    ("requests", "requests", 0, |_, m| Some(m.traffic.requests as f64)),
    ("down", "bytes down", 0, |_, m| Some(m.traffic.down as f64)),
    ("up", "bytes up", 0, |_, m| Some(m.traffic.up as f64)),
    ("slow", "ms over a link of 100 ms, 50 KB/s", 0, |_, m| Some(ms(SLOW.time(&m.traffic)))),
    ("waited", "  simulated in real time, with CPU", 0, |_, m| m.waited.map(ms)),
    ("slow-https", "  over https", 0, |_, m| Some(ms(SLOW.time(m.https.as_ref()?)))),
    ("instructions", "million instructions", 1, |_, m| some(m.instructions?[0] as f64 / 1e6)),
    ("instructions-install", "million instructions, installation", 1, |_, m| {
        some(m.instructions?[1] as f64 / 1e6)
    }),
    ("instructions-all", "million instructions, both", 1, |_, m| {
        Some(m.instructions?.iter().sum::<u64>() as f64 / 1e6)
    }),
    ("cpu", "CPU ms", 1, |_, m| Some(ms(m.times.update))),
    ("cpu-install", "CPU ms, installation", 1, |_, m| some(ms(m.times.install))),
    ("cpu-all", "CPU ms, both", 1, |_, m| Some(ms(m.times.update + m.times.install))),
    ("wall", "wall ms on this machine", 1, |_, m| Some(ms(m.times.wall))),
    ("erases", "blocks erased", 0, |_, m| Some(m.flash.all.erases as f64)),
    ("programmed", "bytes programmed", 0, |_, m| Some(m.flash.all.programmed as f64)),
    ("programmed-per-byte", "bytes programmed per byte changed", 2, |case, m| {
        (case.changed.1 > 0).then_some(m.flash.all.programmed as f64 / case.changed.1 as f64)
    }),
    ("read", "KB read", 0, |_, m| Some(m.flash.all.read as f64 / 1024.0)),
    ("read-plan", "KB read, plan", 0, |_, m| read(m, &["plan"])),
    ("read-fetch", "KB read, fetch and stage", 0, |_, m| read(m, &["fetch", "stage"])),
    ("read-swap", "KB read, swap and second look", 0, |_, m| read(m, &["swap", "look"])),
];

fn ms(time: std::time::Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn some(value: f64) -> Option<f64> {
    (value > 0.0).then_some(value)
}

/// KB read in these phases; None if there were none.
fn read(measured: &Measured, phases: &[&str]) -> Option<f64> {
    let all = measured.flash.phases.iter();
    let found: Vec<_> = all.filter(|(name, _)| phases.contains(&name.as_str())).collect();
    (!found.is_empty()).then(|| found.iter().map(|(_, work)| work.read as f64 / 1024.0).sum())
}

impl Case {
    /// Its name in JSON and in the limits.
    pub fn key(&self) -> String {
        format!("{}.{}", self.corpus.key, self.change.key())
    }

    /// All figures of the case.
    pub fn figures(&self) -> Vec<Figure> {
        let figure = |(key, what, digits, of): (&'static str, &'static str, usize, Of)| Figure {
            key,
            what,
            digits,
            values: [0, 1, 2].map(|i| of(self, &self.measured[i])),
        };
        FIGURES.into_iter().map(figure).collect()
    }

    /// Tables for people.
    pub fn table(&self) -> String {
        let (files, bytes) = self.changed;
        let mut out = format!(
            "\n{}: {}, {} ({files} files, {bytes} bytes)\n{:42} {:>11} {:>11} {:>11} {:>8} {:>8}\n",
            self.key(),
            self.corpus.what,
            self.change.what(),
            "",
            "updater",
            "mip",
            "floor",
            "/ mip",
            "/ floor"
        );
        for figure in self.figures().into_iter().filter(|figure| figure.values.iter().any(Option::is_some)) {
            let value = |v: Option<f64>| v.map_or(String::new(), |v| format!("{v:.*}", figure.digits));
            let ratio = |to| figure.ratio(to).map_or(String::new(), |v| format!("{v:.2}"));
            let [updater, mip, floor] = figure.values.map(value);
            out.push_str(&format!(
                "{:42} {updater:>11} {mip:>11} {floor:>11} {:>8} {:>8}\n",
                figure.what,
                ratio(Subject::Mip),
                ratio(Subject::Floor)
            ));
        }
        out.push_str("    by phase of the updater: erases, KB programmed, KB read\n");
        for (name, work) in &self.measured[Subject::Updater as usize].flash.phases {
            let (programmed, read) = (work.programmed as f64 / 1024.0, work.read / 1024);
            out.push_str(&format!("    {name:38} {:>11} {programmed:>11.1} {read:>11}\n", work.erases));
        }
        out
    }

    /// All figures, and the phases, as JSON.
    pub fn json(&self) -> Value {
        let mut out = Map::new();
        out.insert("changed".into(), json!({ "files": self.changed.0, "bytes": self.changed.1 }));
        for figure in self.figures() {
            let values = Subject::ALL.iter().zip(figure.values);
            let values: Map<_, _> = values.map(|(s, v)| (s.key().to_owned(), json!(v))).collect();
            out.insert(figure.key.into(), Value::Object(values));
        }
        let mut phases = Map::new();
        for (subject, measured) in Subject::ALL.iter().zip(&self.measured) {
            let of = |(name, work): &(String, super::flash::Work)| {
                let work = json!({ "erases": work.erases, "programmed": work.programmed, "read": work.read });
                (name.clone(), work)
            };
            phases.insert(subject.key().into(), measured.flash.phases.iter().map(of).collect());
        }
        out.insert("phases".into(), phases.into());
        Value::Object(out)
    }
}
