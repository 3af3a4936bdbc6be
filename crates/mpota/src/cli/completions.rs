//! `mpota completions`

use clap::CommandFactory;
use clap_complete::Shell;

use super::output;

/// Print a completion script for your shell.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// For which shell
    shell: Shell,
}

pub fn run(args: &Args) -> miette::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut super::Cli::command(), "mpota", &mut script);
    output::raw(&script);
    Ok(())
}
