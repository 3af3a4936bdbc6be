//! Knows a secret by its name and by what is in it.

mod address;
mod der;
mod key;
mod names;
mod networks;
pub(crate) mod source;
mod text;
mod tokens;

use std::collections::BTreeSet;
use std::fmt;

use crate::check::allow::is_python;
pub use names::by_name;

/// Why a file should not be published. The secret itself is not in here.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Suspicion {
    /// The line, from 1, where it is one line.
    pub line: Option<usize>,
    /// How it was seen.
    pub why: String,
}

impl Suspicion {
    fn new(why: impl Into<String>) -> Self {
        Self { line: None, why: why.into() }
    }

    /// A value in plain text, under a name that says what it is.
    fn value(name: &str, line: Option<usize>) -> Self {
        Self { line, why: format!("{name} has its value in plain text") }
    }

    /// A password in a list of networks that has this name.
    fn network(name: &str, line: Option<usize>) -> Self {
        Self { line, why: format!("{name} has the password of a network in plain text") }
    }

    fn at(mut self, bytes: &[u8], offset: usize) -> Self {
        self.line = Some(bytes[..offset].iter().filter(|byte| **byte == b'\n').count() + 1);
        self
    }
}

impl fmt::Display for Suspicion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

/// Why this file should not be published: everything that is seen in it, by its lines.
pub fn suspicions(path: &str, bytes: &[u8]) -> Vec<Suspicion> {
    by_name(path).into_iter().chain(by_content(path, bytes)).collect()
}

/// The same, by the content alone; the name tells how to read it.
pub fn by_content(path: &str, bytes: &[u8]) -> Vec<Suspicion> {
    by_content_and_tree(path, bytes, None)
}

/// The same; `in_tree` is what [`source::in_module`] has found, if it has looked.
pub(crate) fn by_content_and_tree(
    path: &str,
    bytes: &[u8],
    in_tree: Option<&Vec<Suspicion>>,
) -> Vec<Suspicion> {
    let mut found: BTreeSet<Suspicion> = in_bytes(bytes).collect();
    if der::is_key(bytes) {
        found.insert(Suspicion::new("it is a private key"));
    }
    let name = names::original(path);
    if is_python(&name) {
        found.extend(in_tree.cloned().unwrap_or_else(|| source::find(bytes)));
        return found.into_iter().collect();
    }
    let end = if names::is_environment(&name) { "env" } else { name.rsplit_once('.').map_or("", |n| n.1) };
    found.extend(match end {
        "json" => text::json(&name, bytes),
        "toml" => text::toml(&name, bytes),
        "txt" => text::lines(bytes, text::Values::OneWord),
        "ini" | "cfg" | "env" | "yaml" | "yml" | "conf" | "nmconnection" | "properties" => {
            text::lines(bytes, text::Values::Any)
        }
        _ => Vec::new(),
    });
    if names::of_networks(&name) {
        found.extend(text::networks(&name, bytes));
    }
    found.into_iter().collect()
}

/// What is known by its look, wherever it stands.
fn in_bytes(bytes: &[u8]) -> impl Iterator<Item = Suspicion> {
    tokens::find(bytes).chain(address::find(bytes)).map(|(at, why)| Suspicion::new(why).at(bytes, at))
}

#[cfg(test)]
mod tests;
