//! Gets what `mpota serve` and `mpota build` are measured with into `.tools/`, from Debian's packages: nginx and pigz, which
//! set the measure, and wrk, which asks both servers for the same.

use crate::Error;
use crate::tools::{debian_programs, run};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The programs, and every library that they load.
const PACKAGES: [&str; 11] = [
    "nginx",
    "pigz",
    "wrk",
    "libc6",
    "libcrypt1",
    "libluajit-5.1-2",
    "libpcre2-8-0",
    "libssl3t64",
    "libzopfli1",
    "libzstd1",
    "zlib1g",
];

/// The programs, as they lie in `.tools/load`.
#[derive(Debug, Clone)]
pub struct Programs {
    loader: PathBuf,
    libraries: PathBuf,
    root: PathBuf,
}

impl Programs {
    /// The programs: from `.tools/`, or else unpacked into it.
    ///
    /// # Errors
    /// When this is no Debian on amd64, or the packages cannot be got; the error says what to do.
    pub fn find() -> Result<Self, Error> {
        let _alone = crate::clients::alone();
        let packages: Vec<String> = PACKAGES.iter().map(|p| format!("{p}:amd64")).collect();
        let (root, loader) = debian_programs("load", "amd64", &packages, |root, loader| {
            let programs = Self::new(root, loader);
            run(programs.nginx().arg("-v"))?;
            run(programs.pigz().arg("--version"))?;
            // wrk ends with 1 when it is asked for its version.
            let version = programs.wrk().arg("-v").output();
            let version = version.map_err(|source| Error::Io { path: root.join("usr/bin/wrk"), source })?;
            let said = String::from_utf8_lossy(&version.stdout).into_owned();
            if said.starts_with("wrk ") {
                return Ok(());
            }
            Err(Error::Strange(format!("wrk -v: {said}{}", String::from_utf8_lossy(&version.stderr))))
        })?;
        Ok(Self::new(&root, &loader))
    }

    fn new(root: &Path, loader: &Path) -> Self {
        let libraries = root.join("usr/lib/x86_64-linux-gnu");
        Self { loader: loader.to_owned(), libraries, root: root.to_owned() }
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(&self.loader);
        command.arg("--library-path").arg(&self.libraries).arg(self.root.join(program));
        command
    }

    /// Starts nginx; `-p`, `-e` and `-c` are the caller's.
    #[must_use]
    pub fn nginx(&self) -> Command {
        self.command("usr/sbin/nginx")
    }

    /// Starts pigz.
    #[must_use]
    pub fn pigz(&self) -> Command {
        self.command("usr/bin/pigz")
    }

    /// Starts wrk.
    #[must_use]
    pub fn wrk(&self) -> Command {
        self.command("usr/bin/wrk")
    }
}
