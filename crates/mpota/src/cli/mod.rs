//! One file per subcommand, and what they share.

mod allow;
mod build;
mod ca;
mod completions;
mod doctor;
mod explain;
mod init;
mod install;
mod key;
mod man;
mod manifest;
mod markdown;
mod mirror;
pub mod output;
#[cfg(test)]
mod pages;
mod passphrase;
mod publish;
mod rollout;
mod serve;
mod server;
mod share;
mod sign;
mod status;
mod talk;
mod time;
mod trust;
mod updater;
mod verify;
mod visible;

use std::path::{Path, PathBuf};

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use mpota::release::keys::{KeyError, SigningKey};
use mpota_format::manifest::{Manifest, Place};

const EXIT_CODES: &str = "\
Exit codes:
  0  done, everything is right
  1  refused, or a check failed
  2  the command line is not right
`mpota publish`, `mpota rollout` and `mpota halt` have more of them: see their help.";

/// Over-the-air updates for MicroPython boards, from GitHub releases.
#[derive(Debug, Parser)]
#[command(name = "mpota", version, after_help = EXIT_CODES, arg_required_else_help = true)]
pub struct Cli {
    /// Colours in what is told: on a terminal, unless NO_COLOR is set, or always, or never
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: clap::ColorChoice,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Args),
    #[command(subcommand)]
    Key(key::Command),
    Manifest(manifest::Args),
    Build(build::Args),
    Sign(sign::Args),
    Publish(publish::Args),
    Rollout(rollout::Args),
    Halt(rollout::HaltArgs),
    Verify(verify::Args),
    Ca(ca::Args),
    Serve(serve::Args),
    Mirror(mirror::Args),
    Install(install::Args),
    Status(status::Args),
    Doctor(doctor::Args),
    Updater(updater::Args),
    Explain(explain::Args),
    Completions(completions::Args),
    Man(man::Args),
}

impl Cli {
    /// Reads the command line. What clap itself prints has the colours that the line asks for, though it
    /// may not be right.
    pub fn parse_colored() -> Result<Self, clap::Error> {
        let arguments: Vec<_> = std::env::args().collect();
        let after = |at: usize| arguments.get(at + 1).map(String::as_str);
        let named = arguments.iter().enumerate().find_map(|(at, argument)| match argument.as_str() {
            "--color" => after(at),
            other => other.strip_prefix("--color="),
        });
        let choice = named.and_then(|name| name.parse().ok()).unwrap_or(clap::ColorChoice::Auto);
        let matches = Self::command().color(choice).try_get_matches()?;
        Self::from_arg_matches(&matches)
    }

    /// Does what was asked for.
    pub fn run(self) -> miette::Result<()> {
        output::colors(self.color);
        if self.command.json() {
            output::errors_as_json();
        }
        match self.command {
            Command::Init(args) => init::run(&args),
            Command::Key(command) => key::run(command),
            Command::Manifest(args) => manifest::run(args),
            Command::Build(args) => build::run(args),
            Command::Sign(args) => sign::run(&args),
            Command::Publish(args) => publish::run(args),
            Command::Rollout(args) => rollout::run(args),
            Command::Halt(args) => rollout::halt(args),
            Command::Verify(args) => verify::run(&args),
            Command::Ca(args) => ca::run(&args),
            Command::Serve(args) => serve::run(&args),
            Command::Mirror(args) => mirror::run(&args),
            Command::Install(args) => install::run(&args),
            Command::Status(args) => status::run(&args),
            Command::Doctor(args) => doctor::run(&args),
            Command::Updater(args) => updater::run(&args),
            Command::Explain(args) => explain::run(&args),
            Command::Completions(args) => completions::run(&args),
            Command::Man(args) => man::run(&args),
        }
    }
}

impl Command {
    /// Whether a program reads what is printed.
    fn json(&self) -> bool {
        match self {
            Self::Manifest(args) => args.json,
            Self::Build(args) => args.json,
            Self::Publish(args) => args.json,
            Self::Rollout(args) => args.place.json,
            Self::Halt(args) => args.place.json,
            Self::Verify(args) => args.json,
            Self::Mirror(args) => args.json,
            Self::Status(args) => args.json,
            Self::Doctor(args) => args.json,
            Self::Install(args) => args.json,
            _ => false,
        }
    }
}

/// What was built or made, for programs.
fn told(manifest: &Manifest, path: &Path, signed: Option<String>) -> serde_json::Value {
    let folder = path.parent().unwrap_or(Path::new(""));
    let assets = mpota::release::dist::asset_names(manifest);
    serde_json::json!({
        "version": manifest.header.version.as_str(),
        "project": manifest.header.project,
        "signed": signed,
        "manifest": path.display().to_string(),
        "assets": assets.iter().map(|name| folder.join(name).display().to_string()).collect::<Vec<_>>(),
        "files": manifest.files.iter().map(|file| &file.path).collect::<Vec<_>>(),
        "size": manifest.files.iter().map(|file| file.size).sum::<u64>(),
        "download": download_size(manifest),
    })
}

/// Reads a key that signs; asks for its passphrase if it has one.
fn load_key(path: &Path) -> Result<SigningKey, KeyError> {
    SigningKey::load(&mpota::files::expand_home(path), &mut passphrase::existing)
}

/// Reads a private key if one was named.
fn load_key_if(path: Option<PathBuf>) -> Result<Option<SigningKey>, KeyError> {
    path.as_deref().map(load_key).transpose()
}

/// `--created`, or the variable that makes builds reproducible everywhere.
fn created(option: Option<u64>) -> miette::Result<Option<u64>> {
    const VARIABLE: &str = "SOURCE_DATE_EPOCH";
    if option.is_some() {
        return Ok(option);
    }
    match std::env::var(VARIABLE) {
        Err(_) => Ok(None),
        Ok(text) => match text.parse() {
            // The first second of 1970 cannot stand in a manifest: it means "no time" here.
            Ok(0) => Ok(None),
            Ok(seconds) => Ok(Some(seconds)),
            Err(_) => Err(output::Usage::new(
                "usage::source_date_epoch",
                format!("{VARIABLE}={text} is not a number of seconds"),
                "unset it, or use --created SECONDS",
            )
            .into()),
        },
    }
}

/// Bytes of all assets but the manifest.
fn download_size(manifest: &Manifest) -> u64 {
    let stored = manifest.files.iter().map(|file| match file.place {
        Place::Packed { length, .. } => length,
        _ => file.size,
    });
    stored.sum()
}

fn tell_signature(key: Option<&SigningKey>) {
    match key {
        Some(key) => output::note(format_args!("signed with {}", key.fingerprint())),
        None => output::note("not signed"),
    }
}
