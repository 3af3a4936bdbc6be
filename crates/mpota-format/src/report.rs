//! What a board tells of itself in the header `Mpota-Report`: `spec/report.md`.
//!
//! The text comes from strangers. Whatever is not of the form is refused with a code, and nothing that is taken has a
//! character other than printable ASCII or is longer than its limit.

use std::fmt;

use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use thiserror::Error;

use crate::limits;
use crate::rollout::is_id;
use crate::version::Version;

/// The header's name.
pub const HEADER: &str = "mpota-report";

/// A report that was taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Which board it is.
    pub id: String,
    /// The installed version.
    pub version: Option<String>,
    /// Where its update stands, as its journal names it.
    pub state: Option<String>,
    /// The version that it came back from.
    pub bad: Option<String>,
    /// Why it came back.
    pub why: Option<String>,
    /// The version of MicroPython.
    pub micropython: Option<String>,
    /// The board's name.
    pub board: Option<String>,
    /// Free bytes of flash.
    pub flash: Option<u64>,
    /// Free bytes of heap.
    pub memory: Option<u64>,
    /// Starts in the trial.
    pub boots: Option<u64>,
}

/// Why a report is refused.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ReportError {
    /// It has more bytes than allowed.
    #[error("the report has more than {max} bytes", max = limits::REPORT)]
    Length,
    /// A byte of it is not printable ASCII.
    #[error("the report has a byte that is not printable ASCII")]
    Ascii,
    /// It is not one JSON object.
    #[error("the report is not one JSON object")]
    Json,
    /// A key is there twice.
    #[error("the report has a key twice")]
    Twice,
    /// There is no id, or it is not of the form.
    #[error("the report has no `id` of 1 to {max} letters, digits, `.`, `_`, `-`", max = limits::ID)]
    Id,
    /// `version` or `bad` is not a version.
    #[error("`version` or `bad` in the report is not a version")]
    Version,
    /// The state is not a word.
    #[error("`state` in the report is not a word of 1 to {max} letters `a` to `z`", max = limits::STATE)]
    State,
    /// `why`, `micropython` or `board` is no text, is too long, or has a character that is not printable ASCII.
    #[error("`why`, `micropython` or `board` in the report is not a short text of printable ASCII")]
    Text,
    /// A number is not one of 0 to 2^53 - 1.
    #[error("`flash`, `memory` or `boots` in the report is not a whole number that is not negative")]
    Number,
}

impl ReportError {
    /// All of them, in the order in which they are found.
    pub const ALL: [Self; 9] = [
        Self::Length,
        Self::Ascii,
        Self::Json,
        Self::Twice,
        Self::Id,
        Self::Version,
        Self::State,
        Self::Text,
        Self::Number,
    ];

    /// The code of the spec's table.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Length => "length",
            Self::Ascii => "ascii",
            Self::Json => "json",
            Self::Twice => "twice",
            Self::Id => "id",
            Self::Version => "version",
            Self::State => "state",
            Self::Text => "text",
            Self::Number => "number",
        }
    }
}

impl Report {
    /// Reads the value of the header.
    ///
    /// # Errors
    /// The first rule of the spec that it breaks.
    pub fn parse(value: &[u8]) -> Result<Self, ReportError> {
        if value.len() > limits::REPORT {
            return Err(ReportError::Length);
        }
        if !value.iter().all(|byte| printable(char::from(*byte))) {
            return Err(ReportError::Ascii);
        }
        let mut reader = serde_json::Deserializer::from_slice(value);
        let mut fields = Fields::default();
        let read = reader.deserialize_map(&mut fields).and_then(|()| reader.end());
        if fields.twice {
            return Err(ReportError::Twice);
        }
        read.map_err(|_| ReportError::Json)?;
        fields.report()
    }
}

fn printable(letter: char) -> bool {
    (' '..='~').contains(&letter)
}

/// The keys, in the order of [`Fields::values`].
const KEYS: [&str; 10] =
    ["id", "version", "state", "bad", "why", "micropython", "board", "flash", "memory", "boots"];

/// A value as it came.
#[derive(Clone, Default)]
enum Value {
    #[default]
    Missing,
    Text(String),
    Number(u64),
    Other,
}

#[derive(Default)]
struct Fields {
    values: [Value; KEYS.len()],
    twice: bool,
}

impl<'de> Visitor<'de> for &mut Fields {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        // Keys of a later version are passed over, but not twice either.
        let mut seen = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            let place = KEYS.iter().position(|known| *known == key);
            if seen.contains(&key) {
                self.twice = true;
                return Err(A::Error::custom("a key twice"));
            }
            seen.push(key);
            match place.and_then(|place| self.values.get_mut(place)) {
                Some(value) => *value = map.next_value()?,
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

impl<'de> serde::Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::String(text) => Self::Text(text),
            serde_json::Value::Number(number) => number.as_u64().map_or(Self::Other, Self::Number),
            _ => Self::Other,
        })
    }
}

impl Fields {
    fn report(self) -> Result<Report, ReportError> {
        let [id, version, state, bad, why, micropython, board, flash, memory, boots] = self.values;
        let id = text(id, ReportError::Id, is_id)?.ok_or(ReportError::Id)?;
        let is_version = |text: &str| Version::parse(text).is_ok();
        let version = text(version, ReportError::Version, is_version)?;
        let bad = text(bad, ReportError::Version, is_version)?;
        let is_word = |text: &str| {
            (1..=limits::STATE).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_lowercase())
        };
        let state = text(state, ReportError::State, is_word)?;
        let short = |most: usize| move |text: &str| text.len() <= most && text.chars().all(printable);
        Ok(Report {
            id,
            version,
            state,
            bad,
            why: text(why, ReportError::Text, short(limits::WHY))?,
            micropython: text(micropython, ReportError::Text, short(limits::WORD))?,
            board: text(board, ReportError::Text, short(limits::BOARD))?,
            flash: number(flash)?,
            memory: number(memory)?,
            boots: number(boots)?,
        })
    }
}

fn text(
    value: Value,
    error: ReportError,
    good: impl Fn(&str) -> bool,
) -> Result<Option<String>, ReportError> {
    match value {
        Value::Missing => Ok(None),
        Value::Text(text) if good(&text) => Ok(Some(text)),
        _ => Err(error),
    }
}

fn number(value: Value) -> Result<Option<u64>, ReportError> {
    match value {
        Value::Missing => Ok(None),
        Value::Number(number) if number <= limits::REPORT_NUMBER => Ok(Some(number)),
        _ => Err(ReportError::Number),
    }
}
