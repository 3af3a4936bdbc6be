//! `mpota install`

use std::path::PathBuf;

use super::output;

/// Lay a release out in a folder as it lies on a board.
///
/// The files at their paths, and what the updater keeps beside them: .ota/ and version.json.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder that is the board
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    /// The release's folder
    #[arg(long, value_name = "DIR", default_value = "dist")]
    dist: PathBuf,
    /// Overwrite files that are there, but not those that the release keeps, and begin the updater's records anew
    #[arg(long)]
    force: bool,
}

pub fn run(args: &Args) -> miette::Result<()> {
    let done = mpota::install::install(&args.dist, &args.dir, args.force)?;
    for path in &done.kept {
        output::note(format_args!("kept {path}, which was there"));
    }
    output::note(format_args!("{} has {} now, {} files", args.dir.display(), done.version, done.files));
    Ok(())
}
