//! The reserved place of header and file lines: what later versions add there, and others pass over.

use std::collections::BTreeMap;

use crate::limits;
use crate::line::{Line, Wrong, quoted};

/// The members of a `more`, by their keys; the default is none.
pub type More = BTreeMap<String, MoreValue>;

/// A member's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MoreValue {
    /// One string or number.
    One(MoreItem),
    /// An array of one or more.
    Many(Vec<MoreItem>),
}

/// A string or a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MoreItem {
    /// Printable ASCII without `"` and `\`, empty too.
    Text(String),
    /// At most [`limits::NUMBER`].
    Number(u64),
}

/// Whether a key has the form of those in `more`.
pub(super) fn is_key(key: &str) -> bool {
    let byte = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-".contains(&b);
    (1..=limits::WORD).contains(&key.len()) && key.bytes().all(byte)
}

/// Whether `text` is printable ASCII that JSON writes as it is.
pub(super) fn is_plain(text: &str) -> bool {
    text.bytes().all(|b| matches!(b, b' '..=b'~') && b != b'"' && b != b'\\')
}

/// Reads a `more`.
pub(super) fn more(line: &mut Line<'_>) -> Result<More, Wrong> {
    let mut out = More::new();
    line.expect("{")?;
    loop {
        let key = line.string()?;
        if !is_key(&key) {
            return Err(format!("`more` cannot have the key {key:?}"));
        }
        if out.last_key_value().is_some_and(|(last, _)| *last >= key) {
            return Err(format!("the key {key:?} of `more` is out of order"));
        }
        line.expect(":")?;
        let value = value(line)?;
        out.insert(key, value);
        if line.maybe("}") {
            return Ok(out);
        }
        line.expect(",")?;
    }
}

fn value(line: &mut Line<'_>) -> Result<MoreValue, Wrong> {
    if !line.maybe("[") {
        return Ok(MoreValue::One(item(line)?));
    }
    let mut items = Vec::new();
    loop {
        items.push(item(line)?);
        if line.maybe("]") {
            return Ok(MoreValue::Many(items));
        }
        line.expect(",")?;
    }
}

fn item(line: &mut Line<'_>) -> Result<MoreItem, Wrong> {
    if line.is_at('"') {
        let text = line.string()?;
        if is_plain(&text) { Ok(MoreItem::Text(text)) } else { Err(format!("the text {text:?} in `more`")) }
    } else {
        let number = line.number()?;
        let most = limits::NUMBER;
        if number <= most { Ok(MoreItem::Number(number)) } else { Err(format!("a number above {most}")) }
    }
}

/// A `more` as it is written; `None` where it has no members.
pub(super) fn text(more: &More) -> Option<String> {
    let item = |item: &MoreItem| match item {
        MoreItem::Text(text) => quoted(text),
        MoreItem::Number(number) => number.to_string(),
    };
    let value = |value: &MoreValue| match value {
        MoreValue::One(one) => item(one),
        MoreValue::Many(many) => format!("[{}]", many.iter().map(item).collect::<Vec<_>>().join(",")),
    };
    let pairs: Vec<String> =
        more.iter().map(|(key, member)| format!("{}:{}", quoted(key), value(member))).collect();
    (!pairs.is_empty()).then(|| format!("{{{}}}", pairs.join(",")))
}
