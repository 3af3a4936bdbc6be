//! One update on a folder of the host: what goes over the wire, and the time of the processor. The interpreter has
//! nothing in it but what is measured, and the file system is the host's, so that none of the time is the virtual flash's.

use super::place::{Place, Subject};
use super::wire::Wire;
use crate::size::place::{copy, script};
use crate::size::run::{RESET, STARTS, interpret};
use anyhow::{Result, bail, ensure};
use mpota_vboard::MicroPython;
use nix::sys::resource::{UsageWho, getrusage};
use std::path::Path;
use std::time::Duration;

/// Enough for every one of these, and the same for each.
const HEAP: &str = "4M";
/// Longer than any of them takes.
const PATIENCE: Duration = Duration::from_secs(300);
/// Of the script's own time: what an interpreter takes to start is in the time of the processor only.
const CLOCK: [&str; 2] =
    ["import time\nbegan = time.ticks_us()\n", "print('us', time.ticks_diff(time.ticks_us(), began))\n"];

/// What one update took.
#[derive(Debug, Clone, Copy)]
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

/// Update a copy of this folder.
pub fn update(
    micropython: &MicroPython,
    place: &Place,
    subject: Subject,
    folder: &Path,
    wire: &Wire,
) -> Result<(Times, super::wire::Traffic)> {
    let dir = tempfile::tempdir()?;
    copy(folder, dir.path())?;
    let code = format!("{}{}{}", CLOCK[0], place.script(subject)?, CLOCK[1]);
    wire.take();
    let before = processor()?;
    let (ended, output) = interpret(micropython.command(HEAP), dir.path(), &code, PATIENCE)?;
    let update = processor()? - before;
    let traffic = wire.take();
    ensure!(ended == Some(0), "{} fails:\n{output}", subject.key());
    let number = |word: &str| output.lines().find_map(|line| line.strip_prefix(word)?.parse::<u64>().ok());
    let wall = Duration::from_micros(number("us ").unwrap_or_default());
    let staged = output.lines().any(|line| line == "staged v1.1.0");
    match subject {
        Subject::Updater => ensure!(staged == (place.changed.0 > 0), "what was staged is wrong:\n{output}"),
        Subject::Mip => ensure!(output.lines().any(|line| line == "Done"), "mip fails:\n{output}"),
        Subject::Floor => {
            ensure!(number("written ") == Some(place.changed.0), "not all is written:\n{output}")
        }
    }
    let mut install = Duration::ZERO;
    if staged {
        let before = processor()?;
        install_staged(micropython, dir.path())?;
        install = processor()? - before;
    }
    Ok((Times { update, install, wall }, traffic))
}

fn install_staged(micropython: &MicroPython, dir: &Path) -> Result<()> {
    let start = script("start.py")?;
    for _ in 0..STARTS {
        let (ended, output) = interpret(micropython.command(HEAP), dir, &start, PATIENCE)?;
        if ended != Some(RESET) {
            let told = std::fs::read_to_string(dir.join("version.json")).unwrap_or_default();
            ensure!(told.contains("v1.1.0") && told.contains("true"), "it is not installed:\n{output}");
            return Ok(());
        }
    }
    bail!("it resets for ever")
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
