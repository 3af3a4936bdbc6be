//! The program as a wheel, and a fresh virtual environment that has it.

use crate::tools::run;
use crate::{Error, clients, repository};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Build the wheel for this computer into a folder, from which wheels of other times are taken away. `profile` is
/// cargo's: `dev` takes seconds where the tests were built.
///
/// # Errors
/// When maturin is missing, or fails.
pub fn build(profile: &str, out: &Path) -> Result<PathBuf, Error> {
    for wheel in wheels(out) {
        std::fs::remove_file(&wheel).map_err(|source| Error::Io { path: wheel, source })?;
    }
    let mut maturin = clients::maturin()?;
    maturin.current_dir(repository()).args(["build", "--quiet", "--locked", "--profile", profile, "--out"]);
    // What cargo tells its children of this package: build scripts that look at it would all run again.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"].iter().any(|p| text.starts_with(p))
        {
            maturin.env_remove(name);
        }
    }
    run(maturin.arg(out))?;
    match wheels(out)[..] {
        [ref wheel] => Ok(wheel.clone()),
        _ => Err(Error::Strange(format!("maturin has made no wheel in {}", out.display()))),
    }
}

fn wheels(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|e| e == "whl")).collect()
}

/// Install the wheel into a new virtual environment in `venv`, without the network: the folder of its programs.
///
/// # Errors
/// When Python has no `venv` or no pip, or does not take the wheel.
pub fn install(wheel: &Path, venv: &Path) -> Result<PathBuf, Error> {
    run(Command::new("python3").args(["-m", "venv"]).arg(venv)).map_err(|e| Error::Missing {
        what: format!("no virtual environment of Python: {e}"),
        hint: "install python3-venv (Debian: apt-get install python3-venv)".into(),
    })?;
    let mut pip = Command::new(venv.join("bin/python"));
    run(pip.args(["-m", "pip", "install", "-q", "--no-index"]).arg(wheel))?;
    Ok(venv.join("bin"))
}
