//! The passphrase of a key: from the environment, or from the terminal.

use std::io::{self, IsTerminal};
use std::path::Path;

const VARIABLE: &str = "MPOTA_KEY_PASSPHRASE";

fn from_environment() -> Option<String> {
    std::env::var(VARIABLE).ok()
}

/// The passphrase of an existing key.
pub fn existing(path: &Path) -> io::Result<String> {
    match from_environment() {
        Some(passphrase) => Ok(passphrase),
        None => rpassword::prompt_password(format!("Passphrase of {}: ", path.display())),
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
    let prompt = format!("Passphrase for {} (empty for none): ", path.display());
    let first = rpassword::prompt_password(prompt)?;
    if first.is_empty() {
        return Ok(None);
    }
    if rpassword::prompt_password("The same again: ")? != first {
        return Err(io::Error::other("the two passphrases differ"));
    }
    Ok(Some(first))
}
