//! `mpota key new`, `mpota key show`

use std::path::{Path, PathBuf};

use mpota::release::keys::{self, KeyError, PublicLine};

use super::{output, passphrase};

/// Make a signing key, or show one.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    New(New),
    Show(Show),
}

/// Make an Ed25519 key in the SSH format. Never overwrites.
///
/// Asks for a passphrase on a terminal, or takes it from MPOTA_KEY_PASSPHRASE.
#[derive(Debug, clap::Args)]
pub struct New {
    /// Where the private key goes; the public one goes beside it, as PATH.pub
    #[arg(default_value = "~/.ssh/mpota_ed25519")]
    path: PathBuf,
    /// A word about the key, kept in the public line
    #[arg(long, default_value = "mpota", value_parser = comment)]
    comment: String,
    /// Do not ask for a passphrase
    #[arg(long)]
    no_passphrase: bool,
}

/// Show the public half of a key, private or public.
#[derive(Debug, clap::Args)]
pub struct Show {
    /// The key's file
    path: PathBuf,
}

/// What may stand in the public line and, in quotes, in a board's CONFIG.
fn comment(text: &str) -> Result<String, String> {
    if text.chars().all(|c| c.is_ascii_graphic() && c != '"' && c != '\\' || c == ' ') {
        Ok(text.to_owned())
    } else {
        Err("only ASCII, without quotes and backslashes".to_owned())
    }
}

pub fn run(command: Command) -> miette::Result<()> {
    match command {
        Command::New(args) => new(&args),
        Command::Show(args) => {
            tell(&keys::show(&mpota::files::expand_home(&args.path))?);
            Ok(())
        }
    }
}

fn new(args: &New) -> miette::Result<()> {
    let path = mpota::files::expand_home(&args.path);
    keys::check_free(&path)?;
    let passphrase = if args.no_passphrase { None } else { ask(&path)? };
    let line = keys::create(&path, &args.comment, passphrase.as_deref())?;
    let kind = if passphrase.is_some() { "" } else { ", without a passphrase" };
    output::note(format_args!("made {}{kind}, and {}", path.display(), keys::public_path(&path).display()));
    tell(&line);
    output::hint("keep a copy of the private key in a safe place: boards accept updates from it alone");
    Ok(())
}

fn ask(path: &Path) -> Result<Option<String>, KeyError> {
    passphrase::new(path).map_err(|source| KeyError::Ask { path: path.to_owned(), source })
}

fn tell(key: &PublicLine) {
    output::data(&key.line);
    output::note(format_args!("fingerprint {}", key.key.fingerprint()));
    output::note(
        "for boards: this line into the file ota_keys beside the app, with \"keys\": \"ota_keys\" in CONFIG; or, where no release shall change it,",
    );
    output::note(key.config_line());
}
