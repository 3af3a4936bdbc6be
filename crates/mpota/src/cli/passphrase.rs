//! The passphrase of a key: from the environment, or from the terminal.

use std::io::{self, IsTerminal};
use std::path::Path;

use super::visible;

const VARIABLE: &str = "MPOTA_KEY_PASSPHRASE";

fn from_environment() -> Option<String> {
    std::env::var(VARIABLE).ok()
}

fn shown(path: &Path) -> String {
    visible::text(&path.display().to_string()).into_owned()
}

/// The passphrase of an existing key.
pub fn existing(path: &Path) -> io::Result<String> {
    match from_environment() {
        Some(passphrase) => Ok(passphrase),
        None => rpassword::prompt_password(format!("Passphrase of {}: ", shown(path))),
    }
}

/// The passphrase of a new key, asked for twice; `None` where there shall be none.
pub fn new(path: &Path) -> io::Result<Option<String>> {
    if let Some(passphrase) = from_environment() {
        return Ok(Some(passphrase).filter(|text| !text.is_empty()));
    }
    if !io::stdin().is_terminal() {
        return Ok(None);
    }
    let prompt = format!("Passphrase for {} (empty for none): ", shown(path));
    let first = rpassword::prompt_password(prompt)?;
    if first.is_empty() {
        return Ok(None);
    }
    if rpassword::prompt_password("The same again: ")? != first {
        return Err(io::Error::other("the two passphrases differ"));
    }
    Ok(Some(first))
}
