//! The journal of `spec/journal.md`: where an update stands on a board.

use std::fmt;
use std::str::FromStr;

use serde_json::{Map, Value, json};
use thiserror::Error;

use crate::digest::crc32;
use crate::limits;

/// The journal's format that is written here.
pub const FORMAT: u64 = 1;

/// Where an update stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum State {
    /// The confirmed version lies there.
    Idle,
    /// An update lies ready, nothing was touched yet.
    Staged,
    /// Files are being exchanged.
    Swapping,
    /// The new version runs under watch.
    Trial,
    /// The new version proved itself.
    Confirmed,
    /// The old version is being put back.
    Undoing,
    /// The old version lies there.
    Undone,
}

impl State {
    /// All states, in the order of the spec's table.
    pub const ALL: [Self; 7] =
        [Self::Idle, Self::Staged, Self::Swapping, Self::Trial, Self::Confirmed, Self::Undoing, Self::Undone];

    /// The state's name in a record.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Staged => "staged",
            Self::Swapping => "swapping",
            Self::Trial => "trial",
            Self::Confirmed => "confirmed",
            Self::Undoing => "undoing",
            Self::Undone => "undone",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for State {
    type Err = JournalError;

    fn from_str(name: &str) -> Result<Self, JournalError> {
        Self::ALL.into_iter().find(|state| state.as_str() == name).ok_or(JournalError::State)
    }
}

/// Why bytes do not count as a record, or why a record cannot be written.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum JournalError {
    /// More bytes than allowed.
    #[error("a journal record has at most {max} bytes", max = limits::RECORD)]
    TooLong,
    /// Not one line of a checksum and a text.
    #[error("not one line with a checksum and a text")]
    Line,
    /// The checksum is not that of the text.
    #[error("the checksum is not that of the text")]
    Checksum,
    /// The text is not a JSON object.
    #[error("the text is not a JSON object")]
    Json,
    /// No state, or one that is not known.
    #[error("the state is not known")]
    State,
    /// No number from 1 up.
    #[error("the record has no number from 1 up")]
    Seq,
    /// A known key has a value of the wrong type.
    #[error("the value of `{0}` is of the wrong type")]
    Type(&'static str),
}

/// One record of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The journal's format; [`FORMAT`], or that of a newer writer.
    pub format: u64,
    /// The record's number, from 1.
    pub seq: u64,
    /// Where the update stands.
    pub state: State,
    /// The confirmed version; empty where none ever was.
    pub version: String,
    /// The version being installed or undone; empty in [`State::Idle`].
    pub next: String,
    /// The hash of the plan, in hex.
    pub plan: String,
    /// Resets in the trial so far; in [`State::Undone`] runs of the rollback hook.
    pub boots: u64,
    /// Other starts in the trial so far: wakes from deep sleep, and power on.
    pub wakes: u64,
    /// How many resets are allowed.
    pub tries: u64,
    /// How many other starts are allowed.
    pub most: u64,
    /// How long a version on trial may give no sign of life, in seconds.
    pub secs: u64,
    /// How long one start may wait for the network or the server, in seconds.
    pub wait: u64,
    /// Whether the `post_update` hook of `next` has run to its end.
    pub hook: bool,
    /// Whether the next update may install `version` itself again.
    pub repair: bool,
    /// Whether the app asked for an update at the next start, before it is loaded.
    pub early: bool,
    /// The last version that was undone.
    pub bad: String,
    /// How often it was given up without a crash; 0: it crashed. From 8 on by a tag.
    pub again: u64,
    /// When it was given up, in seconds since 1970; 0 where the clock was not set.
    pub since: u64,
    /// Why it was undone, for people.
    pub why: String,
}

impl Record {
    /// A record with its number and its state, and nothing else.
    #[must_use]
    pub fn new(seq: u64, state: State) -> Self {
        Self {
            format: FORMAT,
            seq,
            state,
            version: String::new(),
            next: String::new(),
            plan: String::new(),
            boots: 0,
            wakes: 0,
            tries: 0,
            most: 0,
            secs: 0,
            wait: 0,
            hook: false,
            repair: false,
            early: false,
            bad: String::new(),
            again: 0,
            since: 0,
            why: String::new(),
        }
    }

