//! Why a mirror is not made, and what it could not take over.

use miette::Diagnostic;
use serde::Serialize;
use thiserror::Error;

use crate::board::serve::ServeError;
use crate::files::FileError;
use crate::release::dist::DistError;
use crate::release::verify::VerifyError;
use crate::remote::source::SourceError;

/// Why a mirror is not made. What is there already stays as it is, and the next run goes on with it.
#[derive(Debug, Error, Diagnostic)]
#[non_exhaustive]
pub enum MirrorError {
    /// A file cannot be read or written.
    #[error(transparent)]
    #[diagnostic(transparent)]
    File(#[from] FileError),
    /// A release cannot be read.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Source(#[from] SourceError),
    /// A release cannot be looked at.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Verify(#[from] VerifyError),
    /// A manifest cannot be read.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Dist(#[from] DistError),
    /// The folder of releases cannot be read.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Serve(#[from] ServeError),
    /// It is neither a folder nor a repository.
    #[error("{0} is neither a folder of releases nor OWNER/REPO")]
    #[diagnostic(code(mirror::source))]
    #[diagnostic(help("name a repository, as in octo/weather, or a folder that `mpota serve` could serve"))]
    Origin(String),
    /// There is nothing to mirror.
    #[error("{0} has no release")]
    #[diagnostic(code(mirror::empty))]
    #[diagnostic(help("a release has a version as its tag and a manifest.json; drafts do not count"))]
    Empty(String),
    /// It is no place for a mirror.
    #[error("{text} is no place for a mirror: {why}")]
    #[diagnostic(code(mirror::destination))]
    #[diagnostic(help(
        "use s3://bucket/prefix, gs://bucket/prefix, az://container/prefix, file:///folder or a folder"
    ))]
    Destination {
        /// As it was given.
        text: String,
        /// What is wrong with it.
        why: String,
    },
    /// A secret on the command line.
    #[error("{0} has credentials in it, which everybody on this computer can read")]
    #[diagnostic(code(mirror::credentials))]
    #[diagnostic(help(
        "put them into the environment: AWS_*, AZURE_* or GOOGLE_*; docs/guides/mirror.md names them. Change them, if others use this computer"
    ))]
    Credentials(String),
    /// The server does not list releases for us now.
    #[error("{url}: the server takes no more requests from here for now (status {status})")]
    #[diagnostic(code(server::limit))]
    #[diagnostic(help(
        "without a token GitHub answers 60 requests an hour: set MPOTA_TOKEN or GH_TOKEN, or run the same command again later"
    ))]
    Limit {
        /// What was asked for.
        url: String,
        /// The answer.
        status: u16,
    },
    /// The storage did not do it.
    #[error("cannot {what} {place}")]
    #[diagnostic(code(mirror::store))]
    #[diagnostic(help("{hint}"))]
    Store {
        /// What was to be done.
        what: &'static str,
        /// With what.
        place: String,
        /// What to look at.
        hint: String,
        /// Why not.
        #[source]
        source: Box<object_store::Error>,
    },
    /// What was sent is not what is there.
    #[error("{place} was sent, and something else was read back")]
    #[diagnostic(code(mirror::differs))]
    #[diagnostic(help(
        "nothing names it yet, so no board takes it. Run the same command again; if it stays, something between here and the bucket changes files"
    ))]
    Differs {
        /// Which object.
        place: String,
    },
    /// The runtime of the store's client.
    #[error("the client of the object store does not start")]
    #[diagnostic(code(mirror::client), help("is the computer out of threads or open files?"))]
    Client(#[source] std::io::Error),
}

impl MirrorError {
    pub(super) fn store(
        what: &'static str,
        place: &str,
        variables: &str,
        source: object_store::Error,
    ) -> Self {
        let hint = match &source {
            object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. } => {
                format!("the credentials may not do this, or are not set: {variables}")
            }
            _ => format!(
                "run the same command again: it goes on where it stopped. Credentials are read from {variables}"
            ),
        };
        Self::Store { what, place: place.to_owned(), hint, source: Box::new(source) }
    }
}

/// Something that was not taken over. The rest was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Refusal {
    /// Its code among those of all errors and warnings.
    pub code: &'static str,
    /// A version, a channel, `latest`, or a rollout.
    pub about: String,
    /// What is wrong.
    pub text: String,
}

impl Refusal {
    pub(super) fn new(code: &'static str, about: impl Into<String>, text: impl Into<String>) -> Self {
        Self { code, about: about.into(), text: text.into() }
    }

    /// The source does not give it.
    pub(super) fn unread(about: impl Into<String>, error: &MirrorError) -> Self {
        let mut text = error.to_string();
        let mut cause = std::error::Error::source(error);
        while let Some(why) = cause {
            text = format!("{text}: {why}");
            cause = why.source();
        }
        Self::new("mirror::unread", about, text)
    }
}
