//! What was measured: lines for a person or JSON, and the limits it has to keep.

use anyhow::{Result, bail};
use serde_json::{Map, Value, json};

/// A figure must not be larger than this.
struct Limit {
    /// Which figure.
    key: &'static str,
    /// The most, in the figure's own unit.
    most: u32,
}

/// All limits, for 32-bit words and `.mpy` where the figure does not say otherwise. KB of heap are those
/// from which every larger heap works.
const LIMITS: [Limit; 14] = [
    Limit { key: "update", most: 36 },
    Limit { key: "install", most: 31 },
    Limit { key: "update-py", most: 64 },
    Limit { key: "update-1000", most: 38 },
    Limit { key: "install-1000", most: 38 },
    Limit { key: "update-1000-more", most: 2 },
    Limit { key: "private-3", most: 40 },
    Limit { key: "private-100", most: 40 },
    Limit { key: "private-plain", most: 40 },
    Limit { key: "nothing-new", most: 24 },
    Limit { key: "boot", most: 8 },
    Limit { key: "boot-kept", most: 3200 },
    Limit { key: "main-kept", most: 1700 },
    // Two figures, for all but `deflate`'s window and the interpreter's own table of names.
    Limit { key: "largest", most: 1104 },
];

/// The limit of a figure, where it has one.
pub fn limit(key: &str) -> Option<u32> {
    LIMITS.iter().find(|l| l.key == key).map(|l| l.most)
}

/// Takes the figures in as they come.
pub struct Report {
    json: bool,
    figures: Map<String, Value>,
    judged: Vec<&'static str>,
    broken: Vec<String>,
}

impl Report {
    /// With JSON the lines go to the error output.
    pub fn new(json: bool) -> Self {
        Self { json, figures: Map::new(), judged: Vec::new(), broken: Vec::new() }
    }

    /// A line for a person.
    pub fn line(&self, text: &str) {
        if self.json {
            eprintln!("{text}");
        } else {
            println!("{text}");
        }
    }

    /// A figure, with what there is to say about it.
    pub fn figure(&mut self, key: &str, value: u64, unit: &str, what: &str) {
        let verdict = self.judge(key, value, unit, what);
        self.line(&format!("{value:>7} {unit:<5} {what}{verdict}"));
        self.figures.insert(key.into(), value.into());
    }

    /// Something that only the JSON has.
    pub fn detail(&mut self, key: &str, value: Value) {
        self.figures.insert(key.into(), value);
    }

    /// A limit that is kept, without the figure itself.
    pub fn kept(&mut self, key: &str, unit: &str, what: &str) {
        if let Some(limit) = LIMITS.iter().find(|l| l.key == key) {
            self.judged.push(limit.key);
            self.line(&format!("     ok {unit:<5} {what}: {} are enough", limit.most));
            self.figures.insert(key.into(), json!({ "at_most": limit.most }));
        }
    }

    /// A limit that is broken, without the figure itself.
    pub fn broken(&mut self, key: &str, what: &str, why: &str) {
        if let Some(limit) = LIMITS.iter().find(|l| l.key == key) {
            self.judged.push(limit.key);
            self.line(&format!("   OVER {:<5} {what}: the limit of {}, {why}", "", limit.most));
            self.broken.push(format!("{what}: the limit is {}; {why}", limit.most));
        }
    }

    fn judge(&mut self, key: &str, value: u64, unit: &str, what: &str) -> String {
        let Some(limit) = LIMITS.iter().find(|l| l.key == key) else { return String::new() };
        self.judged.push(limit.key);
        if value <= limit.most.into() {
            return format!("  [limit {}]", limit.most);
        }
        self.broken.push(format!("{what}: {value} {unit}, the limit is {}", limit.most));
        format!("  [OVER the limit of {}]", limit.most)
    }

    /// Print what is left to print. An error with a line for each limit that is broken, where that is
    /// wanted.
    pub fn end(mut self, check: bool) -> Result<()> {
        if self.json {
            self.figures.insert("broken".into(), json!(self.broken));
            println!("{:#}", Value::Object(std::mem::take(&mut self.figures)));
        }
        if check {
            let missing: Vec<_> =
                LIMITS.iter().map(|l| l.key).filter(|k| !self.judged.contains(k) && *k != MORE).collect();
            if !missing.is_empty() {
                bail!("limits that nothing was measured for: {}", missing.join(", "));
            }
            let summary = format!("{} limits, {} broken", self.judged.len(), self.broken.len());
            self.line(&summary);
            if !self.broken.is_empty() {
                bail!("limits that are broken:\n  {}", self.broken.join("\n  "));
            }
        }
        Ok(())
    }
}

/// The one limit that a check has in another one: that of 1,000 files is 2 KB above that of 10.
const MORE: &str = "update-1000-more";
