//! What all answers share.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::response::Response;
use hyper::header::{HOST, HeaderMap};
use hyper::http::request::Parts;
use hyper::{Method, StatusCode, Uri};
use mpota_format::sshsig::PublicKey;

use crate::api::auth::Access;
use crate::api::rate::Rates;
use crate::catalog::digest::Digests;
use crate::catalog::known::Listing;
use crate::catalog::store::Store;
use crate::catalog::{Asset, Catalog, Release, Repo};
use crate::faults::FaultKind;
use crate::fleet::Fleet;
use crate::log::{Event, RequestLog};
use crate::net::listen::Via;
use crate::web::pieces::Shared;
use crate::web::signed::Signer;
use crate::write::WriteOptions;

/// The server's state.
pub(crate) struct App {
    pub catalog: Catalog,
    pub digests: Digests,
    pub signer: Signer,
    pub rates: Rates,
    pub access: Access,
    pub store: Store,
    /// The boards that report, where reports are kept.
    pub fleet: Option<Arc<Fleet>>,
    pub write: Option<WriteOptions>,
    /// Assets have digests; GitHub's from before June 2025 have none.
    pub digests_shown: bool,
    /// Longest time that a client may send nothing.
    pub stall_timeout: Duration,
    pub redirects: bool,
    /// Where assets are served, if not where everything else is.
    pub asset_base: Option<String>,
    /// Host and port for a client that names none.
    pub authority: String,
    /// Scheme, host and port as boards know this server, where somebody has said it.
    pub named_base: Option<String>,
    /// The fingerprint of the certificate that boards have to trust.
    pub trust: Option<String>,
    /// The keys whose signatures are called good.
    pub trusted: Vec<PublicKey>,
    pub pieces: Shared,
    pub log: Arc<RequestLog>,
    pub told: Mutex<HashSet<String>>,
}

impl App {
    /// The releases of a repository; what cannot be read is told once.
    pub fn releases(&self, repo: &Repo) -> Vec<Release> {
        let releases = self.catalog.releases(repo);
        for problem in releases.problems {
            self.problem(problem);
        }
        releases.all
    }

    /// A repository and its releases. If nothing in the folder has changed they are known, and otherwise read where
    /// that holds up nobody else.
    pub async fn listing(self: &Arc<Self>, owner: &str, name: &str) -> Option<Arc<Listing>> {
        if let Some(known) = self.catalog.known(owner, name) {
            return Some(known);
        }
        let (app, owner, name) = (Arc::clone(self), owner.to_owned(), name.to_owned());
        let read = move || {
            let listing = app.catalog.read(&owner, &name)?;
            for problem in &listing.releases.problems {
                app.problem(problem.clone());
            }
            Some(listing)
        };
        tokio::task::spawn_blocking(read).await.ok().flatten()
    }

    /// Tells the owner of the folder, once.
    pub fn problem(&self, problem: String) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.insert(problem.clone()) {
            drop(told);
            self.log.tell(&Event::Problem(problem));
        }
    }

    /// The version that this asset rolls out, if boards are not to have it: too many came back from the version.
    pub fn withheld(&self, repo: &Repo, release: &Release, asset: &Asset) -> Option<String> {
        self.fleet.as_ref()?.withheld(repo, release, asset)
    }

    /// Scheme, host and port as the client knows this server.
    pub fn base(&self, cx: &Cx) -> String {
        let scheme = if cx.via.tls { "https" } else { "http" };
        let host = cx.headers.get(HOST).and_then(|host| host.to_str().ok());
        let host = host.filter(|host| plain_host(host));
        format!("{scheme}://{}", host.unwrap_or(&self.authority))
    }

    /// Scheme, host and port of the storage host.
    pub fn asset_base(&self, cx: &Cx) -> String {
        self.asset_base.clone().unwrap_or_else(|| self.base(cx))
    }
}

fn plain_host(host: &str) -> bool {
    !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]_".contains(&byte))
}

/// What a handler needs of a request.
#[derive(Debug, Clone)]
pub(crate) struct Cx {
    pub method: Method,
    pub uri: Uri,
    pub headers: HeaderMap,
    pub via: Via,
    /// How this request is to fail, if it is.
    pub fault: Option<FaultKind>,
}

impl<S: Sync> FromRequestParts<S> for Cx {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, StatusCode> {
        Ok(Self {
            method: parts.method.clone(),
            uri: parts.uri.clone(),
            headers: parts.headers.clone(),
            via: *parts.extensions.get().ok_or(StatusCode::INTERNAL_SERVER_ERROR)?,
            fault: parts.extensions.get().cloned(),
        })
    }
}

/// Runs a handler that reads the disk where it holds up nobody else.
pub(crate) async fn blocking<F>(app: Arc<App>, cx: Cx, handler: F) -> Response
where
    F: FnOnce(&App, &Cx) -> Response + Send + 'static,
{
    tokio::task::spawn_blocking(move || handler(&app, &cx)).await.unwrap_or_else(|_| {
        let mut response = Response::default();
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        response
    })
}
