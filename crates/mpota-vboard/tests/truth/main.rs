//! The virtual board is as unkind as real boards are: what its tests find hangs on that.
//!
//! - [`imports`]: files before built-in modules, or behind them
//! - [`starts`]: what a start was caused by, and scripts of starts
//! - [`watchdog`]: the time of `machine.WDT`
//! - [`stands`]: how long an asyncio app stands still

#![allow(clippy::unwrap_used, reason = "these are tests")]

#[path = "../common/mod.rs"]
mod common;
mod imports;
mod stands;
mod starts;
#[path = "../common/still.rs"]
mod still;
mod watchdog;

use mpota_vboard::bench::write_file;
use mpota_vboard::{Board, FileSystem, MicroPython, Run, Word};
use std::sync::OnceLock;

/// A board with these files and nothing of ours.
fn board(files: &[(&str, &str)]) -> Board {
    board_of(Word::Bits64, files)
}

fn board_of(word: Word, files: &[(&str, &str)]) -> Board {
    static FOUND: [OnceLock<MicroPython>; 2] = [OnceLock::new(), OnceLock::new()];
    let micropython =
        FOUND[usize::from(word == Word::Bits32)].get_or_init(|| MicroPython::find(word).unwrap());
    let dir = tempfile::tempdir().unwrap();
    for (path, content) in files {
        write_file(&dir.path().join(path), content.as_bytes()).unwrap();
    }
    Board::new(micropython, FileSystem::Lfs, dir.path()).unwrap()
}

/// What stands behind `key` on each line that begins with it.
fn said<'a>(run: &'a Run, key: &str) -> Vec<&'a str> {
    run.output.lines().filter_map(|line| line.strip_prefix(key)).map(str::trim).collect()
}
