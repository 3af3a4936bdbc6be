//! `cargo xtask load`: `mpota serve` beside nginx, on the same folder, in the same run, in turns.
//!
//! # Layout
//!
//! - [`servers`]: the folder, both servers, and what they use of the machine
//! - [`rates`]: requests a second, asked by wrk
//! - [`crowd`]: boards that connect all at once, or several hundred at a time
//! - [`report`]: the figures, and the limits that they have to keep

mod crowd;
mod rates;
mod report;
pub mod servers;

use anyhow::{Context, Result, bail, ensure};
use crowd::Crowd;
use mpota_vboard::servers::Programs;
use report::Report;
use servers::{Folder, Running};
use std::time::Duration;

/// Boards that ask at the same moment.
const AT_ONCE: usize = 2_000;
/// Boards that come one after the other, and how many of them at a time.
const IN_TURN: (usize, usize) = (10_000, 500);
/// How long wrk asks one server for one thing, and how often it comes back to it.
const ASKING: Duration = Duration::from_secs(2);
const ROUNDS: u32 = 3;

/// Measure. `--json`: figures as JSON on standard output. `--check`: fail if a limit is broken.
pub fn run(args: &[String]) -> Result<()> {
    let known = |arg: &String| ["--json", "--check"].contains(&arg.as_str());
    ensure!(args.iter().all(known), "load [--json] [--check]");
    let wants = |option: &str| args.iter().any(|arg| arg == option);

    let programs = Programs::find()?;
    let mpota = servers::build(true)?;
    // The boards are sockets of this program.
    let sockets = u64::try_from(AT_ONCE)? + 256;
    let allowed = rlimit::increase_nofile_limit(sockets).context("the limit of open files")?;
    ensure!(
        allowed >= sockets,
        "{AT_ONCE} boards take {sockets} open files, and the system allows {allowed}: raise it with `ulimit -Hn`"
    );
    let folder = Folder::new()?;
    let mut ours = servers::mpota(&mpota, &folder, false)?;
    let mut keeping = servers::mpota(&mpota, &folder, true)?;
    let mut nginx = servers::nginx(&programs, &folder)?;
    let mut report = Report::new(wants("--json"));

    for target in rates::targets(&ours, &nginx)? {
        report.rate(&target, &rates::compare(&programs, &target, &ours, &nginx, ROUNDS, ASKING)?);
    }
    for (key, boards, at_a_time) in [("at-once", AT_ONCE, AT_ONCE), ("in-turn", IN_TURN.0, IN_TURN.1)] {
        report.crowds(key, &crowd(&ours, boards, at_a_time)?, &crowd(&nginx, boards, at_a_time)?);
    }
    // New boards first, which then come again.
    for (key, boards, at_a_time) in
        [("reports-at-once", AT_ONCE, AT_ONCE), ("reports-in-turn", IN_TURN.0, IN_TURN.1)]
    {
        report.reports(key, &come(&keeping, boards, at_a_time, true)?);
    }
    for server in [&mut ours, &mut nginx, &mut keeping] {
        if !server.alive() {
            bail!("{} has ended: {}", server.name, server.said());
        }
    }
    report.end(wants("--check"))
}

fn crowd(server: &Running, boards: usize, at_a_time: usize) -> Result<Crowd> {
    come(server, boards, at_a_time, false)
}

fn come(server: &Running, boards: usize, at_a_time: usize, reporting: bool) -> Result<Crowd> {
    crowd::come(server, "/octo/weather/releases/latest", boards, at_a_time, reporting)
}
