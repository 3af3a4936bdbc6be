//! `mpota init`

use std::path::PathBuf;

use mpota::{config, git, names};

use super::output::{self, Usage};

/// Write an example mpota.toml beside your app. Never overwrites.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The app's folder
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// The repository that boards ask [default: git's remote `origin`, if it is on GitHub]
    #[arg(long, value_name = "OWNER/NAME")]
    project: Option<String>,
}

pub fn run(args: &Args) -> miette::Result<()> {
    let found = args.project.clone().or_else(|| git::github_project(&args.dir));
    if let Some(project) = found.as_ref().filter(|project| !names::is_project(project)) {
        return Err(Usage::new(
            format!("{project:?} is not a project"),
            "it is the repository on GitHub: --project octo/weather",
        )
        .into());
    }
    let path = config::init(&args.dir, found.as_deref().unwrap_or("owner/name"))?;
    output::note(format_args!("wrote {}", path.display()));
    if found.is_none() {
        output::hint("put your repository's name into it: project = \"owner/name\"");
    } else {
        output::hint("next: mpota build --version v1.0.0");
    }
    Ok(())
}
