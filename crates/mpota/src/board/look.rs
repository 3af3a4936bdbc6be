//! What a board is, and what lies on it.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use mpota_format::journal::{self, Record};

use super::mpremote::{Mpremote, MpremoteError};
use super::script::{RESTART, Scripts};
use crate::files::FileError;

/// How long a board may take to look at its files.
const LIMIT: Duration = Duration::from_secs(120);

/// Why nothing is known of a board.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[non_exhaustive]
pub enum LookError {
    /// It cannot be talked to.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Mpremote(#[from] MpremoteError),
    /// What it printed was not all.
    #[error("the board's answer is not whole: {0:?} is missing")]
    #[diagnostic(code(board::answer))]
    #[diagnostic(help("press its reset button and try again"))]
    Part(&'static str),
    /// A file of this computer.
    #[error(transparent)]
    #[diagnostic(transparent)]
    File(#[from] FileError),
}

/// What was seen on a board.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// The folder that holds everything, with a slash at its end.
    pub root: String,
    /// MicroPython's version.
    pub version: String,
    /// `sys.platform`.
    pub platform: String,
    /// `sys.implementation._mpy`.
    pub mpy: u64,
    /// `sys.implementation._build`, where the firmware has it.
    pub build: String,
    /// `sys.implementation._machine`.
    pub machine: String,
    /// Whether it can hash.
    pub sha256: bool,
    /// Bytes of memory that are free.
    pub memory: u64,
    /// Bytes of a block of its flash.
    pub block: u64,
    /// Bytes of flash that are free.
    pub free: u64,
    /// Bytes of flash in all.
    pub total: u64,
    /// Whether its `boot.py` starts the updater.
    pub guard: bool,
    /// The size of each file, by its path from `root`.
    pub files: BTreeMap<String, u64>,
    /// Every folder.
    pub folders: BTreeSet<String>,
    /// SHA-256 of those files that were asked for, in hex.
    pub hashes: BTreeMap<String, String>,
    /// The newest record of its journal.
    pub record: Option<Record>,
}

impl Seen {
    /// Looks at the board, and hashes those of these files that are there. The app does not run on, unless the
    /// board is restarted.
    pub fn look(mpremote: &Mpremote, names: &[String], restart: bool) -> Result<Self, LookError> {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut scripts = Scripts::new()?;
        scripts.add(include_str!("scripts/look.py"))?;
        scripts.calls("hashes", &names)?;
        scripts.add("say(\"end\")")?;
        if restart {
            scripts.command(RESTART);
        }
        let answer = match mpremote.run(scripts.commands(), LIMIT) {
            // The app has left no room: without it there is.
            Err(MpremoteError::Failed { memory: true, .. }) => {
                let mut commands: Vec<Vec<OsString>> = vec![vec!["soft-reset".into()]];
                commands.extend_from_slice(scripts.commands());
                mpremote.run(&commands, LIMIT)?
            }
            other => other?,
        };
        Self::parse(&answer)
    }

    /// Reads what the board has printed.
    fn parse(text: &str) -> Result<Self, LookError> {
        let mut seen = Self::default();
        let (mut records, mut there) = ([None, None], BTreeSet::new());
        for line in text.lines() {
            let Some(line) = line.strip_prefix("mpota ") else { continue };
            let (what, value) = line.split_once(' ').unwrap_or((line, ""));
            let number = || value.trim().parse().unwrap_or(0);
            match what {
                "root" => value.clone_into(&mut seen.root),
                "version" => value.clone_into(&mut seen.version),
                "platform" => value.clone_into(&mut seen.platform),
                "build" => value.clone_into(&mut seen.build),
                "machine" => value.clone_into(&mut seen.machine),
                "mpy" => seen.mpy = number(),
                "memory" => seen.memory = number(),
                "sha256" => seen.sha256 = number() == 1,
                "guard" => seen.guard = number() == 1,
                "flash" => {
                    let mut numbers = value.split(' ').map(|n| n.parse().unwrap_or(0));
                    let mut next = || numbers.next().unwrap_or(0);
                    let (block, free, total): (u64, u64, u64) = (next(), next(), next());
                    (seen.block, seen.free, seen.total) =
                        (block.max(1), block.saturating_mul(free), block.saturating_mul(total));
                }
                "folder" => drop(seen.folders.insert(value.to_owned())),
                "file" => {
                    if let Some((size, name)) = value.split_once(' ') {
                        seen.files.insert(name.to_owned(), size.parse().unwrap_or(0));
                    }
                }
                "hash" => {
                    if let Some((hash, name)) = value.split_once(' ') {
                        seen.hashes.insert(name.to_owned(), hash.to_owned());
                    }
                }
                "record" => {
                    if let Some((at, record)) = value.split_once(' ') {
                        records[usize::from(at == "1")] = Some(format!("{record}\n").into_bytes());
                    }
                }
                _ => {}
            }
            there.insert(what);
        }
        for what in ["root", "version", "flash", "end"] {
            if !there.contains(what) {
                return Err(LookError::Part(what));
            }
        }
        seen.record = journal::newest(records[0].as_deref(), records[1].as_deref());
        Ok(seen)
    }

    /// What a folder on this computer has: a board without a journal.
    pub fn folder(folder: &Path) -> Result<Self, FileError> {
        let mut seen = Self { block: 1, free: u64::MAX, ..Self::default() };
        seen.walk(folder, "")?;
        if let Ok(text) = std::fs::read_to_string(folder.join("boot.py")) {
            seen.guard = text.lines().any(|line| line.trim().starts_with("ota_updater.boot("));
        }
        Ok(seen)
    }

    fn walk(&mut self, folder: &Path, prefix: &str) -> Result<(), FileError> {
        let entries = match std::fs::read_dir(folder) {
            Err(error) if prefix.is_empty() && error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            other => other.map_err(FileError::at("read", folder))?,
        };
        for entry in entries {
            let path = entry.map_err(FileError::at("read", folder))?.path();
            let name = format!("{prefix}{}", path.file_name().unwrap_or_default().to_string_lossy());
            if path.is_dir() {
                self.folders.insert(name.clone());
                self.walk(&path, &format!("{name}/"))?;
            } else {
                self.files.insert(name, path.metadata().map_or(0, |data| data.len()));
            }
        }
        Ok(())
    }

    /// Whether a module of this name lies there in any form.
    pub fn has_module(&self, stem: &str) -> bool {
        ["py", "mpy"].iter().any(|form| self.files.contains_key(&format!("{stem}.{form}")))
            || self.folders.contains(stem)
    }

    /// What the board calls itself.
    pub fn name(&self) -> &str {
        if self.build.is_empty() { &self.platform } else { &self.build }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_was_cut_is_none_and_what_the_app_prints_is_passed_over() {
        let whole = "mpota root /\napp says mpota\nmpota version 1.26.1\nmpota flash 4096 10 256\n\
                     mpota file 12 a b.py\nmpota hash 00ff a b.py\nmpota end\n";
        let seen = Seen::parse(whole).unwrap();
        assert_eq!((seen.free, seen.total, seen.files["a b.py"]), (40960, 1 << 20, 12));
        assert_eq!(seen.hashes["a b.py"], "00ff");
        let mut cut = 0;
        for length in 0..whole.len() - 1 {
            assert!(Seen::parse(&whole[..length]).is_err(), "{length}");
            cut += 1;
        }
        println!("  cases {cut}: answers that were cut");
        assert!(cut > 100);
    }
}
