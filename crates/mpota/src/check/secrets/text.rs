//! Secrets in JSON, TOML, and files of lines.

use serde_json::Value;

use super::Suspicion;
use super::key::{self, Kind};
use super::networks::{self, Item};

/// The secrets in a JSON file. What is no JSON is read line by line.
pub(super) fn json(name: &str, bytes: &[u8]) -> Vec<Suspicion> {
    match serde_json::from_slice::<Value>(bytes) {
        Ok(value) => tree(name, bytes, &value),
        Err(_) => lines(bytes, Values::Any),
    }
}

/// The secrets in a TOML file. What is no TOML is read line by line.
pub(super) fn toml(name: &str, bytes: &[u8]) -> Vec<Suspicion> {
    match toml::from_str::<Value>(&String::from_utf8_lossy(bytes)) {
        Ok(value) => tree(name, bytes, &value),
        Err(_) => lines(bytes, Values::Any),
    }
}

/// The whole file may be a list of networks, by its name.
fn tree(name: &str, bytes: &[u8], value: &Value) -> Vec<Suspicion> {
    let mut found = Vec::new();
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    in_networks(bytes, stem, value, &mut found);
    in_tree(bytes, value, &mut found);
    found
}

fn in_tree(bytes: &[u8], value: &Value, found: &mut Vec<Suspicion>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| in_tree(bytes, item, found)),
        Value::Object(entries) => {
            for (name, value) in entries {
                match value {
                    Value::String(text) if key::is_secret(name, text) => {
                        found.push(Suspicion::value(name, line_of(bytes, &[name, text])));
                    }
                    value => {
                        in_networks(bytes, name, value, found);
                        in_tree(bytes, value, found);
                    }
                }
            }
        }
        _ => {}
    }
}

fn in_networks(bytes: &[u8], name: &str, value: &Value, found: &mut Vec<Suspicion>) {
    let lines = networks::passwords(name, &item(bytes, value));
    found.extend(lines.into_iter().map(|line| Suspicion::network(name, line)));
}

fn item(bytes: &[u8], value: &Value) -> Item {
    match value {
        Value::String(text) => Item::Text(text.clone(), line_of(bytes, &[text])),
        Value::Array(items) => Item::List(items.iter().map(|value| item(bytes, value)).collect()),
        Value::Object(entries) => {
            Item::Map(entries.iter().map(|(name, value)| (name.clone(), item(bytes, value))).collect())
        }
        _ => Item::Other,
    }
}

/// The line that has all of the words; the parsers do not say. `None` where they stand apart, or escaped.
fn line_of(bytes: &[u8], words: &[&str]) -> Option<usize> {
    let text = String::from_utf8_lossy(bytes);
    let at = text.lines().position(|line| words.iter().all(|word| line.contains(word)))?;
    Some(at + 1)
}

/// What counts as a value in a file of lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Values {
    /// Everything up to the end of the line.
    Any,
    /// One word, or something in quotes: more than that is prose.
    OneWord,
}

/// The secrets in a file of `name = value` and `name: value`.
pub(super) fn lines(bytes: &[u8], values: Values) -> Vec<Suspicion> {
    let text = String::from_utf8_lossy(bytes);
    let secret = |(number, line)| {
        let (name, _) = entry(line, values).filter(|(name, value)| key::is_secret(name, value))?;
        Some(Suspicion::value(name, Some(number + 1)))
    };
    text.lines().enumerate().filter_map(secret).collect()
}

/// The passwords in a file that something that manages Wi-Fi wrote: `name;password` in each line, or the name
/// in the first line and the password in the second.
pub(super) fn networks(name: &str, bytes: &[u8]) -> Vec<Suspicion> {
    if name.ends_with(".json") {
        return Vec::new();
    }
    let text = String::from_utf8_lossy(bytes);
    let mut lines = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let pair = [';', ',', '\t', ':', '='].iter().find_map(|between| line.split_once(*between));
        if let Some((ssid, rest)) = pair.filter(|(ssid, _)| !ssid.trim().is_empty() && !ssid.starts_with('#'))
        {
            let password = rest.split([';', ',', '\t']).next().unwrap_or(rest).trim();
            if is_network(ssid, password) {
                lines.push(at + 1);
            }
        }
    }
    if let [ssid, password] = text.lines().collect::<Vec<_>>()[..]
        && lines.is_empty()
        && !ssid.trim().is_empty()
        && networks::is_password(password.trim())
        && password.split_whitespace().count() == 1
    {
        lines.push(2);
    }
    lines.into_iter().map(|line| Suspicion::network(name, Some(line))).collect()
}

/// Whether a line holds these two, and not the setting of something else.
fn is_network(ssid: &str, password: &str) -> bool {
    let setting = networks::passwords(
        "wifi",
        &Item::Map(vec![(ssid.trim().to_owned(), Item::Text(password.to_owned(), None))]),
    );
    !setting.is_empty() && key::is_value(Kind::Password, password)
}

/// Name and value of a line, without what stands around them.
fn entry(line: &str, values: Values) -> Option<(&str, &str)> {
    let line = line.trim().trim_start_matches("- ").trim_start_matches("export ").trim_start();
    if line.starts_with(['#', ';']) || line.starts_with("//") {
        return None;
    }
    let at = line.find(['=', ':'])?;
    let name = line[..at].trim().trim_matches(['"', '\'']);
    let part = |c: char| c.is_alphanumeric() || "._- ".contains(c);
    if name.is_empty() || name.split(' ').count() > 3 || !name.chars().all(part) {
        return None;
    }
    let rest = line[at + 1..].trim();
    if let Some(quote) = rest.chars().next().filter(|c| ['"', '\''].contains(c)) {
        let inner = &rest[1..];
        return Some((name, &inner[..inner.find(quote).unwrap_or(inner.len())]));
    }
    let end = [" #", " ;", "\t#"].iter().filter_map(|comment| rest.find(comment)).min();
    let value = rest[..end.unwrap_or(rest.len())].trim().trim_end_matches(',');
    // YAML's references, lists, and text on the lines below; words for nothing; small numbers.
    let structure = value.starts_with(['!', '*', '&', '|', '>', '[', '{', '#']);
    let nothing = ["true", "false", "yes", "no", "on", "off", "none", "null", "~", "nil"];
    let word = nothing.contains(&value.to_ascii_lowercase().as_str());
    let small = value.len() < 8 && value.bytes().all(|byte| byte.is_ascii_digit());
    let prose = values == Values::OneWord && value.contains(char::is_whitespace);
    (!structure && !word && !small && !prose).then_some((name, value))
}
