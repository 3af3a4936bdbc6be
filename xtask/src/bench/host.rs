//! One update on a folder of the host: traffic, CPU time, instructions. The file system is the host's, because the
//! virtual flash is written in Python and would take most of the time.

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

/// The heap of all subjects, as that of a board with 256 KB: words are twice as large here. In a heap of megabytes the
/// garbage collector's work depends on where objects happen to lie, and instructions differ by 10 percent between runs.
const HEAP: &str = "512K";
/// Longer than any update takes.
const PATIENCE: Duration = Duration::from_secs(300);
/// Code before and behind a script that prints its wall time in microseconds. CPU time includes the interpreter's start.
const CLOCK: [&str; 2] =
    ["import time\nbegan = time.ticks_us()\n", "print('us', time.ticks_diff(time.ticks_us(), began))\n"];

/// The time of one update.
#[derive(Debug, Clone, Copy, Default)]
pub struct Times {
    /// CPU time until the update is staged. `mip` and the floor install in place: all of their time.
    pub update: Duration,
    /// CPU time of the starts that install what is staged.
    pub install: Duration,
    /// Wall time until the update is staged.
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

/// Update a copy of `folder`: its times and its traffic.
///
/// # Errors
/// When the update fails, or does something else than the case expects.
pub fn update(
    micropython: &MicroPython,
    place: &Place,
    subject: Subject,
    folder: &Path,
    wire: &Wire,
) -> Result<(Times, Traffic)> {
    wire.take();
    let mut spent = vec![cpu_time()?];
    let mut traffic = Traffic::default();
    let outputs = whole(&|| micropython.command(HEAP), place, (subject, Scheme::Http), folder, &mut || {
        spent.push(cpu_time()?);
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

/// The traffic of the same update over https.
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

/// The instructions of the same update: until it is staged, and for its installation. They differ by less than a percent
/// between runs: a client that waits for its server polls.
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

/// A whole update: what was printed until it was staged, and during the installation. `interpreter` makes the command of
/// each interpreter. `after` is called after each of the two parts.
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

/// User and system time of all child processes that have ended.
fn cpu_time() -> Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let time = |t: nix::sys::time::TimeVal| {
        Duration::new(u64::try_from(t.tv_sec()).unwrap_or(0), u32::try_from(t.tv_usec() * 1000).unwrap_or(0))
    };
    Ok(time(usage.user_time()) + time(usage.system_time()))
}
