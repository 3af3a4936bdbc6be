//! What git knows about the app: its tag, its time, where it is published.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use miette::Diagnostic;
use mpota_format::version::Version;
use thiserror::Error;

use crate::app::config::{self, Config};

/// Why git could not tell.
#[derive(Debug, Error, Diagnostic)]
#[non_exhaustive]
pub enum GitError {
    /// git does not run.
    #[error("cannot run git")]
    #[diagnostic(code(git::missing))]
    #[diagnostic(help("install git, or name the version: --version v1.0.0"))]
    Start(#[source] io::Error),
    /// git ran and refused.
    #[error("{what}: {said}")]
    #[diagnostic(code(git::refused))]
    #[diagnostic(help("name the version: --version v1.0.0"))]
    Refused {
        /// What was asked.
        what: &'static str,
        /// What git said.
        said: String,
    },
    /// The commit has no tag, or none with the prefix.
    #[error("the current commit has no tag {}", what(prefix))]
    #[diagnostic(code(tag::none))]
    #[diagnostic(help("tag it (git tag {prefix}v1.0.0), or name the version: --version v1.0.0"))]
    NoTag {
        /// What its tags begin with.
        prefix: String,
    },
    /// No tag of the commit is a version.
    #[error("the current commit has the tag {tag}, which is not a version{}", would(suggestion.as_deref()))]
    #[diagnostic(code(tag::not_a_version))]
    #[diagnostic(help(
        "a release is called by its version, three numbers like v1.2.0, and v1.2 counts as v1.2.0: git tag {prefix}{0}, or --version {0}; where all tags of the app begin with the same word, `tag_prefix` in mpota.toml",
        suggestion.as_deref().unwrap_or("v1.0.0")
    ))]
    OtherTag {
        /// What it has.
        tag: String,
        /// What its tags begin with.
        prefix: String,
        /// The version that may be meant.
        suggestion: Option<String>,
    },
    /// The version that a short tag stands for has a tag of its own.
    #[error("the current commit has the tag {tag}, but {other} is the tag of another commit")]
    #[diagnostic(code(tag::taken))]
    #[diagnostic(help(
        "{tag} counts as {version}: give this commit the tag of a version that there is not yet"
    ))]
    Taken {
        /// What the commit has.
        tag: String,
        /// The same version, elsewhere.
        other: String,
        /// What it counts as.
        version: String,
    },
    /// More than one is.
    #[error("the current commit has more than one tag that is a version: {}", .0.join(", "))]
    #[diagnostic(code(tag::several))]
    #[diagnostic(help("say which one is meant, with --version"))]
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

fn what(prefix: &str) -> String {
    match prefix {
        "" => "that is a version".to_owned(),
        prefix => format!("that is {prefix:?} and a version"),
    }
}

fn would(suggestion: Option<&str>) -> String {
    suggestion.map(|version| format!(": it would be {version}")).unwrap_or_default()
}

/// A tag, and the version that it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionTag {
    /// As git has it.
    pub tag: String,
    /// What a release of it is called: the tag without the prefix, and with all three numbers.
    pub version: String,
}

/// The one tag on the current commit that is a version behind `prefix`.
///
/// Not `git describe --exact-match`: of two tags it picks one, and that need not be the version. Two numbers
/// count as a version where no tag has all three: `v1.2` as `v1.2.0`.
pub fn version_tag(folder: &Path, prefix: &str) -> Result<VersionTag, GitError> {
    let here = git(folder, CANNOT, &["tag", "--points-at", "HEAD"])?;
    let ours: Vec<&str> = here.lines().filter_map(|tag| tag.strip_prefix(prefix)).collect();
    let is_version = |tag: &&&str| Version::parse(tag).is_ok();
    let exact: Vec<VersionTag> = ours.iter().filter(is_version).map(|tag| taken(prefix, tag, tag)).collect();
    if !exact.is_empty() {
        return one(exact);
    }
    let short = ours.iter().filter_map(|tag| Some(taken(prefix, tag, &completed(tag)?)));
    let short: Vec<VersionTag> = short.collect();
    if short.is_empty() {
        // Of a commit with several tags the one that is most like a version.
        let all = ours.iter().map(|tag| (format!("{prefix}{tag}"), suggestion(tag)));
        let all = all.chain(here.lines().map(|tag| (tag.to_owned(), suggestion(tag))));
        let prefix = prefix.to_owned();
        return Err(match all.max_by_key(|(_, suggestion)| suggestion.is_some()) {
            Some((tag, suggestion)) => GitError::OtherTag { tag, prefix, suggestion },
            None => GitError::NoTag { prefix },
        });
    }
    let found = one(short)?;
    let meant = Version::parse(&found.version).ok();
    let all = git(folder, CANNOT, &["tag", "--list"])?;
    let same = |tag: &&str| tag.strip_prefix(prefix).is_some_and(|tag| Version::parse(tag).ok() == meant);
    match all.lines().find(same) {
        Some(other) => {
            let VersionTag { tag, version } = found;
            Err(GitError::Taken { tag, other: other.to_owned(), version })
        }
        None => Ok(found),
    }
}