    /// Reads the content of a record file.
    ///
    /// # Errors
    /// Why it does not count.
    pub fn parse(bytes: &[u8]) -> Result<Self, JournalError> {
        if bytes.len() > limits::RECORD {
            return Err(JournalError::TooLong);
        }
        let line =
            bytes.strip_suffix(b"\n").filter(|line| !line.contains(&b'\n')).ok_or(JournalError::Line)?;
        let (sum, text) = line.split_first_chunk::<8>().ok_or(JournalError::Line)?;
        let text = text.strip_prefix(b" ").filter(|text| text.starts_with(b"{")).ok_or(JournalError::Line)?;
        if format!("{:08x}", crc32(text)).as_bytes() != sum {
            return Err(JournalError::Checksum);
        }
        let keys: Map<String, Value> = serde_json::from_slice(text).map_err(|_| JournalError::Json)?;
        let keys = Keys(&keys);
        let state = keys.text("state").map_err(|_| JournalError::State)?.parse()?;
        let seq = keys.number("seq").ok().filter(|&seq| seq > 0).ok_or(JournalError::Seq)?;
        Ok(Self {
            format: keys.number("mpota")?,
            seq,
            state,
            version: keys.text("version")?,
            next: keys.text("next")?,
            plan: keys.text("plan")?,
            boots: keys.number("boots")?,
            wakes: keys.number("wakes")?,
            tries: keys.number("tries")?,
            most: keys.number("most")?,
            secs: keys.number("secs")?,
            wait: keys.number("wait")?,
            hook: keys.number("hook")? == 1,
            repair: keys.number("repair")? == 1,
            early: keys.number("early")? == 1,
            bad: keys.text("bad")?,
            again: keys.number("again")?,
            since: keys.number("since")?,
            why: keys.text("why")?,
        })
    }

    /// The content of the record's file.
    ///
    /// # Errors
    /// It would not count: the number is 0, or its texts are too long.
    pub fn to_bytes(&self) -> Result<Vec<u8>, JournalError> {
        if self.seq == 0 {
            return Err(JournalError::Seq);
        }
        let text = |text: &str| json!(text).to_string();
        let json = format!(
            "{{\"mpota\":{},\"seq\":{},\"state\":\"{}\",\"version\":{},\"next\":{},\"plan\":{},\"boots\":{},\
             \"wakes\":{},\"tries\":{},\"most\":{},\"secs\":{},\"wait\":{},\"hook\":{},\"repair\":{},\
             \"early\":{},\"bad\":{},\"again\":{},\"since\":{},\"why\":{}}}",
            self.format,
            self.seq,
            self.state,
            text(&self.version),
            text(&self.next),
            text(&self.plan),
            self.boots,
            self.wakes,
            self.tries,
            self.most,
            self.secs,
            self.wait,
            u8::from(self.hook),
            u8::from(self.repair),
            u8::from(self.early),
            text(&self.bad),
            self.again,
            self.since,
            text(&self.why),
        );
        let line = format!("{:08x} {json}\n", crc32(json.as_bytes())).into_bytes();
        if line.len() > limits::RECORD { Err(JournalError::TooLong) } else { Ok(line) }
    }
}

/// The keys of a record, where a missing one reads as empty or 0.
struct Keys<'a>(&'a Map<String, Value>);

impl Keys<'_> {
    fn text(&self, key: &'static str) -> Result<String, JournalError> {
        match self.0.get(key) {
            None => Ok(String::new()),
            Some(value) => value.as_str().map(str::to_owned).ok_or(JournalError::Type(key)),
        }
    }

    fn number(&self, key: &'static str) -> Result<u64, JournalError> {
        match self.0.get(key) {
            None => Ok(0),
            Some(value) => value.as_u64().ok_or(JournalError::Type(key)),
        }
    }
}

