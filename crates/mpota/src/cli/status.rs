//! `mpota status`

use mpota::board::look::Seen;
use mpota::board::mpremote::Mpremote;
use mpota::board::port;
use mpota::board::status::Status;

use super::output;

/// Tell how a board is: its version, the update that is under way, what was undone and why, and what
/// is free.
///
/// The app is stopped for the look, and the board is restarted after it.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The board's port, as mpremote knows it: a0, u0, /dev/ttyACM0, COM3 [default: the first board that is found]
    port: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

pub fn run(args: &Args) -> miette::Result<()> {
    let mpremote = Mpremote::find(args.port.as_deref())?;
    let seen = Seen::look(&mpremote, &port::updater_names(), true)?;
    let status = Status::of(&seen);
    if args.json {
        return output::json(&status);
    }
    output::data(format_args!("board: {}, MicroPython {}", status.board, status.micropython));
    let state = if status.state.is_empty() { "none" } else { status.state };
    output::data(format_args!("state: {state}: {}", status.says));
    if !status.bad.is_empty() {
        output::data(format_args!("undone: {}: {}; blocked: {}", status.bad, status.why, status.blocked));
    }
    let boot = if status.started_by_boot { "" } else { ", and boot.py does not start it" };
    output::data(format_args!("updater: {}{boot}", status.updater));
    output::data(format_args!("flash: {} of {} bytes free", status.flash_free, status.flash_total));
    output::data(format_args!("memory: {} bytes free", status.memory_free));
    Ok(())
}
