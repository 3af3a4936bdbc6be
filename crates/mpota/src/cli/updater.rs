//! `mpota updater`

use std::path::PathBuf;

use mpota::app::scaffold::{self, Life};
use mpota::board::lay::lay;
use mpota::board::updater::Form;

use super::init::{self, LifeArg};
use super::output;

/// Write the updater into a folder as it lies on a board: what to copy there, or to let a release bring.
///
/// The updater goes to lib/. Where there is no app, the files of one are written too; where there is one, boot.py
/// if it has none. What is there already is left as it is.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder that is the board's /
    dir: PathBuf,
    /// Compiled, for MicroPython 1.19 and later: it takes a third less of a board's memory than the sources
    #[arg(long)]
    mpy: bool,
    /// Replace another updater's files, and name each of them
    #[arg(long)]
    force: bool,
    /// The repository that boards ask [default: git's remote `origin`, if it is on GitHub]
    #[arg(long, value_name = "OWNER/NAME")]
    project: Option<String>,
    /// What the app does between two looks for an update, where there is none yet [default: sleeps]
    #[arg(long, value_enum)]
    life: Option<LifeArg>,
}

pub fn run(args: &Args) -> miette::Result<()> {
    let project = init::project(args.project.as_deref(), &args.dir)?;
    let form = if args.mpy { Form::Compiled } else { Form::Source };
    let laid = lay(&args.dir, form, args.force)?;
    for path in &laid.replaced {
        output::note(format_args!("replaced {}", path.display()));
    }
    for path in &laid.removed {
        output::note(format_args!("removed {}, which would have been loaded instead", path.display()));
    }
    output::note(format_args!("{} has the updater, {} files", args.dir.join("lib").display(), laid.files));
    let has_app = init::has_app(&args.dir);
    let written = if has_app {
        scaffold::write_boot(&args.dir)?
    } else {
        let life = args.life.map_or(Life::Sleeps, Life::from);
        scaffold::write(&args.dir, life, project.as_deref().unwrap_or("owner/name"))?
    };
    init::tell(&written);
    if !has_app && project.is_none() {
        output::hint("put your repository's name into updates.py: \"owner\" and \"repo\"");
    }
    Ok(())
}