/// The newest whole record of the two files; `None` where a file is missing or neither is whole.
#[must_use]
pub fn newest(a: Option<&[u8]>, b: Option<&[u8]>) -> Option<Record> {
    let read = |bytes: Option<&[u8]>| bytes.and_then(|bytes| Record::parse(bytes).ok());
    match (read(a), read(b)) {
        (Some(a), Some(b)) => Some(if b.seq > a.seq { b } else { a }),
        (a, b) => a.or(b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRANSITIONS: &str = include_str!("../../../spec/transitions");
    const SPEC: &str = include_str!("../../../spec/journal.md");

    fn record(seq: u64) -> Vec<u8> {
        Record::new(seq, State::Idle).to_bytes().unwrap()
    }

    #[test]
    fn the_states_are_those_of_the_spec() {
        let table = SPEC.split("## States").nth(1).unwrap().split("##").next().unwrap();
        let names: Vec<&str> =
            table.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
        assert_eq!(names, State::ALL.map(State::as_str));
        for state in State::ALL {
            assert_eq!(state.as_str().parse(), Ok(state));
        }
    }

    #[test]
    fn transitions_name_only_states_of_the_table() {
        let mut left = std::collections::HashSet::new();
        for line in TRANSITIONS.lines() {
            let mut words = line.splitn(3, ' ');
            let from: State = words.next().unwrap().parse().unwrap();
            let _: State = words.next().unwrap_or_default().parse().unwrap_or_else(|_| panic!("{line}"));
            assert!(words.next().is_some_and(|what| !what.trim().is_empty()), "{line}");
            left.insert(from);
        }
        assert_eq!(left.len(), State::ALL.len(), "a state that is never left");
    }

    #[test]
    fn the_newest_whole_record_counts() {
        let (one, two) = (record(1), record(2));
        let seq = |a: Option<&[u8]>, b: Option<&[u8]>| newest(a, b).map(|record| record.seq);
        assert_eq!(seq(Some(&two), Some(&one)), Some(2));
        assert_eq!(seq(Some(&one), Some(&two)), Some(2));
        assert_eq!(seq(Some(&two[..9]), Some(&one)), Some(1));
        assert_eq!(seq(None, Some(&one)), Some(1));
        assert_eq!(seq(Some(&one), Some(b"")), Some(1));
        assert_eq!(seq(Some(b""), None), None);
    }

    #[test]
    fn every_reason_has_its_own_error() {
        let line = |text: &str| format!("{:08x} {text}\n", crc32(text.as_bytes())).into_bytes();
        for (bytes, error) in [
            (vec![b'x'; 641], JournalError::TooLong),
            (record(1)[..20].to_vec(), JournalError::Line),
            (b"00000000 {}\n".to_vec(), JournalError::Checksum),
            (line("x"), JournalError::Line),
            (line(" {}"), JournalError::Line),
            (line("{"), JournalError::Json),
            (line(r#"{"seq":1}"#), JournalError::State),
            (line(r#"{"state":"idle"}"#), JournalError::Seq),
            (line(r#"{"seq":1,"state":"idle","boots":""}"#), JournalError::Type("boots")),
            (line(r#"{"seq":1,"state":"idle","bad":1}"#), JournalError::Type("bad")),
        ] {
            assert_eq!(Record::parse(&bytes), Err(error));
        }
    }

    #[test]
    fn the_longest_allowed_values_fit() {
        let version = format!("v1.0.0-{}", "a".repeat(57));
        let mut record = Record::new(u64::from(u32::MAX), State::Confirmed);
        (record.version, record.next, record.bad) = (version.clone(), version.clone(), version);
        (record.plan, record.why) = ("0".repeat(64), "w".repeat(60));
        (record.boots, record.wakes, record.tries, record.most) = (999_999, 999_999, 1_000_000, 1_000_000);
        (record.secs, record.wait, record.again, record.since) = (1_000_000, 1_000_000, 9, 9_999_999_999);
        (record.hook, record.repair, record.early) = (true, true, true);
        assert_eq!(Record::parse(&record.to_bytes().unwrap()), Ok(record.clone()));
        record.why = "w".repeat(140);
        assert_eq!(record.to_bytes(), Err(JournalError::TooLong));
        assert_eq!(Record::new(0, State::Idle).to_bytes(), Err(JournalError::Seq));
    }
}
