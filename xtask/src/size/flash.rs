//! What an ordinary boot does on a flash: on the virtual board, whose LittleFS counts.

use super::report::Report;
use anyhow::{Result, ensure};
use mpota_vboard::bench::{Agent, App, Bench, Release};
use mpota_vboard::{Board, FileSystem, MicroPython, Word};

/// Starts of each board; the fastest counts.
const RUNS: usize = 20;

/// What the guard costs on a boot where nothing is to be done: with it and without, side by side.
pub fn ordinary_boot(report: &mut Report) -> Result<()> {
    let micropython = MicroPython::find(Word::Bits64)?;
    let bench = Bench::new()?;
    let main: (&str, &[u8]) = ("main.py", b"import machine\nmachine.deepsleep(1)\n");
    bench.publish(&Release::new("v1.0.0", App::tiny("v1.0.0")?))?;
    let with = bench.board_folder("v1.0.0", Agent::Mpy, &[main])?;
    let without = bench.board_folder("v1.0.0", Agent::Mpy, &[main, ("boot.py", b"pass\n")])?;
    let mut best = Vec::new();
    for folder in [&with, &without] {
        let board = Board::new(&micropython, FileSystem::Lfs, folder)?;
        let runs: Vec<_> = (0..RUNS).map(|_| board.run()).collect::<std::result::Result<_, _>>()?;
        ensure!(runs.iter().all(|r| r.writes == 0 && r.boots == 1), "an ordinary boot wrote to the flash");
        let us = runs.iter().map(|r| r.microseconds).min().unwrap_or(0);
        best.push((u64::from(runs[0].reads), u64::from(us)));
    }
    let [(reads, us), (reads_without, us_without)] = best[..] else { return Ok(()) };
    report.line("\nAn ordinary boot");
    report.figure("boot-writes", 0, "", "writes of the flash");
    report.figure("boot-reads", reads, "", &format!("reads of the flash, {reads_without} without the guard"));
    report.figure(
        "boot-us",
        us,
        "us",
        &format!("from power on, {us_without} without the guard (64 bit, LittleFS, best of {RUNS})"),
    );
    Ok(())
}
