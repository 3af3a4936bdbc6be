//! Gets what boards of Home Assistant are tested with into `.tools/`: the MQTT broker mosquitto and its clients from
//! Debian's packages, and MicroPython's MQTT client from PyPI.

use crate::bench::{App, read_folder, write_file};
use crate::clients::{alone, installed};
use crate::tools::{debian_programs, io, run};
use crate::{Error, repository};
use mpota_format::digest::{hex, sha256};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The programs, and every library that they load.
const PACKAGES: [&str; 13] = [
    "mosquitto",
    "mosquitto-clients",
    "libc6",
    "libcap2",
    "libcjson1",
    "libdlt2",
    "libmosquitto1",
    "libssl3t64",
    "libsystemd0",
    "libwebsockets19t64",
    "libwrap0",
    "libzstd1",
    "zlib1g",
];

/// The client, as MicroPython's own project has published it for its package manager of that time.
const CLIENT: &str = "micropython-umqtt.simple==1.3.4";
const CLIENT_SHA256: &str = "8555d2f654deb8eb0d724f79b0811a78cc94029d070f3d96bbd74288653d63a5";

/// mosquitto and its clients, as they lie in `.tools/mosquitto`.
#[derive(Debug, Clone)]
pub struct Mosquitto {
    loader: PathBuf,
    root: PathBuf,
}

impl Mosquitto {
    /// The programs: from `.tools/`, or else unpacked into it.
    ///
    /// # Errors
    /// When this is no Debian on amd64, or the packages cannot be got; the error says what to do.
    pub fn find() -> Result<Self, Error> {
        let packages: Vec<String> = PACKAGES.iter().map(|p| format!("{p}:amd64")).collect();
        let new = |root: &Path, loader: &Path| Self { loader: loader.to_owned(), root: root.to_owned() };
        let _alone = alone();
        let (root, loader) = debian_programs("mosquitto", "amd64", &packages, |root, loader| {
            let programs = new(root, loader);
            // They tell their version, and end as if that was an error.
            [
                (programs.broker(), "-h"),
                (programs.publish(), "--version"),
                (programs.subscribe(), "--version"),
            ]
            .into_iter()
            .try_for_each(|(command, option)| tells_version(command, option))
        })?;
        Ok(new(&root, &loader))
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(&self.loader);
        command.arg("--library-path").arg(self.root.join("usr/lib/x86_64-linux-gnu"));
        command.arg(self.root.join(program));
        command
    }

    /// Starts the broker; `-c` is the caller's.
    #[must_use]
    pub fn broker(&self) -> Command {
        self.command("usr/sbin/mosquitto")
    }

    /// Publishes a message.
    #[must_use]
    pub fn publish(&self) -> Command {
        self.command("usr/bin/mosquitto_pub")
    }

    /// Prints messages.
    #[must_use]
    pub fn subscribe(&self) -> Command {
        self.command("usr/bin/mosquitto_sub")
    }
}

fn tells_version(mut command: Command, option: &str) -> Result<(), Error> {
    let program = PathBuf::from(command.get_program());
    let output = command.arg(option).output().map_err(io(&program))?;
    if String::from_utf8_lossy(&output.stdout).contains(" version ") {
        return Ok(());
    }
    Err(Error::Strange(format!("mosquitto: {}", String::from_utf8_lossy(&output.stderr))))
}

/// `umqtt/simple.py`.
///
/// # Errors
/// When there is no Python 3 with pip, or the package cannot be got.
pub fn umqtt() -> Result<Vec<u8>, Error> {
    let file = "umqtt/simple.py";
    let home = installed("umqtt", CLIENT, |home| {
        // The package has nothing that pip could build: it unpacks it, and says so. With --no-clean that stays.
        let unpacked = tempfile::tempdir_in(home).map_err(io(home))?;
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "download", "--quiet", "--no-deps", "--no-clean", "--dest"]);
        pip.arg(unpacked.path()).arg(CLIENT).env("TMPDIR", unpacked.path());
        let said = run(&mut pip).err().map(|e| e.to_string()).unwrap_or_default();
        let missing = || Error::Missing {
            what: format!("{CLIENT} cannot be unpacked: {said}"),
            hint: "install Python 3 with pip (Debian: apt-get install python3-pip)".into(),
        };
        let found = find(unpacked.path(), file).ok_or_else(missing)?;
        write_file(&home.join(file), &std::fs::read(&found).map_err(io(&found))?)
    })?;
    let path = home.join(file);
    let content = std::fs::read(&path).map_err(io(&path))?;
    if hex(&sha256(&content)) != CLIENT_SHA256 {
        return Err(Error::Strange(format!("{} is not that of {CLIENT}", path.display())));
    }
    Ok(content)
}

/// Where a file lies below the folders that pip makes for what it unpacks.
fn find(folder: &Path, file: &str) -> Option<PathBuf> {
    let here = folder.join(file);
    if here.is_file() {
        return Some(here);
    }
    let folders = std::fs::read_dir(folder).ok()?.flatten().map(|e| e.path()).filter(|p| p.is_dir());
    folders.into_iter().find_map(|below| find(&below, file))
}

/// The sample app of Home Assistant: what its folder has beside the files of the template, the template, and the
/// client.
///
/// # Errors
/// When a file cannot be read or got.
pub fn home_assistant() -> Result<App, Error> {
    let mut app = App::default();
    for file in ["boot.py", "main.py", "updates.py", "wifi.py"] {
        let path = repository().join("device/template").join(file);
        app = app.with(file, std::fs::read(&path).map_err(io(&path))?);
    }
    read_folder(&repository().join("examples/home-assistant"), "", &mut app.0)?;
    Ok(app.with("lib/umqtt/simple.py", umqtt()?))
}
