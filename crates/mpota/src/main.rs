//! The command line of mpota: arguments, then validated options, then the work, then the output.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = cli::Cli::parse_colored().unwrap_or_else(|error| cli::output::usage(&error));
    match cli.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(report) => cli::output::error(&report),
    }
}
