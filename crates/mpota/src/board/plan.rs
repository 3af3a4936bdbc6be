//! What is to be done on a board that has some of it already: decided before anything is written.

use std::collections::BTreeSet;

use mpota_format::digest::{hex, sha256};
use mpota_format::journal::{JournalError, Record, State};
use mpota_format::limits;

use super::install::{FIRST, HOME, version_json};
use super::look::Seen;
use super::wanted::{Part, Want, Wanted, is_root};

/// The owner's own file, which no release has.
const SECRETS: &str = "secrets.py";

/// What to do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// What is put there, in this order.
    pub puts: Vec<(String, Vec<u8>)>,
    /// What the updater keeps of an installed release, put there after all else.
    pub last: Vec<(String, Vec<u8>)>,
    /// Files of the board that others replace: a copy is kept of each.
    pub replaced: Vec<String>,
    /// Files of the board that would be found before what is put there: removed, and a copy is kept of each.
    pub dropped: Vec<String>,
    /// Files of the board that stay, although the release has them.
    pub kept: Vec<String>,
    /// How many files are there already.
    pub same: usize,
    /// What an earlier try has left.
    pub leftovers: Vec<String>,
    /// The board's `boot.py` gets the lines that start the updater.
    pub guard: bool,
    /// An update is under way on the board: it is given up.
    pub interrupts: Option<State>,
    /// Bytes of flash that are needed until all is done.
    pub need: u64,
}

/// Something of the owner's that no file can replace.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
#[error("{path} is a {is} on the board, and a {wanted} in the release")]
#[diagnostic(code(board::in_the_way))]
#[diagnostic(help("move it away on the board: mpremote fs --help"))]
pub struct InTheWay {
    /// Where.
    pub path: String,
    /// What is there.
    pub is: &'static str,
    /// What should be.
    pub wanted: &'static str,
}

impl Plan {
    /// Compares what is wanted with what is there.
    pub fn new(wanted: &Wanted, seen: &Seen) -> Result<Self, InTheWay> {
        let mut plan = Self::default();
        let roots = seen.files.keys().any(|path| is_root(path));
        for want in wanted.files.iter().filter(|want| want.path != SECRETS) {
            match check_place(&want.path, seen) {
                // What the release keeps stays, whatever it is.
                Err(_) if want.keep => plan.kept.push(want.path.clone()),
                Err(error) => return Err(error),
                Ok(()) => plan.file(want, wanted, seen, roots),
            }
        }
        plan.other_forms(wanted, seen);
        let below = |folder: &str| format!("{HOME}/{folder}/");
        let state = seen.record.as_ref().map(|record| record.state);
        plan.interrupts = state.filter(|state| *state != State::Idle);
        let (put, new, old) = (below("put"), below("new"), below("old"));
        plan.leftovers = seen.files.keys().filter(|path| path.starts_with(&put)).cloned().collect();
        let idle = seen
            .record
            .as_ref()
            .is_some_and(|r| r.state == State::Idle && r.version == wanted.version && !r.repair);
        // An empty folder is left where the end of the last try was cut off.
        let tried = seen.folders.contains(put.trim_end_matches('/'));
        let begun = seen.files.keys().any(|path| path.starts_with(&new) || path.starts_with(&old));
        let home = format!("{HOME}/manifest.json");
        let known = seen.hashes.get(&home).is_some_and(|hash| *hash == hex(&sha256(&wanted.manifest)));
        if !idle || begun || tried || !known || plan.changes() {
            plan.last = vec![
                (home, wanted.manifest.clone()),
                ("version.json".to_owned(), version_json(&wanted.version).into_bytes()),
            ];
        }
        plan.need = plan.need(seen);
        Ok(plan)
    }

