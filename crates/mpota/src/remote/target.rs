//! What `mpota verify` is pointed at.

use std::fmt;
use std::path::PathBuf;

use miette::Diagnostic;
use mpota_format::version::{Version, is_channel};
use thiserror::Error;

use crate::remote::names::is_project;

/// Where a release is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Target {
    /// A folder with `manifest.json` and the assets.
    Folder(PathBuf),
    /// A manifest alone.
    Manifest(PathBuf),
    /// A web address below which `manifest.json` and the assets are.
    Url(String),
    /// A release on GitHub, or on something that answers the same paths.
    Project {
        /// `owner/name`.
        project: String,
        /// Which release, by its version or by a channel that has it; `None` is the latest.
        tag: Option<String>,
    },
}

/// It is none of these.
#[derive(Debug, Error, Diagnostic)]
#[non_exhaustive]
pub enum TargetError {
    /// Nothing fits.
    #[error("{0} is no file or folder, no http address and not owner/repo@tag")]
    #[diagnostic(code(target::unknown))]
    #[diagnostic(help(
        "give the folder that `mpota build` made, a manifest.json, the address of such a folder, or owner/repo, owner/repo@v1.0.0"
    ))]
    Unknown(String),
    /// The tag cannot be a release of mpota.
    #[error("{tag:?} is neither a version nor a channel")]
    #[diagnostic(code(target::tag))]
    #[diagnostic(help("the tag of a release is its version, like v1.2.0; a channel is a word like beta"))]
    Tag {
        /// As it was given.
        tag: String,
        /// What is wrong with it.
        #[source]
        source: mpota_format::version::VersionError,
    },
}

impl Target {
    /// Finds out what `text` means: what lies on the disk comes first.
    pub fn parse(text: &str) -> Result<Self, TargetError> {
        if text.starts_with("http://") || text.starts_with("https://") {
            let folder = text.strip_suffix("manifest.json").unwrap_or(text);
            return Ok(Self::Url(folder.trim_end_matches('/').to_owned()));
        }
        let path = PathBuf::from(text);
        if path.is_dir() {
            return Ok(Self::Folder(path));
        }
        if path.exists() {
            return Ok(Self::Manifest(path));
        }
        let (project, tag) = match text.split_once('@') {
            Some((project, tag)) => (project, Some(tag)),
            None => (text, None),
        };
        if !is_project(project) {
            return Err(TargetError::Unknown(text.to_owned()));
        }
        if let Some(tag) = tag.filter(|tag| !is_channel(tag)) {
            Version::parse(tag).map_err(|source| TargetError::Tag { tag: tag.to_owned(), source })?;
        }
        Ok(Self::Project { project: project.to_owned(), tag: tag.map(str::to_owned) })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) | Self::Manifest(path) => path.display().fmt(f),
            Self::Url(url) => f.write_str(url),
            Self::Project { project, tag: Some(tag) } => write!(f, "{project}@{tag}"),
            Self::Project { project, tag: None } => write!(f, "{project} (latest)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_target_is_told_from_the_others() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("m.json");
        std::fs::write(&file, "").unwrap();
        let name = |path: &std::path::Path| path.to_str().unwrap().to_owned();
        let url = |text: &str| Target::Url(text.to_owned());
        let project = |tag: Option<&str>| Target::Project {
            project: "octo/weather".to_owned(),
            tag: tag.map(str::to_owned),
        };
        let cases = [
            (name(folder.path()), Target::Folder(folder.path().to_owned())),
            (name(&file), Target::Manifest(file.clone())),
            ("http://h:1/a/".to_owned(), url("http://h:1/a")),
            ("https://h/a/manifest.json".to_owned(), url("https://h/a")),
            ("octo/weather".to_owned(), project(None)),
            ("octo/weather@v1.0.0".to_owned(), project(Some("v1.0.0"))),
        ];
        for (text, target) in cases {
            assert_eq!(Target::parse(&text).unwrap(), target);
        }
    }

    #[test]
    fn a_path_that_is_not_there_and_a_tag_that_is_no_version_are_refused() {
        for text in ["dist", "./a/b", "a/b/c", "/nowhere/at/all"] {
            assert!(matches!(Target::parse(text), Err(TargetError::Unknown(_))), "{text}");
        }
        assert!(matches!(Target::parse("octo/weather@latest"), Err(TargetError::Tag { .. })));
    }
}
