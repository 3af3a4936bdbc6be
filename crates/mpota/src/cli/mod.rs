//! One file per subcommand, and what they share.

mod allow;
mod build;
mod ca;
mod completions;
mod init;
mod install;
mod key;
mod manifest;
pub mod output;
mod passphrase;
mod publish;
mod serve;
mod sign;
mod time;
mod verify;

use std::path::{Path, PathBuf};

use clap::{Parser, Subcommand};
use mpota::keys::{KeyError, SigningKey};
use mpota_format::manifest::{Manifest, Place};

const EXIT_CODES: &str = "\
Exit codes:
  0  done, everything is right
  1  refused, or a check failed
  2  the command line is not right
`mpota publish` has more of them: see its help.";

/// Over-the-air updates for MicroPython boards, from GitHub releases.
#[derive(Debug, Parser)]
#[command(name = "mpota", version, after_help = EXIT_CODES, arg_required_else_help = true)]
pub struct Cli {
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
    Verify(verify::Args),
    Ca(ca::Args),
    Serve(serve::Args),
    Install(install::Args),
    Completions(completions::Args),
}

impl Cli {
    /// Does what was asked for.
    pub fn run(self) -> miette::Result<()> {
        match self.command {
            Command::Init(args) => init::run(&args),
            Command::Key(command) => key::run(command),
            Command::Manifest(args) => manifest::run(args),
            Command::Build(args) => build::run(args),
            Command::Sign(args) => sign::run(&args),
            Command::Publish(args) => publish::run(args),
            Command::Verify(args) => verify::run(&args),
            Command::Ca(args) => ca::run(&args),
            Command::Serve(args) => serve::run(&args),
            Command::Install(args) => install::run(&args),
            Command::Completions(args) => completions::run(&args),
        }
    }
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
