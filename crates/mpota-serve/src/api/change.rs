//! What every change has in common: who may make it, and the order they
//! happen in.

use std::sync::Arc;

use axum::response::Response;
use hyper::StatusCode;

use super::auth::{Caller, Who};
use super::errors::Problem;
use super::objects::Maker;
use super::reply::{Reply, reply};
use crate::app::{App, Cx};
use crate::catalog::store::Writing;
use crate::catalog::{Release, Repo};

/// A change that is under way: nobody else changes anything meanwhile.
pub(crate) struct Change<'a> {
    pub make: Maker<'a>,
    pub writing: Writing<'a>,
    /// As they lie there, drafts too.
    pub releases: Vec<Release>,
}

impl Change<'_> {
    /// The release of this number.
    pub fn release(&self, id: &str) -> Result<&Release, Problem> {
        let id: u64 = id.parse().map_err(|_| Problem::not_found())?;
        self.releases.iter().find(|release| release.id == id).ok_or_else(Problem::not_found)
    }

    /// The same as it lies there now.
    pub fn again(&self, id: u64) -> Result<Release, Problem> {
        let releases = self.make.app.releases(self.make.repo);
        releases.into_iter().find(|release| release.id == id).ok_or_else(Problem::server)
    }

    /// Tells the owner of the folder what the disk said.
    pub fn disk(&self, result: std::io::Result<()>) -> Result<(), Problem> {
        result.map_err(|error| {
            self.make.app.problem(format!("{}: {error}", self.make.repo.folder.display()));
            Problem::server()
        })
    }
}

/// Whether this caller may change anything, in GitHub's words if not.
pub(crate) fn allowed(app: &App, who: &Who) -> Result<(), Problem> {
    if app.access.writes(who) {
        return Ok(());
    }
    Err(match (&who.permission, who.caller) {
        // A token of the old kind is told nothing.
        (Some(crate::write::Permission::Scopes(_)), _) => Problem::not_found(),
        (_, Caller::Known) => {
            Problem::new(StatusCode::FORBIDDEN, "Resource not accessible by personal access token")
        }
        _ if app.access.writable => Problem::new(StatusCode::UNAUTHORIZED, "Requires authentication"),
        _ => Problem::not_found(),
    })
}

/// The repository, if it can be changed.
pub(crate) fn repo(app: &App, owner: &str, name: &str) -> Result<Repo, Problem> {
    let repo = app.catalog.repo(owner, name).ok_or_else(Problem::not_found)?;
    if repo.single.is_some() {
        // The folder is itself the one release.
        return Err(Problem::new(StatusCode::FORBIDDEN, "Repository was archived so is read-only."));
    }
    Ok(repo)
}

/// Makes a change.
pub(crate) fn change(
    app: &App,
    cx: &Cx,
    who: &Who,
    prefix: &'static str,
    (owner, name): (&str, &str),
    then: impl FnOnce(Change<'_>) -> Result<Reply, Problem>,
) -> Result<Reply, Problem> {
    allowed(app, who)?;
    let repo = repo(app, owner, name)?;
    let writing = app.store.write();
    let releases = app.releases(&repo);
    then(Change { make: Maker { app, cx, repo: &repo, prefix }, writing, releases })
}

/// Makes a change and answers.
pub(crate) async fn changing<F>(
    app: Arc<App>,
    cx: Cx,
    prefix: &'static str,
    (owner, name): (String, String),
    then: F,
) -> Response
where
    F: FnOnce(Change<'_>) -> Result<Reply, Problem> + Send + 'static,
{
    reply(app, cx, move |app, cx, who| change(app, cx, who, prefix, (&owner, &name), then).into()).await
}
