//! `mpota.toml`: what an app's releases are made of.

use std::path::{Path, PathBuf};

use miette::Diagnostic;
use serde::Deserialize;
use thiserror::Error;

use crate::files::{self, FileError};

/// The name of the file.
pub const FILE: &str = "mpota.toml";

/// What `mpota.toml` says. Every key but `project` may be missing.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Config {
    /// `owner/name` of the repository that the releases are for.
    pub project: String,
    /// The folder that holds the files as they lie on the board, from the folder of `mpota.toml`.
    #[serde(default)]
    pub root: Option<PathBuf>,
    /// Globs, from `root`: what is in a release.
    #[serde(default = "everything")]
    pub include: Vec<String>,
    /// Globs, from `root`: what is not, whatever `include` says.
    #[serde(default)]
    pub exclude: Vec<String>,
    /// Globs, from `root`: files that belong to the owner of a board, and are installed only where they are
    /// missing.
    #[serde(default)]
    pub keep: Vec<String>,
    /// Globs, from `root`: files that the app writes, and that every update overwrites all the same.
    #[serde(default)]
    pub replace: Vec<String>,
    /// One asset per file instead of a pack.
    #[serde(default)]
    pub plain: bool,
    /// Whether files are compressed in the pack.
    #[serde(default = "yes")]
    pub compress: bool,
    /// Whether boards ask for a rollout before they take a release.
    #[serde(default)]
    pub rollout: bool,
    /// What the git tags of this app begin with, where a repository has several apps. It is no part of the
    /// version.
    #[serde(default, rename = "tag_prefix")]
    pub tag_prefix: String,
    /// The SSH key that signs: the private one, or the `.pub` of one that an ssh-agent has.
    #[serde(default)]
    pub key: Option<PathBuf>,
    /// What a board must have.
    #[serde(default)]
    pub requires: Requires,
    /// What is compiled.
    #[serde(default)]
    pub mpy: Mpy,
    /// Files of the release that the board runs.
    #[serde(default)]
    pub hooks: Hooks,
    /// What would be refused.
    #[serde(default)]
    pub allow: Allow,
}

/// The table `[requires]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requires {
    /// The lowest MicroPython version.
    pub micropython: Option<String>,
    /// Values of `sys.platform`.
    #[serde(default)]
    pub platform: Vec<String>,
    /// The `.mpy` version of the release's files.
    pub mpy: Option<String>,
    /// Names of boards, as `sys.implementation._build` or `_machine` begins.
    #[serde(default)]
    pub board: Vec<String>,
}

/// The table `[mpy]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mpy {
    /// The versions of `.mpy` files for which the release has its modules compiled as well.
    #[serde(default)]
    pub versions: Vec<std::num::NonZeroU8>,
    /// Globs, from `root`: modules that stay `.py`.
    #[serde(default)]
    pub source: Vec<String>,
}

/// The table `[hooks]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hooks {
    /// Runs on the first boot of the new files.
    pub post_update: Option<String>,
    /// Runs after an undo.
    pub rollback: Option<String>,
}

/// The table `[allow]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Allow {
    /// Modules of the firmware that files of the release may hide.
    #[serde(default)]
    pub shadow: Vec<String>,
}

fn everything() -> Vec<String> {
    vec!["**".to_owned()]
}

fn yes() -> bool {
    true
}

/// What is wrong with `mpota.toml`.
#[derive(Debug, Error, Diagnostic)]
#[non_exhaustive]
pub enum ConfigError {
    /// It cannot be read.
    #[error(transparent)]
    #[diagnostic(transparent)]
    File(#[from] FileError),
    /// It has a key that nobody knows.
    #[error("{} is not right: {message}", path.display())]
    #[diagnostic(code(config::unknown_key))]
    #[diagnostic(help(
        "correct or remove the key; mpota init writes an example with every key, into an empty folder"
    ))]
    UnknownKey {
        /// Which file.
        path: PathBuf,
        /// What is wrong, with line and column.
        message: String,
    },
    /// It is not of the form that it must have.
    #[error("{} is not right: {message}", path.display())]
    #[diagnostic(code(config::invalid))]
    #[diagnostic(help("mpota init writes an example with every key, into an empty folder"))]
    Form {
        /// Which file.
        path: PathBuf,
        /// What is wrong, with line and column.
        message: String,
    },
    /// The project's name is not one.
    #[error("{}: project = {project:?} is not of the form \"owner/name\"", path.display())]
    #[diagnostic(code(config::project))]
    #[diagnostic(help("write the GitHub repository that the boards ask: project = \"octo/weather\""))]
    Project {
        /// Which file.
        path: PathBuf,
        /// What it says.
        project: String,
    },
}

