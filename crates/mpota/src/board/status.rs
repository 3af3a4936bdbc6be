//! How a board is, in words.

use mpota_format::digest::{hex, sha256};
use mpota_format::journal::{Record, State};
use serde::Serialize;

use super::look::Seen;
use super::updater;

/// So often a version comes up again that was undone and had not crashed.
const AGAIN: u64 = 3;

/// What `mpota status` tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    /// What the board calls itself.
    pub board: String,
    /// MicroPython's version.
    pub micropython: String,
    /// The state of the journal; empty where the board has none.
    pub state: &'static str,
    /// What it means.
    pub says: String,
    /// The confirmed version.
    pub version: String,
    /// On trial, or staged.
    pub next: String,
    /// The last version that was undone.
    pub bad: String,
    /// Why.
    pub why: String,
    /// Until when it is not tried again, in words.
    pub blocked: &'static str,
    /// Bytes of flash.
    pub flash_free: u64,
    /// All of them.
    pub flash_total: u64,
    /// Bytes of memory that were free beside the app, which was stopped.
    pub memory_free: u64,
    /// The updater's version, or what is there in its place.
    pub updater: String,
    /// Whether `boot.py` starts it.
    pub started_by_boot: bool,
}

impl Status {
    /// Of a board.
    pub fn of(seen: &Seen) -> Self {
        let none = Record::new(1, State::Idle);
        let record = seen.record.as_ref().unwrap_or(&none);
        let blocked = match (record.bad.is_empty(), record.again) {
            (true, _) => "",
            (_, 1..=AGAIN) => "comes up again after a while",
            _ => "until another version, a tag or unblock()",
        };
        Self {
            board: seen.name().to_owned(),
            micropython: seen.version.clone(),
            state: seen.record.as_ref().map_or("", |record| record.state.as_str()),
            says: says(seen.record.as_ref()),
            version: record.version.clone(),
            next: record.next.clone(),
            bad: record.bad.clone(),
            why: record.why.clone(),
            blocked,
            flash_free: seen.free,
            flash_total: seen.total,
            memory_free: seen.memory,
            updater: updater_of(seen),
            started_by_boot: seen.guard,
        }
    }
}

fn says(record: Option<&Record>) -> String {
    let Some(record) = record else {
        return "no release was ever installed by the updater".to_owned();
    };
    let Record { version, next, .. } = record;
    match record.state {
        State::Idle if version.is_empty() => "no release is installed".to_owned(),
        State::Idle => format!("{version} is installed"),
        State::Staged => format!("{next} is staged: a restart installs it"),
        State::Swapping => format!("{next} is being installed"),
        State::Trial => {
            format!("{next} is on trial, after {} resets and {} other starts", record.boots, record.wakes)
        }
        State::Confirmed => format!("{next} was confirmed: the next start cleans up"),
        State::Undoing => format!("{next} is given up: the next start puts {version} back"),
        State::Undone => format!("{version} was put back: the next start cleans up"),
        _ => record.state.to_string(),
    }
}

/// The version of the updater on a board: known where its files are those of this program.
pub fn updater_of(seen: &Seen) -> String {
    if !seen.has_module("lib/ota_updater") {
        return if seen.has_module("ota_updater") { "not in lib".to_owned() } else { "none".to_owned() };
    }
    let files = updater::for_board(seen.mpy);
    let differs = |(path, bytes): &&(&str, &[u8])| {
        seen.hashes.get(&format!("lib/{path}")).is_none_or(|hash| *hash != hex(&sha256(bytes)))
    };
    match files.iter().filter(differs).count() {
        0 => updater::VERSION.to_owned(),
        n if n == files.len() => format!("another form or version than {} of this program", updater::VERSION),
        n => format!("not {}: {n} of {} files differ", updater::VERSION, files.len()),
    }
}
