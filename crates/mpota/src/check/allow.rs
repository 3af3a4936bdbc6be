//! What is refused unless somebody says that it is meant, and the checks of what a board would run.

use miette::Diagnostic;
use mpota_format::sshsig::{KeyError, PublicKey};
use thiserror::Error;

use crate::app::{config, gather};
use crate::check::shadows::{self, ShadowError};
use crate::check::syntax;
use crate::release::input::Input;

/// What goes into a release though it would be refused. Paths are those on the board.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allow {
    /// Files that look like secrets.
    pub secrets: Vec<String>,
    /// Python files that do not compile.
    pub syntax: Vec<String>,
    /// Links that lead out of the folder.
    pub links: Vec<String>,
    /// Modules of the firmware that a file hides, by their names.
    pub shadow: Vec<String>,
    /// A part of the updater, and files that hide each other. The program has no option for it: with it
    /// tests make what somebody without this program may release.
    pub modules: bool,
    /// A `boot.py` that does not start the updater, or a file of keys without a key.
    pub no_updater: bool,
}

/// Why the files would leave a board without a working app, or without updates.
#[derive(Debug, Error, Diagnostic)]
#[non_exhaustive]
pub enum CheckError {
    /// A file does not compile.
    #[error("{path}, line {line}: no board compiles this: {what}")]
    #[diagnostic(code(check::syntax))]
    #[diagnostic(help(
        "correct it, exclude it, or, if boards shall get it all the same, --allow-syntax {path}"
    ))]
    Syntax {
        /// Which file.
        path: String,
        /// Which line, from 1.
        line: usize,
        /// What is wrong.
        what: String,
    },
    /// The board would never update again.
    #[error("{0} does not start the updater: a board with this release never updates again")]
    #[diagnostic(code(check::no_updater))]
    #[diagnostic(help(
        "put the lines of device/template/boot.py at its beginning: `import ota_updater` and `ota_updater.boot()`; or, if no board shall ever update again, --allow-no-updater"
    ))]
    NoUpdater(String),
    /// An import on the board would not find what somebody meant it to.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Shadow(#[from] ShadowError),
    /// A file of trusted keys that is not right.
    #[error("{KEYS}, line {line}: {source}")]
    #[diagnostic(code(check::key_line))]
    #[diagnostic(help(
        "one public key a line, as `mpota key show` prints it; lines that begin with # are skipped"
    ))]
    Key {
        /// Which line, from 1.
        line: usize,
        /// What is wrong.
        #[source]
        source: KeyError,
    },
    /// A file of trusted keys without a key.
    #[error("{KEYS} holds no key: a board with this release refuses every later one")]
    #[diagnostic(code(check::no_keys))]
    #[diagnostic(help(
        "put the public keys into it that later releases are signed with; or, if no board shall ever update again, --allow-no-updater"
    ))]
    NoKeys,
    /// A file that is allowed is not there.
    #[error("--{option} {path}: this is not one of the files of the release")]
    #[diagnostic(code(check::allow_unused))]
    #[diagnostic(help("name it as on the board, seen from root, like lib/util.py"))]
    NotNamed {
        /// Which option, without its dashes.
        option: &'static str,
        /// What it was given.
        path: String,
    },
}

impl Allow {
    /// The same, with its paths as they are on a board.
    pub(crate) fn normal(&self) -> Self {
        let normal = |paths: &[String]| paths.iter().map(|path| gather::normal(path)).collect();
        Self {
            secrets: normal(&self.secrets),
            syntax: normal(&self.syntax),
            links: normal(&self.links),
            shadow: self.shadow.clone(),
            modules: self.modules,
            no_updater: self.no_updater,
        }
    }

    /// The same, and what `mpota.toml` allows of what these files do.
    pub(crate) fn and(mut self, config: &config::Allow, files: &[Input]) -> Self {
        let hidden = |name: &&String| files.iter().any(|file| shadows::hides(&file.path) == Some(name));
        self.shadow.extend(config.shadow.iter().filter(hidden).cloned());
        self
    }

    /// Refuses files that no board can run, and releases after which there is no other one.
    pub(crate) fn check(&self, files: &[Input]) -> Result<(), CheckError> {
        for (option, paths) in [("allow-syntax", &self.syntax), ("allow-link", &self.links)] {
            if let Some(path) = paths.iter().find(|path| !files.iter().any(|file| file.path == **path)) {
                return Err(CheckError::NotNamed { option, path: path.clone() });
            }
        }
        for file in files.iter().filter(|file| is_python(&file.path) && !self.syntax.contains(&file.path)) {
            if let Some(fault) = file.facts.python.as_ref().and_then(|python| python.fault.clone()) {
                let syntax::Fault { line, what } = fault;
                return Err(CheckError::Syntax { path: file.path.clone(), line, what });
            }
        }
        if !self.modules {
            shadows::check(files.iter().map(|file| file.path.as_str()), &self.shadow)?;
        }
        if let Some(file) = files.iter().find(|file| file.path == KEYS)
            && trusted(file.facts.keys.as_deref().unwrap_or_default())?.is_empty()
            && !self.no_updater
        {
            return Err(CheckError::NoKeys);
        }
        match files.iter().find(|file| file.path == BOOT) {
            Some(boot) if !self.no_updater && !boot.starts_updater() => {
                Err(CheckError::NoUpdater(boot.path.clone()))
            }
            _ => Ok(()),
        }
    }
}

/// The public keys that a board trusts, where its CONFIG has `"keys": "ota_keys"`.
pub(crate) const KEYS: &str = "ota_keys";

/// The keys in such a file.
pub(crate) fn trusted(bytes: &[u8]) -> Result<Vec<PublicKey>, CheckError> {
    let text = String::from_utf8_lossy(bytes);
    // A board reads the file as text, all of it or nothing: a byte that is none counts in a comment too.
    let damaged = |line: &str| line.contains(char::REPLACEMENT_CHARACTER);
    let mut keys = Vec::new();
    for (at, line) in text.lines().map(str::trim).enumerate() {
        if damaged(line) || !line.is_empty() && !line.starts_with('#') {
            let key = if damaged(line) { Err(KeyError::Type) } else { PublicKey::parse_line(line) };
            keys.push(key.map_err(|source| CheckError::Key { line: at + 1, source })?);
        }
    }
    Ok(keys)
}

/// What a board runs first.
pub(crate) const BOOT: &str = "boot.py";

/// Whether a board takes the file for Python.
pub(crate) fn is_python(path: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(_, end)| end.eq_ignore_ascii_case("py"))
}
