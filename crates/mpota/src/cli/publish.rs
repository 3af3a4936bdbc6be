//! `mpota publish`

use std::path::PathBuf;
use std::rc::Rc;

use mpota::app::config::{self, Config};
use mpota::app::git;
use mpota::files;
use mpota::publish::rollout::Change;
use mpota::publish::{self, PublishOptions, Published};
use mpota::release::build::{self, BuildOptions};
use mpota::release::dist::{self, MANIFEST};
use mpota::release::keys::{self, SigningKey};
use mpota::remote::names;

use super::allow::AllowArgs;
use super::output::{self, Usage};
use super::server::ServerArgs;
use super::share::percent;
use super::talk::Talk;

/// The longest text of a release that GitHub takes, in bytes.
const NOTES: u64 = 125_000;

const AFTER: &str = "\
Stopped anywhere, the same command goes on where it was: it looks at what the server has. Boards see
nothing of a release before all of it is there.

Exit codes:
  0  published, and read back as a board does
  1  refused; boards see what they saw before
  2  the command line is not right
  3  not published: a draft may be left, which the message names; run it again
  4  published, and something after that is not done, like a channel; run it again";

/// Publish a release at GitHub, and read it back the way a board does.
///
/// Takes the release that lies in DIR. Where there is none, or with --version, it is built first, as
/// `mpota build` does. Then: a draft for the tag, every asset, a comparison of all names, sizes and
/// digests, and only then the publication.
///
/// The token comes from MPOTA_TOKEN, then GH_TOKEN or GITHUB_TOKEN (for other hosts than github.com
/// GH_ENTERPRISE_TOKEN or GITHUB_ENTERPRISE_TOKEN), then `gh auth token`, then git's credential
/// helpers. It needs Contents: read and write (fine-grained), or the scope `repo`, for a public
/// repository `public_repo` (classic).
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub struct Args {
    /// The folder of the release [default: dist in the app's folder]
    dir: Option<PathBuf>,
    /// The app's folder, with mpota.toml
    #[arg(long, value_name = "DIR", default_value = ".")]
    app: PathBuf,
    /// Build this version first, like v1.2.0 [default: what lies in DIR; if that is missing, the git
    /// tag on the current commit]
    #[arg(long, value_name = "VERSION", conflicts_with = "dir")]
    version: Option<String>,
    /// Sign what is built, and the rollout, with this SSH key [default: `key` in mpota.toml]
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// The repository [default: `project` in mpota.toml; without that file, the release's]
    #[arg(long, value_name = "OWNER/NAME")]
    repo: Option<String>,
    /// The repository has moved to --repo: the release stays one of `project` in mpota.toml, the name by
    /// which boards know it
    #[arg(long, requires = "repo")]
    moved: bool,
    /// Also bring this channel to the version, like beta. Can be repeated
    #[arg(long, value_name = "NAME")]
    channel: Vec<String>,
    /// Let this share of the boards take it first, like 5%: build with the mark that makes boards ask, and
    /// upload the rollout before the release is published
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    rollout: Option<u8>,
    /// Make it the latest release, whatever the latest one is now
    #[arg(long, conflicts_with = "no_latest")]
    latest: bool,
    /// Do not make it the latest release [default: it becomes the latest unless that is newer, or it is
    /// a prerelease like v1.2.0-rc.1]
    #[arg(long)]
    no_latest: bool,
    /// The text of the release
    #[arg(long, value_name = "TEXT", conflicts_with = "notes_file")]
    notes: Option<String>,
    /// A file with the text of the release
    #[arg(long, value_name = "FILE")]
    notes_file: Option<PathBuf>,
    /// Let GitHub add what was merged since the last release
    #[arg(long)]
    generate_notes: bool,
    /// The commit or branch for the tag, if the server has no such tag yet [default: the current commit
    /// of the app's folder]
    #[arg(long, value_name = "COMMIT")]
    target: Option<String>,
    #[command(flatten)]
    server: ServerArgs,
    /// Print what was done, or why it was not, as JSON
    #[arg(long)]
    pub(super) json: bool,
    /// Print only warnings and errors
    #[arg(short, long)]
    quiet: bool,
    #[command(flatten)]
    allow: AllowArgs,
}

pub fn run(args: Args) -> miette::Result<()> {
    let json = args.json;
    let done = options(args).and_then(|options| Ok(publish::publish(&options)?))?;
    if json {
        return output::json(&done);
    }
    tell(&done);
    Ok(())
}

fn tell(done: &Published) {
    match &done.url {
        Some(url) => output::data(url),
        None => done.would.iter().for_each(output::data),
    }
}