    fn file(&mut self, want: &Want, wanted: &Wanted, seen: &Seen, roots: bool) {
        let path = &want.path;
        let there = seen.files.contains_key(path);
        if there && seen.hashes.get(path).is_some_and(|hash| *hash == hex(&sha256(&want.bytes))) {
            self.same += 1;
            return;
        }
        if path == "boot.py" && wanted.guard {
            match there {
                true if seen.guard => self.same += 1,
                true => self.guard = true,
                false => self.puts.push((path.clone(), want.bytes.clone())),
            }
            return;
        }
        let stem = path.rsplit_once('.').map_or(path.as_str(), |(stem, _)| stem);
        let taken = match want.part {
            Part::Setup => there || seen.has_module(stem) || (roots && is_root(path)),
            Part::Release => want.keep && there,
            Part::Updater => false,
        };
        if taken {
            if !is_root(path) {
                self.kept.push(path.clone());
            }
            return;
        }
        if there {
            self.replaced.push(path.clone());
        }
        self.puts.push((path.clone(), want.bytes.clone()));
    }

    /// A `.py` is found before a `.mpy`, so that the other form of what is put there must not stay.
    fn other_forms(&mut self, wanted: &Wanted, seen: &Seen) {
        let mine: BTreeSet<&str> = wanted.files.iter().map(|want| want.path.as_str()).collect();
        for want in wanted.files.iter().filter(|want| want.part != Part::Setup && !want.keep) {
            let other = match want.path.rsplit_once('.') {
                Some((stem, "py")) => format!("{stem}.mpy"),
                Some((stem, "mpy")) => format!("{stem}.py"),
                _ => continue,
            };
            if seen.files.contains_key(&other) && !mine.contains(other.as_str()) && other != SECRETS {
                self.dropped.push(other);
            }
        }
    }

    /// Whether any file of the app or the updater is written or removed.
    pub fn changes(&self) -> bool {
        !self.puts.is_empty() || !self.dropped.is_empty() || self.guard
    }

    /// Whether nothing is to be done.
    pub fn is_done(&self) -> bool {
        !self.changes() && self.last.is_empty()
    }

    /// Files of the board that a copy is kept of.
    pub fn copied(&self) -> Vec<&str> {
        let boot = self.guard.then_some("boot.py");
        self.replaced.iter().chain(&self.dropped).map(String::as_str).chain(boot).collect()
    }

    /// The records of the journal: both, and newer than all that the board has, whatever it is at.
    pub fn records(version: &str, seen: &Seen) -> Result<[(String, Vec<u8>); 2], JournalError> {
        let first = seen.record.as_ref().map_or(FIRST, |record| FIRST.max(record.seq + 1));
        let record = |seq: u64| {
            let mut record = Record::new(seq, State::Idle);
            record.version = version.to_owned();
            Ok((format!("{HOME}/state.{}", seq % 2), record.to_bytes()?))
        };
        Ok([record(first)?, record(first + 1)?])
    }

    /// All of it lies on the flash beside what is there, until it is put in its place.
    fn need(&self, seen: &Seen) -> u64 {
        let block = seen.block.max(1);
        let sizes = self.puts.iter().chain(&self.last).map(|(_, bytes)| bytes.len() as u64);
        let folders: BTreeSet<&str> = self
            .puts
            .iter()
            .filter_map(|(path, _)| path.rsplit_once('/').map(|(folder, _)| folder))
            .collect();
        // A folder takes two blocks on LittleFS; two more are for the records.
        let own = if block == 1 { 0 } else { (folders.len() as u64 * 2 + 4) * block };
        let whole: u64 = sizes.map(|size| size.div_ceil(block) * block).sum();
        let there: u64 = self
            .leftovers
            .iter()
            .filter_map(|path| seen.files.get(path))
            .map(|size| size.div_ceil(block) * block)
            .sum();
        let records = 2 * (limits::RECORD as u64).div_ceil(block) * block;
        (whole + own + records).saturating_sub(there)
    }
}

fn check_place(path: &str, seen: &Seen) -> Result<(), InTheWay> {
    if seen.folders.contains(path) {
        return Err(InTheWay { path: path.to_owned(), is: "folder", wanted: "file" });
    }
    for (at, _) in path.match_indices('/') {
        if seen.files.contains_key(&path[..at]) {
            return Err(InTheWay { path: path[..at].to_owned(), is: "file", wanted: "folder" });
        }
    }
    Ok(())
}
