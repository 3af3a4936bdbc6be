//! Why a release is not published, or not as it should be.

use std::time::Duration;

use miette::Diagnostic;
use thiserror::Error;

use super::rollout::Refusal;
use crate::files::FileError;
use crate::release::dist::DistError;
use crate::release::verify::{Problem, VerifyError};
use crate::remote::source::SourceError;

/// Why a release is not published, or not as it should be.
#[derive(Debug, Error, Diagnostic)]
#[non_exhaustive]
pub enum PublishError {
    /// The folder holds no release that can be looked at.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Verify(#[from] VerifyError),
    /// A file of the release cannot be read.
    #[error(transparent)]
    #[diagnostic(transparent)]
    File(#[from] FileError),
    /// A manifest in the folder cannot be read.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Dist(#[from] DistError),
    /// The server cannot be asked at all.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Source(#[from] SourceError),
    /// The rollout is not as it should be.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Rollout(#[from] Refusal),
    /// The release in the folder is not right.
    #[error("{folder} is not right: {}", told(problems))]
    #[diagnostic(code(publish::not_good))]
    #[diagnostic(help("build it again with `mpota build`"))]
    NotGood {
        /// Which folder.
        folder: String,
        /// What is wrong.
        problems: Vec<Problem>,
    },
    /// The release in the folder is for somebody else's boards.
    #[error("the release in {folder} is for {other}: no board of {project} takes it")]
    #[diagnostic(code(publish::other_project))]
    #[diagnostic(help(
        "write {project:?} as `project` into mpota.toml and build again, or publish to {other}, with its app's folder as --app"
    ))]
    OtherProject {
        /// Which folder.
        folder: String,
        /// Whose it is.
        other: String,
        /// Where it was to go.
        project: String,
    },
    /// A prerelease is never the latest.
    #[error("{0} is a prerelease, and cannot be the latest release")]
    #[diagnostic(code(publish::latest_prerelease))]
    #[diagnostic(help("leave out --latest; --channel NAME is how boards get a prerelease"))]
    LatestPrerelease(String),
    /// There is no token.
    #[error("there is no token that may write to {0}")]
    #[diagnostic(code(token::none))]
    #[diagnostic(help(
        "set MPOTA_TOKEN or GH_TOKEN, or log in with `gh auth login`; a fine-grained token needs Contents: read and write"
    ))]
    NoToken(String),
    /// The name of a channel cannot be one.
    #[error("{0:?} cannot be the name of a channel")]
    #[diagnostic(code(channel::name))]
    #[diagnostic(help(
        "use a word like beta: a letter, then letters, digits and `-`, in all at most 32. Versions, `latest` and `stable` have a meaning of their own"
    ))]
    ChannelName(String),
    /// The token may not do it.
    #[error("the token from {from} may not write releases of {project}: {said}")]
    #[diagnostic(code(token::permission))]
    #[diagnostic(help("{needs}"))]
    Permission {
        /// Where the token came from.
        from: &'static str,
        /// The repository.
        project: String,
        /// What the server said.
        said: String,
        /// What the token lacks.
        needs: String,
    },
    /// There is no such repository, or the token may not see it.
    #[error("there is no repository {project} for the token from {from}")]
    #[diagnostic(code(publish::no_repository))]
    #[diagnostic(help(
        "is `project` in mpota.toml right, and may the token see the repository? A classic token needs the scope `repo` for a private one"
    ))]
    NoRepository {
        /// The repository.
        project: String,
        /// Where the token came from.
        from: &'static str,
    },
    /// Nothing can be written there.
    #[error("the repository {0} is archived, or only read")]
    #[diagnostic(code(publish::archived))]
    #[diagnostic(help(
        "unarchive it in its settings; `mpota serve` takes releases into a folder of OWNER/REPO, not into that of one release"
    ))]
    Archived(String),
    /// The token may not name the commit. Source: GitHub's "Create a release".
    #[error("the server does not take the commit {commit} for the tag: {said}")]
    #[diagnostic(code(publish::commit))]
    #[diagnostic(help(
        "push the tag first, then no commit has to be named. For one that changes .github/workflows GitHub wants the scope `workflow` (classic) or Workflows: read and write (fine-grained), and takes it from no workflow's own token"
    ))]
    Commit {
        /// Which one.
        commit: String,
        /// What the server said.
        said: String,
    },
    /// The repository is somewhere else now.
    #[error("{project} has moved to {to}")]
    #[diagnostic(code(publish::moved))]
    #[diagnostic(help(
        "leave `project` in mpota.toml as it is, for boards know releases by it, and publish with --moved --repo and the new name: boards follow the redirect from the old one. A later release may bring them \"owner\" and \"repo\" of the new place and \"project\" with the old name"
    ))]
    Moved {
        /// The old name.
        project: String,
        /// Where the server leads.
        to: String,
    },
    /// The version is out, and is something else.
    #[error("{version} is already published with other content: {}", differs.join(", "))]
    #[diagnostic(code(publish::published))]
    #[diagnostic(help(
        "boards may have it already, so it is never changed: build a new version. It is at {url}"
    ))]
    Published {
        /// Which version.
        version: String,
        /// Its page.
        url: String,
        /// The names of the assets that differ.
        differs: Vec<String>,
    },
    /// More than one draft of the version.
    #[error("there is more than one draft of {version}: {}", urls.join(", "))]
    #[diagnostic(code(publish::drafts))]
    #[diagnostic(help("delete all of them but one, or all, and run this again"))]
    Drafts {
        /// Which version.
        version: String,
        /// Their pages.
        urls: Vec<String>,
    },
    /// A channel has a newer version.
    #[error("the channel {channel} has {newer}, which is newer than {version}")]
    #[diagnostic(code(channel::newer))]
    #[diagnostic(help("boards on it would not take {version}: publish without --channel {channel}"))]
    Newer {
        /// Which channel.
        channel: String,
        /// What it has.
        newer: String,
        /// What was to be published.
        version: String,
    },
    /// A release of the channel's name cannot be changed.
    #[error("the release {0}, which is to be a channel, cannot be changed: GitHub has made it immutable")]
    #[diagnostic(code(channel::immutable))]
    #[diagnostic(help(
        "a channel is one release whose manifest is exchanged: switch immutable releases off in the repository's settings, and use a name that was not used before"
    ))]
    Immutable(String),
    /// The channel would be made for ever.
    #[error(
        "the channel {0} is not made: the repository has immutable releases, and it could never be moved"
    )]
    #[diagnostic(code(channel::immutable_new))]
    #[diagnostic(help(
        "switch immutable releases off in the repository's settings, publish the next version with the channel, and switch them on again: a channel that is there can be moved"
    ))]
    ImmutableChannel(String),
    /// A release of the channel's name is something else.
    #[error("the release {0} is not a channel of mpota: what it has is no manifest.json of a release")]
    #[diagnostic(code(channel::not_a_channel))]
    #[diagnostic(help("use another name for the channel"))]
    NotAChannel(String),
    /// The server keeps an asset under another name.
    #[error("{name} is called {got} by the server: boards would not find it")]
    #[diagnostic(
        code(publish::renamed),
        help(
            "delete the draft and run this again; if it happens again, build with another name of `project`, of letters, digits, `-`, `_` and `.`"
        )
    )]
    Renamed {
        /// As it should be called.
        name: String,
        /// As it is called.
        got: String,
    },
    /// The server does not want it.
    #[error("{what}: the server refused: {said}")]
    #[diagnostic(code(publish::refused))]
    #[diagnostic(help("{hint}"))]
    Refused {
        /// What was asked of it.
        what: String,
        /// What it said.
        said: String,
        /// What to do.
        hint: &'static str,
    },
    /// The limit on requests is used up for longer than one waits.
    #[error("the server takes no more requests for {} minutes: {said}", wait.as_secs().div_ceil(60))]
    #[diagnostic(code(server::limit))]
    #[diagnostic(help("run the same command again then: it goes on where it stopped"))]
    Limit {
        /// For how long.
        wait: Duration,
        /// What it said.
        said: String,
    },
    /// It failed again and again.
    #[error("given up after {tries} tries: {why}")]
    #[diagnostic(code(server::tries))]
    #[diagnostic(help("run the same command again: it goes on where it stopped"))]
    Tries {
        /// How many.
        tries: u32,
        /// What happened last.
        why: String,
    },
    /// It stopped in the middle; no board has seen anything.
    #[error("{version} is not published, no board sees it: the draft is {url}")]
    #[diagnostic(code(publish::unfinished))]
    Unfinished {
        /// Which version.
        version: String,
        /// The draft's page.
        url: String,
        /// Why it stopped.
        #[source]
        source: Box<PublishError>,
        /// What to do about it.
        #[help]
        hint: Option<String>,
    },
    /// It is published, and something after that failed.
    #[error("{version} is published, and not all of the rest is done")]
    #[diagnostic(code(publish::rest))]
    Rest {
        /// Which version.
        version: String,
        /// What is not done.
        #[source]
        source: Box<PublishError>,
        /// What to do about it.
        #[help]
        hint: Option<String>,
    },
}

impl PublishError {
    /// The process's exit code, as the documentation of `mpota publish` has it.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Limit { .. } | Self::Tries { .. } | Self::Unfinished { .. } => 3,
            Self::Rest { .. } => 4,
            _ => 1,
        }
    }

    /// What is done about it, for an error that has this one inside.
    pub(super) fn hint(&self) -> Option<String> {
        self.help().map(|help| help.to_string())
    }
}

pub(super) fn told(problems: &[Problem]) -> String {
    problems.iter().map(|p| format!("{}: {}", p.about, p.text)).collect::<Vec<_>>().join("; ")
}
