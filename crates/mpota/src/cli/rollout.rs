//! `mpota rollout` and `mpota halt`

use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use mpota::app::config::{self, Config};
use mpota::publish::rollout::{self, Change, RolloutOptions, Share, State, Wish};
use mpota::release::keys;
use mpota::remote::names;
use mpota_format::version::Version;

use super::output::{self, Usage};
use super::server::ServerArgs;
use super::share::{after, percent, time};
use super::talk::Talk;
use super::time::utc;

const AFTER: &str = "\
Stopped anywhere, the same command goes on where it was.

Exit codes:
  0  done, and read back as a board does
  1  refused; boards see what they saw before
  2  the command line is not right
  3  the server did not answer, or asks for a longer pause than --patience; run it again";

/// Say which boards may take a version, or show it.
///
/// Without PERCENT and options it shows the rollout of VERSION. The share is of all boards: each decides
/// by itself, from the version and its own id. A board that takes a version at 5% takes it at 25% too, and each
/// version begins with other boards. What is not given stays as it is, and a rollout that was halted goes on
/// when PERCENT is given.
///
///   mpota rollout v1.2.0 0% --boards e6614c311b7e6f35
///   mpota rollout v1.2.0 5% --after 2d:25% --after 5d:100%
///   mpota rollout v1.2.0 100%
///
/// The version must have been built with `rollout = true` in mpota.toml, or with --rollout.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER, verbatim_doc_comment)]
pub struct Args {
    /// The version, as its tag is written
    version: String,
    /// The share of the boards that may take it now, like 5%
    #[arg(value_parser = percent)]
    percent: Option<u8>,
    /// These boards take it whatever the share is. An id is machine.unique_id() in hex; an empty list removes all
    #[arg(long, value_name = "ID,ID", value_delimiter = ',')]
    boards: Option<Vec<String>>,
    /// The share from some time on, like 2d:25%. Can be repeated
    #[arg(long, value_name = "TIME:PERCENT", value_parser = after)]
    after: Vec<(Duration, u8)>,
    /// How long it counts, like 30d: after that no board takes the version [default: as it is if the shares stay, else
    /// 30 days longer than it takes to the last stage, and without an end where that is 100%]
    #[arg(long = "for", value_name = "TIME", value_parser = time)]
    lasts: Option<Duration>,
    #[command(flatten)]
    pub(super) place: Place,
}

/// Let no more boards take a version; those that have it keep it.
///
/// `mpota rollout VERSION PERCENT` goes on with it.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub struct HaltArgs {
    /// The version, as its tag is written
    version: String,
    #[command(flatten)]
    pub(super) place: Place,
}

/// Where the rollout is, and who signs it.
#[derive(Debug, clap::Args)]
pub struct Place {
    /// The app's folder, with mpota.toml
    #[arg(long, value_name = "DIR", default_value = ".")]
    app: PathBuf,
    /// The repository [default: `project` in mpota.toml]
    #[arg(long, value_name = "OWNER/NAME")]
    repo: Option<String>,
    /// The repository has moved to --repo: the release stays one of `project` in mpota.toml
    #[arg(long, requires = "repo")]
    moved: bool,
    /// Sign with this SSH key: the private one, or the .pub of one that an ssh-agent has [default: `key`
    /// in mpota.toml]
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    #[command(flatten)]
    server: ServerArgs,
    /// Print the rollout, or why it was not changed, as JSON
    #[arg(long)]
    pub(super) json: bool,
    /// Print only warnings and errors
    #[arg(short, long)]
    quiet: bool,
}

pub fn run(args: Args) -> miette::Result<()> {
    let Args { version, percent, boards, after, lasts, place } = args;
    // Boards write their ids in lower case.
    let same =
        |id: String| if id.bytes().all(|c| c.is_ascii_hexdigit()) { id.to_ascii_lowercase() } else { id };
    let boards = boards.map(|ids| ids.into_iter().filter(|id| !id.is_empty()).map(same).collect());
    let change = Change { percent, after, boards, lasts };
    let (json, dry_run) = (place.json, place.server.dry_run);
    let shown = change == Change::default();
    let options = options(place, &version, !shown)?;
    let state = match shown {
        true => rollout::show(&options)?,
        false => rollout::change(&options, &Wish::Change(change))?,
    };
    tell(&state, json, dry_run)
}

pub fn halt(args: HaltArgs) -> miette::Result<()> {
    let (json, dry_run) = (args.place.json, args.place.server.dry_run);
    let options = options(args.place, &args.version, true)?;
    tell(&rollout::change(&options, &Wish::Halt)?, json, dry_run)
}

/// `signs`: the private key is needed, which may ask for its passphrase.
fn options(place: Place, version: &str, signs: bool) -> miette::Result<RolloutOptions> {
    let version = Version::parse(version).map_err(|error| {
        Usage::new(
            "usage::rollout_version",
            error.to_string(),
            "use the version as its tag is written, like v1.2.0",
        )
    })?;
    let config = match place.app.join(config::FILE).exists() {
        true => Some(Config::load(&place.app)?),
        false => None,
    };
    let ours = config.as_ref().map(|config| config.project.clone());
    let Some(project) = place.repo.or(ours.clone()) else {
        let hint = "run this in the app's folder, name it with --app, or use --repo OWNER/NAME";
        return Err(
            Usage::new("usage::no_project", "there is no mpota.toml that names the project", hint).into()
        );
    };
    if !names::is_project(&project) {
        let what = format!("{project:?} is no repository");
        return Err(Usage::new("usage::project", what, "use --repo OWNER/NAME").into());
    }
    let mut options = RolloutOptions::new(project, version);
    let key = place.key.or_else(|| config.and_then(|config| config.key_path(&place.app)));
    if let Some(path) = key {
        options.access.keys = vec![keys::show(&mpota::files::expand_home(&path))?.key];
        options.key = if signs { Some(super::load_key(&path)?) } else { None };
    }
    options.access.identity = ours.filter(|_| place.moved);
    options.patience = place.server.patience();
    options.access.base_url = place.server.base_url;
    options.access.ca = place.server.ca;
    options.dry_run = place.server.dry_run;
    options.tell = Rc::new(Talk::new(place.quiet).teller());
    Ok(options)
}

fn tell(state: &State, json: bool, dry_run: bool) -> miette::Result<()> {
    if let Some(why) = &state.refused {
        output::warning("rollout::refused", format_args!("boards refuse this rollout: {why}"));
    }
    if json {
        return output::json(state);
    }
    if dry_run {
        state.would.iter().for_each(output::data);
    }
    let share = |share: &Share| match share.from {
        0 => format!("{}%", share.percent),
        from => format!("{}% from {}", share.percent, utc(from)),
    };
    let now = match state.percent {
        _ if state.halted => "halted: no board takes it, those that have it keep it".to_owned(),
        None => "no stage has begun".to_owned(),
        Some(percent) => format!("{percent}% of the boards"),
    };
    let line = |what: &str, text: &str| output::data(format_args!("{what:<10} {text}"));
    line("version", &format!("{} of {}", state.version, state.project));
    line("now", &now);
    line("stages", &state.stages.iter().map(share).collect::<Vec<_>>().join(", "));
    if !state.boards.is_empty() {
        line("boards", &state.boards.join(", "));
    }
    line("until", &state.until.map_or_else(|| "no end".to_owned(), utc));
    line("number", &state.number.to_string());
    line("signed", state.signed.as_deref().unwrap_or("no"));
    Ok(())
}
