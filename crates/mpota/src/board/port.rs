//! A release, and all that it needs, onto a board at a port: in few calls of mpremote, as each of them begins
//! with finding the board's prompt. Everything lies on the board, and is checked, before the first file of
//! it is touched; run again after any interruption it finishes.

use std::path::{Path, PathBuf};
use std::time::Duration;

use miette::Diagnostic;
use mpota_format::digest::{hex, sha256};
use mpota_format::journal::JournalError;
use thiserror::Error;

use super::look::{LookError, Seen};
use super::mpremote::{Mpremote, MpremoteError};
use super::plan::{InTheWay, Plan};
use super::script::{RESTART, Scratch, Scripts, quote};
use super::updater;
use super::wanted::{Sources, Wanted, WantedError};
use super::{fit, install};
use crate::files::{self, FileError};

/// What a board may take for its part, besides a second for each so many bytes.
const LIMIT: Duration = Duration::from_secs(120);
const BYTES_A_SECOND: u64 = 500;

/// Why the board is not installed.
#[derive(Debug, Error, Diagnostic)]
#[non_exhaustive]
pub enum PortError {
    /// What is needed is not there.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Wanted(#[from] WantedError),
    /// The board was not seen.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Look(#[from] LookError),
    /// The board did not do its part.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Mpremote(#[from] MpremoteError),
    /// A file and a folder have one name.
    #[error(transparent)]
    #[diagnostic(transparent)]
    InTheWay(#[from] InTheWay),
    /// The release is not for such a board.
    #[error("the release is not for this board: it needs {wanted}, and this is {found}")]
    #[diagnostic(code(board::wrong))]
    #[diagnostic(help("[requires] in mpota.toml says what a release needs"))]
    Board {
        /// What it needs.
        wanted: String,
        /// What there is.
        found: String,
    },
    /// It does not fit.
    #[error("the board's flash is too full: {need} bytes are needed, {free} are free")]
    #[diagnostic(code(board::full))]
    #[diagnostic(help(
        "remove from the board what it does not need (`mpremote fs tree -s`, `mpremote fs rm`), and run it again"
    ))]
    Full {
        /// Until all is done.
        need: u64,
        /// Now.
        free: u64,
    },
    /// A copy is not like the board's file.
    #[error("the copy of {0} is not like the file on the board")]
    #[diagnostic(code(board::copy))]
    #[diagnostic(help("nothing was changed; run it again"))]
    Copy(String),
    /// A file of this computer.
    #[error(transparent)]
    #[diagnostic(transparent)]
    File(#[from] FileError),
    /// The journal cannot be written.
    #[error("cannot write the journal")]
    #[diagnostic(code(internal::journal), help("report this: it is a fault of mpota"))]
    Journal(#[from] JournalError),
}

/// All that is known before anything is written.
#[derive(Debug)]
pub struct Job {
    mpremote: Mpremote,
    /// The board.
    pub seen: Seen,
    /// What it needs.
    pub wanted: Wanted,
    /// What is to be done.
    pub plan: Plan,
}

impl Job {
    /// Looks at the release and the board. The app on the board is stopped, unless it is to be restarted.
    pub fn prepare(port: Option<&str>, sources: &Sources, restart: bool) -> Result<Self, PortError> {
        // A release that is damaged is said before the board is bothered.
        let any = Wanted::release(sources, 0)?;
        let mpremote = Mpremote::find(port)?;
        let seen = Seen::look(&mpremote, &names(&any), restart)?;
        let mut wanted = Wanted::release(sources, seen.mpy)?;
        if let Some((wanted, found)) = fit::lack(&wanted.requires, &seen) {
            return Err(PortError::Board { wanted, found });
        }
        wanted.complete(sources, &seen)?;
        let plan = Plan::new(&wanted, &seen)?;
        if plan.need > seen.free && !plan.is_done() {
            return Err(PortError::Full { need: plan.need, free: seen.free });
        }
        Ok(Self { mpremote, seen, wanted, plan })
    }

    /// Copies what the plan replaces or removes into a folder of this computer.
    pub fn copy(&self, folder: &Path) -> Result<(), PortError> {
        let paths = self.plan.copied();
        if paths.is_empty() {
            return Ok(());
        }
        let mut scripts = Scripts::new()?;
        for path in &paths {
            let local = folder.join(path);
            files::make_folders(local.parent().unwrap_or(folder))?;
            scripts.command(["fs", "cp", &format!(":{}{path}", self.seen.root), &local.to_string_lossy()]);
        }
        let sizes = paths.iter().filter_map(|path| self.seen.files.get(*path)).sum();
        self.mpremote.run(scripts.commands(), limit(sizes))?;
        for path in paths {
            let bytes = files::read(&folder.join(path), u64::MAX - 1)?;
            let size = self.seen.files.get(path) == Some(&(bytes.len() as u64));
            let hash = self.seen.hashes.get(path).filter(|hash| *hash != "-");
            if !size || hash.is_some_and(|hash| *hash != hex(&sha256(&bytes))) {
                return Err(PortError::Copy(path.to_owned()));
            }
        }
        Ok(())
    }

    /// Writes all of it to the board. `copies` is where [`Job::copy`] has put them.
    pub fn write(&self, copies: &Path) -> Result<(), PortError> {
        if self.plan.is_done() {
            return Ok(());
        }
        let mut puts = self.plan.puts.clone();
        if self.plan.guard {
            let mut lines = self.template()?;
            lines.extend_from_slice(b"\n");
            lines.extend_from_slice(&files::read(&copies.join("boot.py"), 1 << 20)?);
            puts.push(("boot.py".to_owned(), lines));
        }
        let records = Plan::records(&self.wanted.version, &self.seen)?;
        let all: Vec<&(String, Vec<u8>)> = puts.iter().chain(&self.plan.last).chain(&records).collect();
        let scratch = Scratch::new()?;
        let staged = scratch.path().join("put");
        for (path, bytes) in &all {
            install::put(&staged.join(path), bytes)?;
        }
        let mut scripts = Scripts::new()?;
        let root = format!("ROOT = {}\n", quote(&self.seen.root));
        scripts.add(&format!("{root}{}", include_str!("scripts/prepare.py")))?;
        scripts.calls("gone", &self.stale(&all))?;
        let home = format!(":{}{}", self.seen.root, install::HOME);
        scripts.command(["fs", "cp", "-r", &staged.to_string_lossy(), &home]);
        scripts.add(&format!("{root}{}", include_str!("scripts/finish.py")))?;
        scripts.lines(all.iter().map(|(path, bytes)| {
            format!("check({}, {}, \"{}\")", quote(path), bytes.len(), hex(&sha256(bytes)))
        }))?;
        self.finish(&mut scripts, &puts, &records)?;
        let bytes = all.iter().map(|(_, bytes)| bytes.len() as u64).sum();
        self.mpremote.run(scripts.commands(), limit(bytes))?;
        Ok(())
    }

    /// What puts the files in their places, when all of them lie there.
    fn finish(
        &self,
        scripts: &mut Scripts,
        puts: &[(String, Vec<u8>)],
        records: &[(String, Vec<u8>); 2],
    ) -> Result<(), FileError> {
        let mut order: Vec<&str> = Vec::new();
        let [first, second] = records;
        if self.plan.interrupts.is_some() {
            // Nothing of the update that is given up must start any more: neither its updater nor its swap.
            let old = ["py", "mpy"].map(|form| format!("{}/old/ota_updater.{form}", install::HOME));
            scripts.calls("drop", &old.each_ref().map(String::as_str))?;
            order.push(&first.0);
        }
        order.extend(puts.iter().chain(&self.plan.last).map(|(path, _)| path.as_str()));
        if self.plan.interrupts.is_none() {
            order.push(&first.0);
        }
        order.push(&second.0);
        scripts.calls("place", &order)?;
        let dropped: Vec<&str> = self.plan.dropped.iter().map(String::as_str).collect();
        scripts.calls("drop", &dropped)?;
        scripts.add("for name in (\"new\", \"old\", \"put\"):\n    clear(\".ota/\" + name)\n")?;
        scripts.add("if hasattr(os, \"sync\"):\n    os.sync()\n")
    }

    /// What an earlier try has left, and is no part of this one.
    fn stale(&self, all: &[&(String, Vec<u8>)]) -> Vec<&str> {
        let put = format!("{}/put/", install::HOME);
        let wanted = |path: &str| {
            let path = path.strip_prefix(&put)?;
            all.iter().find(|(name, _)| name == path)
        };
        self.plan.leftovers.iter().map(String::as_str).filter(|path| wanted(path).is_none()).collect()
    }

    fn template(&self) -> Result<Vec<u8>, PortError> {
        let boot = self.wanted.files.iter().find(|file| file.path == "boot.py");
        Ok(boot.map(|file| file.bytes.clone()).unwrap_or_default())
    }

    /// Restarts the board, first without its app, to hear from the updater how it is.
    pub fn restart(&self) -> Result<Vec<(String, String)>, PortError> {
        let mut scripts = Scripts::new()?;
        scripts.command(["soft-reset"]);
        scripts.add(include_str!("scripts/status.py"))?;
        scripts.command(RESTART);
        let answer = self.mpremote.run(scripts.commands(), LIMIT)?;
        let pairs = answer.lines().filter_map(|line| line.strip_prefix("mpota status ")?.split_once(' '));
        Ok(pairs.map(|(key, value)| (key.to_owned(), value.trim().to_owned())).collect())
    }
}

/// What a release is compared by: its own files, and the updater's in both forms.
fn names(wanted: &Wanted) -> Vec<String> {
    let both = |path: &str| match path.rsplit_once('.') {
        Some((stem, "py" | "mpy")) => vec![format!("{stem}.py"), format!("{stem}.mpy")],
        _ => vec![path.to_owned()],
    };
    let others = ["boot.py", "main.py", "updates.py", "wifi.py", "ota_keys", ".ota/manifest.json"];
    let release = wanted.files.iter().flat_map(|file| both(&file.path));
    let updater = updater_names();
    let mut names: Vec<String> =
        release.chain(updater).chain(others.into_iter().map(str::to_owned)).collect();
    names.sort();
    names.dedup();
    names
}

/// The updater's files, in both forms, as they lie on a board.
pub fn updater_names() -> Vec<String> {
    let stems = updater::files().map(|path| path.trim_end_matches(".py"));
    stems.flat_map(|stem| ["py", "mpy"].map(|form| format!("lib/{stem}.{form}"))).collect()
}

fn limit(bytes: u64) -> Duration {
    LIMIT + Duration::from_secs(bytes / BYTES_A_SECOND)
}

/// A folder for copies that is not there yet.
pub fn copies(time: &str) -> PathBuf {
    let time: String = time.chars().filter(char::is_ascii_alphanumeric).collect();
    PathBuf::from(format!("mpota-copies-{time}"))
}
