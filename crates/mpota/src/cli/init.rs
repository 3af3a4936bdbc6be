//! `mpota init`

use std::path::{Path, PathBuf};

use mpota::app::config::{self, Config};
use mpota::app::git;
use mpota::app::scaffold::{self, Life, Written};
use mpota::app::survey;
use mpota::remote::names;

use super::output::{self, Usage};

/// Write an example mpota.toml beside your app, and the files of an app where there is none. Never
/// overwrites.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The app's folder
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// The repository that boards ask [default: git's remote `origin`, if it is on GitHub]
    #[arg(long, value_name = "OWNER/NAME")]
    project: Option<String>,
    /// What the app does between two looks for an update: boot.py, main.py, updates.py, wifi.py and app.py
    /// for it are written, those that are not there [default: sleeps, where there is no main.py]
    #[arg(long, value_enum)]
    life: Option<LifeArg>,
}

/// See [`Life`].
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(super) enum LifeArg {
    /// It wakes up, works, and sleeps deeply
    Sleeps,
    /// It never returns
    Runs,
    /// It runs on asyncio
    Asyncio,
    /// It leaves no memory for an update, which is then made before the app is loaded
    Full,
}

impl From<LifeArg> for Life {
    fn from(life: LifeArg) -> Self {
        match life {
            LifeArg::Sleeps => Self::Sleeps,
            LifeArg::Runs => Self::Runs,
            LifeArg::Asyncio => Self::Asyncio,
            LifeArg::Full => Self::Full,
        }
    }
}

/// The project that was named, or else that of git's remote.
pub(super) fn project(named: Option<&str>, dir: &Path) -> Result<Option<String>, Usage> {
    let found = named.map(str::to_owned).or_else(|| git::github_project(dir));
    match found.as_ref().filter(|project| !names::is_project(project)) {
        None => Ok(found),
        Some(wrong) => Err(Usage::new(
            "usage::project",
            format!("{wrong:?} is not a project"),
            "it is the repository on GitHub: --project octo/weather",
        )),
    }
}

pub fn run(args: &Args) -> miette::Result<()> {
    let found = project(args.project.as_deref(), &args.dir)?;
    let life = args.life.map(Life::from);
    let mut root = args.dir.clone();
    let mut project = found.clone().unwrap_or_else(|| "owner/name".to_owned());
    if life.is_some() && args.dir.join(config::FILE).exists() {
        let config = Config::load(&args.dir)?;
        root.extend(config.root);
        project = config.project;
    } else {
        let path = config::init(&args.dir, &project)?;
        output::note(format_args!("wrote {}", path.display()));
    }
    app(args, &root, life, &project)?;
    show(&args.dir)?;
    if project == "owner/name" {
        output::hint("put your repository's name into it: project = \"owner/name\"");
    } else {
        output::hint("next: mpota build --version v1.0.0");
    }
    Ok(())
}

/// What a release of the folder would have in it, and what not.
fn show(app: &Path) -> miette::Result<()> {
    let survey = survey::survey(app, &Config::load(app)?)?;
    let tell = |what: &str, paths: &[String]| {
        let more = paths.len().saturating_sub(SHOWN);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let shown = paths[..paths.len().min(SHOWN)].join(", ");
        if !paths.is_empty() {
            output::note(format_args!("{what}: {shown}{more}"));
        }
    };
    tell("code for the board", &survey.code);
    tell("other files for the board", &survey.data);
    tell("left out, as no board needs it", &survey.left_out);
    tell("files of the owner, it seems", &survey.owners);
    if !survey.owners.is_empty() {
        let quoted: Vec<String> = survey.owners.iter().map(|path| format!("{path:?}")).collect();
        output::hint(format_args!(
            "an update replaces them, unless mpota.toml says: keep = [{}]",
            quoted.join(", ")
        ));
    }
    Ok(())
}

/// So many paths stand in a line.
const SHOWN: usize = 12;

/// Whether an app lies in the folder.
pub(super) fn has_app(root: &Path) -> bool {
    ["main.py", "main.mpy"].iter().any(|name| root.join(name).exists())
}

/// Which files of the template were written, and which not.
pub(super) fn tell(written: &Written) {
    for path in &written.new {
        output::note(format_args!("wrote {}", path.display()));
    }
    for path in &written.left {
        output::note(format_args!("{} is there: left as it is", path.display()));
    }
}

/// The app's files.
fn app(args: &Args, root: &Path, life: Option<Life>, project: &str) -> miette::Result<()> {
    if life.is_none() && has_app(root) {
        return Ok(());
    }
    let chosen = life.unwrap_or(Life::Sleeps);
    tell(&scaffold::write(root, chosen, project)?);
    if life.is_none() {
        let others: Vec<_> =
            Life::ALL.iter().map(|l| l.name()).filter(|name| *name != chosen.name()).collect();
        output::hint(format_args!(
            "app.py is for an app that {chosen}; remove it, and `mpota init --life {} {}` writes another",
            others.join("|"),
            args.dir.display()
        ));
    }
    output::hint("the Wi-Fi belongs in secrets.py on the board: SSID = \"...\" and PASSWORD = \"...\"");
    Ok(())
}
