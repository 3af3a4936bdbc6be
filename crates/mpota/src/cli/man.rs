//! `mpota man`

use std::path::PathBuf;

use clap::CommandFactory;
use mpota::files::FileError;

/// Write man pages, one for each command, into a folder.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Write one page of Markdown instead, commands.md
    #[arg(long)]
    markdown: bool,
    /// The folder, like ~/.local/share/man/man1; it is made if it is not there
    dir: PathBuf,
}

pub fn run(args: &Args) -> miette::Result<()> {
    let failed =
        |source| FileError { action: "write man pages into", path: args.dir.clone(), source, hint: None };
    std::fs::create_dir_all(&args.dir).map_err(failed)?;
    if args.markdown {
        let page = super::markdown::page(super::Cli::command());
        return Ok(std::fs::write(args.dir.join("commands.md"), page).map_err(failed)?);
    }
    clap_mangen::generate_to(super::Cli::command(), &args.dir).map_err(failed)?;
    Ok(())
}
