//! The command line of mpota: arguments, then validated options, then the work, then the output.

mod cli;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match cli::Cli::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(report) => cli::output::error(&report),
    }
}
