//! Why a rollout is not changed.

use miette::Diagnostic;
use mpota_format::rollout::RolloutError;
use thiserror::Error;

use crate::release::sign::SignError;

/// Why a rollout is not changed.
#[derive(Debug, Error, Diagnostic)]
#[non_exhaustive]
pub enum Refusal {
    /// Boards cannot see the version.
    #[error("{version} is not published in {project}")]
    #[diagnostic(code(rollout::not_published))]
    #[diagnostic(help("publish it with its rollout: mpota publish --version {version} --rollout 5%"))]
    NotPublished {
        /// Which version.
        version: String,
        /// Where it was looked for.
        project: String,
    },
    /// Boards take the version without asking.
    #[error("{0} was built without a rollout: boards do not ask for one, and take the version")]
    #[diagnostic(code(rollout::no_mark))]
    #[diagnostic(help(
        "write `rollout = true` into mpota.toml, or build with --rollout: the next version has one"
    ))]
    NoMark(String),
    /// The same of a version that is not published yet.
    #[error("{version} in {folder} was built without a rollout: boards would not ask for one")]
    #[diagnostic(code(rollout::not_built))]
    #[diagnostic(help(
        "build it again with `mpota build --rollout`, or write `rollout = true` into mpota.toml before you build"
    ))]
    NotBuilt {
        /// Which version.
        version: String,
        /// Where it lies.
        folder: String,
    },
    /// There is none.
    #[error("there is no rollout of {0}: boards that ask for it wait")]
    #[diagnostic(code(rollout::none), help("begin one: mpota rollout {0} 5%"))]
    None(String),
    /// What is there is something else.
    #[error("{place} is not a rollout")]
    #[diagnostic(code(rollout::not_a_rollout))]
    #[diagnostic(help("look at who put it there; delete it, and run this again"))]
    NotARollout {
        /// Where it is.
        place: String,
        /// What is wrong with it.
        #[source]
        source: RolloutError,
    },
    /// The version and another one have the same name there.
    #[error("{place} is the rollout of {other}, and that of {version} would have the same name")]
    #[diagnostic(code(rollout::same_name))]
    #[diagnostic(help(
        "a `+` counts as `-` there: give the next version another name. Where nobody needs the rollout of {other} any more, delete it"
    ))]
    SameName {
        /// Where it is.
        place: String,
        /// Of which version it is.
        other: String,
        /// Of which it should be.
        version: String,
    },
    /// It is somebody else's.
    #[error("{place} is for {other}: no board of {project} takes it")]
    #[diagnostic(code(rollout::other_project))]
    #[diagnostic(help("is --repo right, and `project` in mpota.toml?"))]
    OtherProject {
        /// Where it is.
        place: String,
        /// Whose it is.
        other: String,
        /// Whose it should be.
        project: String,
    },
    /// Somebody else was quicker.
    #[error("somebody else has changed the rollout of {version} meanwhile: its number is {number} now")]
    #[diagnostic(code(rollout::changed))]
    #[diagnostic(help("look at it with `mpota rollout {version}`, and run this again if you still want it"))]
    Changed {
        /// Of which version.
        version: String,
        /// Its number; what is there where it is no rollout.
        number: String,
    },
    /// The release `rollout` cannot be changed.
    #[error("the release rollout cannot be changed: GitHub has made it immutable")]
    #[diagnostic(code(rollout::immutable))]
    #[diagnostic(help(
        "the release was made while immutable releases were enabled, and its tag cannot be used again: this repository can have no rollouts. Publish the releases to a repository of their own"
    ))]
    Immutable,
    /// It would be made for ever.
    #[error(
        "the release rollout is not made: the repository has immutable releases, and it could never be changed"
    )]
    #[diagnostic(code(rollout::immutable_new))]
    #[diagnostic(help(
        "disable immutable releases in the repository's settings, run this again, and enable them: a release rollout that is there can be changed"
    ))]
    ImmutableNew,
    /// Boards would refuse it.
    #[error("{0} is signed, and its rollout would not be: boards that have keys refuse it")]
    #[diagnostic(code(rollout::unsigned))]
    #[diagnostic(help("sign with the key of the release: --key FILE, or `key` in mpota.toml"))]
    Unsigned(String),
    /// The numbers are used up.
    #[error("the rollout of {0} has the highest number that there is")]
    #[diagnostic(code(rollout::number))]
    #[diagnostic(help("boards take no other one for this version: publish the same files as a new version"))]
    Number(String),
    /// It would end too early.
    #[error("the rollout would end before its last stage begins")]
    #[diagnostic(code(rollout::short), help("use a longer --for, or leave it out"))]
    Short,
    /// Nothing was said about its end, and the one it has is over.
    #[error("the rollout of {0} has ended, and no board takes the version any more")]
    #[diagnostic(
        code(rollout::ended),
        help("say how long it counts with --for, or give the percentage anew")
    )]
    Ended(String),
    /// It cannot be written or signed.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Sign(#[from] SignError),
}