impl Config {
    /// Reads `mpota.toml` in the folder `app`.
    pub fn load(app: &Path) -> Result<Self, ConfigError> {
        let path = app.join(FILE);
        let text = files::read_text(&path, 1 << 20).map_err(|error| {
            if error.source.kind() == std::io::ErrorKind::NotFound {
                error.hint("make one with `mpota init`, or give the app's folder: mpota build DIR")
            } else {
                error
            }
        })?;
        Self::parse(&path, &text)
    }

    /// Reads the text of the file at `path`.
    pub fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text).map_err(|error| {
            let (path, message) = (path.to_owned(), error.to_string().trim_end().to_owned());
            if error.message().starts_with("unknown field") {
                ConfigError::UnknownKey { path, message }
            } else {
                ConfigError::Form { path, message }
            }
        })?;
        if !crate::remote::names::is_project(&config.project) {
            let project = config.project;
            return Err(ConfigError::Project { path: path.to_owned(), project });
        }
        Ok(config)
    }

    /// The file that `mpota init` writes.
    pub fn template(project: &str) -> String {
        include_str!("mpota.toml").replace("owner/name", project)
    }

    /// The key's path, seen from the folder of `mpota.toml`.
    pub fn key_path(&self, app: &Path) -> Option<PathBuf> {
        self.key.as_deref().map(|key| app.join(files::expand_home(key)))
    }
}

/// Writes an example `mpota.toml` into `app`, which must not have one.
pub fn init(app: &Path, project: &str) -> Result<PathBuf, FileError> {
    let path = app.join(FILE);
    files::write_new(&path, Config::template(project).as_bytes(), 0o666).map_err(|error| {
        match error.source.kind() {
            std::io::ErrorKind::AlreadyExists => error.hint("it is left as it is: edit it by hand"),
            _ => error,
        }
    })?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, ConfigError> {
        Config::parse(Path::new("mpota.toml"), text)
    }

    #[test]
    fn the_template_is_what_no_template_means() {
        let template = parse(&Config::template("octo/weather")).unwrap();
        let mut least = parse("project = \"octo/weather\"").unwrap();
        least.exclude.clone_from(&template.exclude);
        assert_eq!(template, least);
    }

    #[test]
    fn every_commented_key_of_the_template_is_known() {
        let mut lines = 0;
        let text: String = Config::template("octo/weather")
            .lines()
            .map(|line| match line.strip_prefix("#") {
                Some(rest) if !rest.starts_with(' ') => {
                    lines += 1;
                    format!("{rest}\n")
                }
                _ => format!("{line}\n"),
            })
            .collect();
        assert!(lines >= 8, "{lines} commented keys");
        let config = parse(&text).unwrap();
        assert!(config.key.is_some() && config.root.is_some() && config.plain);
        assert!(
            config.requires.mpy.is_some()
                && config.requires.board.len() == 2
                && config.hooks.rollback.is_some()
        );
        assert!(!config.mpy.versions.is_empty() && !config.mpy.source.is_empty());
        assert!(!config.keep.is_empty() && !config.replace.is_empty() && !config.tag_prefix.is_empty());
        assert!(!config.allow.shadow.is_empty());
    }

    #[test]
    fn an_unknown_key_is_an_error_that_names_it() {
        let error = parse("project = \"a/b\"\nincludes = []").unwrap_err().to_string();
        assert!(error.contains("includes"), "{error}");
    }

    #[test]
    fn a_project_without_owner_is_refused() {
        assert!(matches!(parse("project = \"weather\""), Err(ConfigError::Project { .. })));
    }
}