const CANNOT: &str = "cannot take the version from the git tag";

fn taken(prefix: &str, tag: &str, version: &str) -> VersionTag {
    VersionTag { tag: format!("{prefix}{tag}"), version: version.to_owned() }
}

fn one(mut found: Vec<VersionTag>) -> Result<VersionTag, GitError> {
    match found.len() {
        1 => Ok(found.remove(0)),
        _ => Err(GitError::ManyTags(found.into_iter().map(|found| found.tag).collect())),
    }
}

/// Two numbers, with the third one that they leave out.
fn completed(tag: &str) -> Option<String> {
    let (major, minor) = tag.strip_prefix('v').unwrap_or(tag).split_once('.')?;
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let version = format!("{tag}.0");
    (number(major) && number(minor) && Version::parse(&version).is_ok()).then_some(version)
}

/// The version that somebody may have meant by a tag that is none, such as `release-1.2` or `2024.01`.
pub fn suggestion(tag: &str) -> Option<String> {
    let start = tag.find(|c: char| c.is_ascii_digit())?;
    let (before, rest) = tag.split_at(start);
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
    let (numbers, behind) = rest.split_at(end);
    let mut numbers: Vec<&str> = numbers.split('.').collect();
    if numbers.len() > 3 || !(behind.is_empty() || behind.starts_with(['-', '+'])) {
        return None;
    }
    numbers.resize(3, "0");
    let plain = |number: &&str| match number.trim_start_matches('0') {
        "" => "0".to_owned(),
        rest => rest.to_owned(),
    };
    let numbers: Vec<String> = numbers.iter().map(plain).collect();
    let v = if before.ends_with(['v', 'V']) { "v" } else { "" };
    let version = format!("{v}{}{behind}", numbers.join("."));
    (version != tag && Version::parse(&version).is_ok()).then_some(version)
}

/// Other apps of the same repository that release to `project` too: their `mpota.toml`, seen from its root.
pub fn sharing(folder: &Path, project: &str) -> Vec<PathBuf> {
    let top = git(folder, "cannot find the work tree", &["rev-parse", "--show-toplevel"]).map(PathBuf::from);
    let Ok(top) = top else { return Vec::new() };
    let list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", "*mpota.toml"];
    let Ok(files) = git(&top, "cannot list the files", &list) else { return Vec::new() };
    let ours = folder.join(config::FILE).canonicalize().ok();
    let shares = |path: &PathBuf| {
        let other = top.join(path);
        let app =
            other.parent().filter(|_| path.ends_with(config::FILE) && other.canonicalize().ok() != ours);
        let config = app.and_then(|app| Config::load(app).ok());
        config.is_some_and(|config| config.project.eq_ignore_ascii_case(project))
    };
    files.split('\0').filter(|path| !path.is_empty()).map(PathBuf::from).filter(shares).collect()
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
    crate::remote::names::is_project(project).then(|| project.to_owned())
}

/// Every tag that is a version.
pub fn versions(folder: &Path) -> Result<Vec<String>, GitError> {
    let tags = git(folder, "cannot list the tags", &["tag", "--list"])?;
    Ok(tags.lines().filter(|tag| Version::parse(tag).is_ok()).map(str::to_owned).collect())
}

/// The folder of the whole repository.
pub fn root(folder: &Path) -> Option<PathBuf> {
    git(folder, "cannot find the repository", &["rev-parse", "--show-toplevel"]).ok().map(PathBuf::from)
}