/// Builds if there is something to build, and says what is to be published.
fn options(args: Args) -> miette::Result<PublishOptions> {
    let folder = args.dir.clone().unwrap_or_else(|| args.app.join("dist"));
    let built = args.dir.is_none() && (args.version.is_some() || !folder.exists());
    let key = match built || args.rollout.is_some() {
        true => key(&args)?,
        false => None,
    };
    if built {
        build(&args, key.clone())?;
    } else if args.key.is_some() && args.rollout.is_none() {
        let hint = "name the version to build it, with --version, or sign it with `mpota sign`";
        return Err(Usage::new("usage::built", format!("{} is built already", folder.display()), hint).into());
    }
    let manifest = dist::read_manifest(&folder.join(MANIFEST))?;
    let config = match args.app.join(config::FILE).exists() {
        true => Some(Config::load(&args.app)?),
        false => None,
    };
    let ours = config.as_ref().map(|config| config.project.clone());
    let identity = if args.moved { ours.clone() } else { None };
    let project = match args.repo.or(ours.clone()).or(manifest.header.project) {
        Some(project) if names::is_project(&project) => project,
        Some(other) => {
            return Err(Usage::new(
                "usage::project",
                format!("{other:?} is no repository"),
                "use --repo OWNER/NAME",
            )
            .into());
        }
        None => {
            return Err(Usage::new(
                "usage::no_project",
                "the release names no project",
                "use --repo OWNER/NAME",
            )
            .into());
        }
    };
    if config.is_some()
        && let Some(other) = git::sharing(&args.app, &project).first()
    {
        return Err(Usage::new(
            "usage::shared_project",
            format!("{} has the same project, {project}: boards ask it for the latest release, and cannot tell the apps apart", other.display()),
            "give each app a repository for its releases, as `project` in its mpota.toml and as owner and repo in CONFIG: docs/publishing.md, \"Several apps in one repository\"",
        )
        .into());
    }
    let prefix = config.as_ref().map_or("", |config| &config.tag_prefix);
    let here = git::version_tag(&args.app, prefix).ok().filter(|_| !built);
    if let Some(tag) = here.filter(|tag| tag.version != manifest.header.version.as_str()).map(|here| here.tag)
    {
        output::warning(
            "publish::tag_differs",
            format_args!(
                "{} is {}, but the current commit has the tag {tag}",
                folder.display(),
                manifest.header.version
            ),
        );
    }
    let notes = match (args.notes, &args.notes_file) {
        (Some(notes), _) => Some(notes),
        (None, Some(path)) => Some(files::read_text(path, NOTES)?),
        (None, None) => None,
    };
    let mut options = PublishOptions::new(folder, project);
    options.access.identity = identity;
    options.channels = args.channel;
    options.latest = match (args.latest, args.no_latest) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    };
    options.rollout = args.rollout.map(|percent| Change { percent: Some(percent), ..Change::default() });
    options.key = key;
    options.notes = notes;
    options.generate_notes = args.generate_notes;
    options.commit = args.target.or_else(|| commit(&args.app, &options.project, ours.as_deref()));
    options.patience = args.server.patience();
    options.access.base_url = args.server.base_url;
    options.access.ca = args.server.ca;
    // A release that the key of mpota.toml has not signed is not what was meant.
    if let Some(path) = config.and_then(|config| config.key_path(&args.app)) {
        options.access.keys = vec![keys::show(&path)?.key];
    }
    options.dry_run = args.server.dry_run;
    options.tell = Rc::new(Talk::new(args.quiet).teller());
    Ok(options)
}

/// The commit for the release's tag, where the repository has it: a repository for releases alone does not.
fn commit(app: &std::path::Path, project: &str, ours: Option<&str>) -> Option<String> {
    let origin = git::github_project(app);
    let here = origin.is_none_or(|origin| {
        [Some(project), ours].into_iter().flatten().any(|name| origin.eq_ignore_ascii_case(name))
    });
    git::commit(app).filter(|_| here)
}

/// Who signs what is built, and the rollout.
fn key(args: &Args) -> miette::Result<Option<SigningKey>> {
    let configured = || match args.app.join(config::FILE).exists() {
        true => Ok::<_, config::ConfigError>(Config::load(&args.app)?.key_path(&args.app)),
        false => Ok(None),
    };
    let path = args.key.clone().map_or_else(configured, |path| Ok(Some(path)))?;
    Ok(super::load_key_if(path)?)
}

fn build(args: &Args, key: Option<SigningKey>) -> miette::Result<()> {
    let mut options = BuildOptions::load(&args.app)?;
    options.key = key;
    options.rollout |= args.rollout.is_some();
    options.version.clone_from(&args.version);
    options.created = super::created(None)?;
    options.allow = args.allow.clone().into();
    let built = build::build_with(&options, &mut |_| {})?;
    for warning in &built.warnings {
        output::warning(warning.code(), warning);
    }
    if !args.quiet {
        built.notes.iter().for_each(|note| output::note(format_args!("note: {note}")));
        let version = &built.manifest.header.version;
        output::note(format_args!("built {} {version}", options.config.project));
        super::tell_signature(options.key.as_ref());
    }
    Ok(())
}
