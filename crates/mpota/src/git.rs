//! What git knows about the app: its tag, its time, where it is published.

use std::io;
use std::path::Path;
use std::process::Command;

use miette::Diagnostic;
use mpota_format::version::Version;
use thiserror::Error;

/// Why git could not tell.
#[derive(Debug, Error, Diagnostic)]
#[non_exhaustive]
pub enum GitError {
    /// git does not run.
    #[error("cannot run git")]
    #[diagnostic(help("install git, or name the version: --version v1.0.0"))]
    Start(#[source] io::Error),
    /// git ran and refused.
    #[error("{what}: {said}")]
    #[diagnostic(help("name the version: --version v1.0.0"))]
    Refused {
        /// What was asked.
        what: &'static str,
        /// What git said.
        said: String,
    },
    /// No tag of the commit is a version.
    #[error("the current commit has no tag that is a version")]
    #[diagnostic(help("tag it (git tag v1.0.0), or name the version: --version v1.0.0"))]
    NoTag,
    /// More than one is.
    #[error("the current commit has more than one tag that is a version: {}", .0.join(", "))]
    #[diagnostic(help("say which one: --version {}", .0[0]))]
    ManyTags(Vec<String>),
}

fn git(folder: &Path, what: &'static str, arguments: &[&str]) -> Result<String, GitError> {
    let output =
        Command::new("git").arg("-C").arg(folder).args(arguments).output().map_err(GitError::Start)?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.lines().next().unwrap_or("no reason given").to_owned();
        return Err(GitError::Refused { what, said });
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
}

/// The one tag on the current commit that is a version.
///
/// Not `git describe --exact-match`: of two tags it picks one, and that need not be the version.
pub fn version_tag(folder: &Path) -> Result<String, GitError> {
    let tags = git(folder, "cannot take the version from the git tag", &["tag", "--points-at", "HEAD"])?;
    let mut versions: Vec<String> =
        tags.lines().filter(|tag| Version::parse(tag).is_ok()).map(str::to_owned).collect();
    match versions.len() {
        0 => Err(GitError::NoTag),
        1 => Ok(versions.remove(0)),
        _ => Err(GitError::ManyTags(versions)),
    }
}

/// When the current commit was made, in seconds since 1970.
pub fn commit_time(folder: &Path) -> Result<Option<u64>, GitError> {
    let time = git(folder, "cannot take the time from git", &["log", "-1", "--format=%ct"])?;
    Ok(time.parse().ok())
}

/// The current commit, in full. `None` where there is no git.
pub fn commit(folder: &Path) -> Option<String> {
    git(folder, "cannot find the commit", &["rev-parse", "HEAD"]).ok()
}

/// Whether files that git knows differ from the current commit.
pub fn has_changes(folder: &Path) -> Result<bool, GitError> {
    let arguments = ["status", "--porcelain", "--untracked-files=no", "--", "."];
    Ok(!git(folder, "cannot look for changes with git", &arguments)?.is_empty())
}

/// `owner/name` where the remote `origin` is on GitHub.
pub fn github_project(folder: &Path) -> Option<String> {
    let url = git(folder, "cannot find the remote", &["remote", "get-url", "origin"]).ok()?;
    let (_, rest) = url.split_once("github.com")?;
    let project = rest.trim_start_matches([':', '/']).trim_end_matches('/');
    let project = project.strip_suffix(".git").unwrap_or(project);
    crate::names::is_project(project).then(|| project.to_owned())
}
