//! One update on a folder of the host: what goes over the wire, and the time of the processor. The interpreter has
//! nothing in it but what is measured, and the file system is the host's, so that none of the time is the virtual flash's.

use super::place::{Place, Scheme, Subject};
use super::wire::{Traffic, Wire};
use crate::size::place::{copy, script};
use crate::size::run::{RESET, STARTS, interpret};
use anyhow::{Context, Result, bail, ensure};
use mpota_vboard::{MicroPython, clients};
use nix::sys::resource::{UsageWho, getrusage};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Enough for every one of these, and the same for each.
const HEAP: &str = "4M";
/// Longer than any of them takes.
const PATIENCE: Duration = Duration::from_secs(300);
/// Of the script's own time: what an interpreter takes to start is in the time of the processor only.
const CLOCK: [&str; 2] =
    ["import time\nbegan = time.ticks_us()\n", "print('us', time.ticks_diff(time.ticks_us(), began))\n"];

/// What one update took.
#[derive(Debug, Clone, Copy, Default)]
pub struct Times {
    /// Of the processor, until the update is staged; all of it for those that install in place.
    pub update: Duration,
    /// Of the processor, for the starts that install what is staged.
    pub install: Duration,
    /// Of the clock, without the installation.
    pub wall: Duration,
}

impl Times {
    /// The smaller of each.
    pub fn min(self, other: Self) -> Self {
        Self {
            update: self.update.min(other.update),
            install: self.install.min(other.install),
            wall: self.wall.min(other.wall),
        }
    }
}

/// Update a copy of this folder, and take the time.
pub fn update(
    micropython: &MicroPython,
    place: &Place,
    subject: Subject,
    folder: &Path,
    wire: &Wire,
) -> Result<(Times, Traffic)> {
    wire.take();
    let mut spent = vec![processor()?];
    let mut traffic = Traffic::default();
    let outputs = whole(&|| micropython.command(HEAP), place, (subject, Scheme::Http), folder, &mut || {
        spent.push(processor()?);
        if spent.len() == 2 {
            traffic = wire.take();
        }
        Ok(())
    })?;
    let wall = number(&outputs[0], "us ").context("the script does not say its time")?;
    let [before, update, end] = spent[..] else { bail!("{} times of the processor", spent.len()) };
    let times = Times { update: update - before, install: end - update, wall: Duration::from_micros(wall) };
    Ok((times, traffic))
}

/// What goes over the wire if the same is done over https.
pub fn https(
    micropython: &MicroPython,
    place: &Place,
    subject: Subject,
    folder: &Path,
    wire: &Wire,
) -> Result<Traffic> {
    wire.take();
    let mut traffic = None;
    whole(&|| micropython.command(HEAP), place, (subject, Scheme::Https), folder, &mut || {
        traffic.get_or_insert_with(|| wire.take());
        Ok(())
    })?;
    traffic.context("nothing was counted")
}

/// The instructions of the same: until the update is staged, and for its installation. They hardly differ from one run
/// to the next, on whatever machine.
pub fn instructions(
    micropython: &MicroPython,
    place: &Place,
    subject: Subject,
    folder: &Path,
) -> Result<[u64; 2]> {
    let counter = clients::cachegrind()?;
    let counted = || {
        let what = micropython.command(HEAP);
        let mut command = Command::new(counter.get_program());
        command.args(counter.get_args()).arg(what.get_program()).args(what.get_args());
        command.envs(counter.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command
    };
    let outputs = whole(&counted, place, (subject, Scheme::Http), folder, &mut || Ok(()))?;
    // Each interpreter has a line "==123== I   refs:      21,608,442".
    let refs = |line: &str| line.split_once("refs:")?.1.trim().replace(',', "").parse::<u64>().ok();
    let sums = outputs.map(|output| output.lines().filter_map(refs).sum());
    ensure!(sums[0] > 0, "{:?} does not say how many instructions it has counted", counter.get_program());
    Ok(sums)
}

/// An update from its beginning to its end, with these commands as the interpreter: what was printed until it was
/// staged, and while it was installed. `after` is called after each of the two.
fn whole(
    interpreter: &dyn Fn() -> Command,
    place: &Place,
    (subject, scheme): (Subject, Scheme),
    folder: &Path,
    after: &mut dyn FnMut() -> Result<()>,
) -> Result<[String; 2]> {
    let dir = tempfile::tempdir()?;
    copy(folder, dir.path())?;
    let code = format!("{}{}{}", CLOCK[0], place.script(subject, scheme)?, CLOCK[1]);
    let (ended, output) = interpret(interpreter(), dir.path(), &code, PATIENCE)?;
    after()?;
    ensure!(ended == Some(0), "{} fails:\n{output}", subject.key());
    let staged = output.lines().any(|line| line == "staged v1.1.0");
    let right = match subject {
        Subject::Updater => staged == (place.changed.0 > 0),
        Subject::Mip => output.lines().any(|line| line == "Done"),
        Subject::Floor => number(&output, "written ") == Some(place.changed.0),
    };
    ensure!(right, "{} does not do what it should:\n{output}", subject.key());
    let mut installed = String::new();
    if staged {
        install(interpreter, dir.path(), &mut installed)?;
    }
    after()?;
    Ok([output, installed])
}

/// The starts that install what is staged, and what they print.
fn install(interpreter: &dyn Fn() -> Command, dir: &Path, printed: &mut String) -> Result<()> {
    let start = script("start.py")?;
    for _ in 0..STARTS {
        let (ended, output) = interpret(interpreter(), dir, &start, PATIENCE)?;
        printed.push_str(&output);
        if ended != Some(RESET) {
            let told = std::fs::read_to_string(dir.join("version.json")).unwrap_or_default();
            ensure!(told.contains("v1.1.0") && told.contains("true"), "it is not installed:\n{output}");
            return Ok(());
        }
    }
    bail!("it resets for ever:\n{printed}")
}

/// The number behind a word at the start of a line.
fn number(output: &str, word: &str) -> Option<u64> {
    output.lines().find_map(|line| line.strip_prefix(word)?.parse().ok())
}

/// Time of the processor of all programs that this one has started and that have ended: in their own code, and in the
/// system's for them.
fn processor() -> Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let time = |t: nix::sys::time::TimeVal| {
        Duration::new(u64::try_from(t.tv_sec()).unwrap_or(0), u32::try_from(t.tv_usec() * 1000).unwrap_or(0))
    };
    Ok(time(usage.user_time()) + time(usage.system_time()))
}
