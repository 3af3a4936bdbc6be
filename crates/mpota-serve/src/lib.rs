//! Answers GitHub's own release paths, html downloads and REST, from a folder
//! of releases, so that a board, `gh`, octokit and curl cannot tell the
//! difference in what they use.
//!
//! # Layout
//!
//! | module | what it does |
//! | --- | --- |
//! | [`options`](Options) | what the caller may choose, with safe defaults |
//! | `server` | [`Server`]: binds, runs on its own threads, stops |
//! | `net` | sockets: accepting, TLS, time limits, the connection cap, and who gives way |
//! | `inside` | a connection without a socket, for fuzzing |
//! | `log` | [`LoggedRequest`]: what was asked and what was sent |
//! | `catalog` | the folder: repositories, releases, assets, digests. Names from a URL are only ever compared with names that were found there, never joined to a path |
//! | `web` | the download paths of github.com and the storage host behind them |
//! | `api` | the REST API, as api.github.com and as GitHub Enterprise |
//! | `browser` | pages for people: what a browser is shown, and nobody else |
//! | [`write`](WriteOptions) | who may write |
//! | [`faults`](Fault) | failures on demand, for the tests of clients |
//! | [`fleet`](FleetOptions) | what boards report of themselves: kept on disk, shown, and what follows from it |
//! | `app` | what all answers share: options, catalog, signer |
//!
//! A folder of releases is one of these. What it is, and what lies in it, is
//! decided anew whenever something in it has changed, which each request finds
//! out:
//!
//! - `DIR/manifest.json` is there: `DIR` is one release, as `mpota build`
//!   leaves it in `dist/`; the manifest's first line names version and project.
//! - a repository is given in the options and `DIR/<owner>/<repo>` is no
//!   folder: `DIR/<tag>/<assets>`.
//! - otherwise `DIR/<owner>/<repo>/<tag>/<assets>`.
//!
//! A release folder may hold a `release.json` (draft, prerelease, name, body,
//! `make_latest`, ...). It is never an asset, and neither is a file whose name
//! begins with a dot. It is also where a server that may write keeps what the
//! files do not say, so that a restart changes nothing: each change replaces it
//! with one rename. A new release's folder is named for its tag where that can
//! be a folder's name, and `release-<id>` otherwise.

mod api;
mod app;
mod browser;
mod catalog;
mod error;
mod faults;
mod fleet;
mod inside;
mod log;
mod net;
mod options;
mod server;
mod web;
mod write;

pub use catalog::ReleaseSummary;
pub use error::{Error, Result};
pub use faults::{Fault, FaultKind};
pub use fleet::{FleetOptions, HaltAt};
pub use log::{Event, ListenerKind, LogHook, LoggedRequest};
pub use net::tls::{Authority, IssuedCertificate};
pub use options::{Limits, Options, Tls};
pub use server::Server;
pub use write::{Permission, WriteOptions, WriteToken};
