//! Secrets in JSON, TOML, and files of lines.

use serde_json::Value;

use super::Suspicion;
use super::key;

/// The first secret in a JSON file. What is no JSON is read line by line.
pub(super) fn json(bytes: &[u8]) -> Option<Suspicion> {
    match serde_json::from_slice::<Value>(bytes) {
        Ok(value) => in_tree(bytes, &value),
        Err(_) => lines(bytes, Values::Any),
    }
}

/// The first secret in a TOML file. What is no TOML is read line by line.
pub(super) fn toml(bytes: &[u8]) -> Option<Suspicion> {
    match toml::from_str::<Value>(&String::from_utf8_lossy(bytes)) {
        Ok(value) => in_tree(bytes, &value),
        Err(_) => lines(bytes, Values::Any),
    }
}

fn in_tree(bytes: &[u8], value: &Value) -> Option<Suspicion> {
    match value {
        Value::Array(items) => items.iter().find_map(|item| in_tree(bytes, item)),
        Value::Object(entries) => entries.iter().find_map(|(name, value)| match value {
            Value::String(text) if key::is_secret(name, text) => {
                Some(Suspicion::value(name, line_of(bytes, name, text)))
            }
            value => in_tree(bytes, value),
        }),
        _ => None,
    }
}

/// The line that has both; the parsers do not say. `None` where they stand apart, or escaped.
fn line_of(bytes: &[u8], name: &str, value: &str) -> Option<usize> {
    let text = String::from_utf8_lossy(bytes);
    let at = text.lines().position(|line| line.contains(name) && line.contains(value))?;
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

/// The first secret in a file of `name = value` and `name: value`.
pub(super) fn lines(bytes: &[u8], values: Values) -> Option<Suspicion> {
    let text = String::from_utf8_lossy(bytes);
    for (number, line) in text.lines().enumerate() {
        if let Some((name, value)) = entry(line, values)
            && key::is_secret(name, value)
        {
            return Some(Suspicion::value(name, Some(number + 1)));
        }
    }
    None
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
