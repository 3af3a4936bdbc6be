//! What boards report of themselves, kept on disk and shown.
//!
//! # Layout
//!
//! | module | what it does |
//! | --- | --- |
//! | [`options`](FleetOptions) | what the caller may choose |
//! | `hear` | takes the header from a request: who may report, and for what |
//! | `writer` | the one thread that decides and writes, a batch at a time |
//! | `store` | the database |
//! | `record` | what is kept of a board, and what its history says |
//! | `state` | all boards in memory, how many tried a version, and what is withheld |
//! | `senders` | how many new boards one sender may bring |
//! | `counts` | what became of the reports |
//! | `overview` | the fleet in figures |
//! | `query` | which boards are wanted, in which order |
//! | `web` | who may look; `/fleet.json` |
//! | `metrics` | `/metrics`, for Prometheus |
//!
//! `/fleet` itself is a page for people: `browser::fleet`.

pub(crate) mod counts;
mod hear;
mod metrics;
mod options;
pub(crate) mod overview;
pub(crate) mod query;
pub(crate) mod record;
mod senders;
pub(crate) mod state;
mod store;
#[cfg(test)]
mod store_cuts;
pub(crate) mod web;
mod writer;

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::mpsc::{self, SyncSender};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use mpota_format::limits;
use mpota_format::rollout::{self, Rollout};
use tokio::sync::oneshot;

pub use options::{FleetOptions, HaltAt};

use crate::api::auth::Secret;
use crate::catalog::{Asset, Release, Repo};
use crate::error::{Error, Result};
use crate::log::{Event, RequestLog};
use counts::{Counts, Outcome};
use record::Change;
use state::State;
use store::Store;
use writer::{Heard, Job, Writer};

/// Reports that wait for the disk. Those beyond are not kept.
const WAITING: usize = 16_384;
/// How long a board waits until its report is on disk.
const PATIENCE: Duration = Duration::from_secs(20);

/// The fleet, as the rest of the server sees it.
pub(crate) struct Fleet {
    state: Arc<RwLock<State>>,
    pub counts: Counts,
    reporters: Option<Secret>,
    viewers: Option<Secret>,
    jobs: Mutex<Option<SyncSender<Job>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Fleet {
    /// Opens the database and starts the thread that writes.
    pub fn open(options: &FleetOptions, log: &Arc<RequestLog>) -> Result<Self> {
        let secret = |token: &Option<String>| token.as_deref().map(Secret::new).transpose();
        let (reporters, viewers) = (secret(&options.report_token)?, secret(&options.view_token)?);
        let state = Arc::new(RwLock::default());
        let failed = |error| Error::Reports { path: options.file.clone(), reason: format!("{error}") };
        // It is taken for a new one.
        if options.file.metadata().is_ok_and(|file| file.len() == 0) {
            log.tell(&Event::Problem(format!(
                "{} is there and empty: what boards reported and what was withheld before is not in it",
                options.file.display()
            )));
        }
        let store = Store::open(&options.file).map_err(failed)?;
        let writer =
            Writer::new(options, store, Arc::clone(&state), Arc::clone(log), now()).map_err(failed)?;
        let (jobs, waiting) = mpsc::sync_channel(WAITING);
        let thread = std::thread::Builder::new()
            .name("mpota-fleet".into())
            .spawn(move || writer.run(&waiting))
            .map_err(Error::Threads)?;
        Ok(Self {
            state,
            counts: Counts::default(),
            reporters,
            viewers,
            jobs: Mutex::new(Some(jobs)),
            thread: Mutex::new(Some(thread)),
        })
    }

    /// The fleet of this moment.
    pub fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The version that too many boards came back from, if this is its rollout file and lets boards take it. One that
    /// says that the version is halted is given out: boards that read it wait, and it reaches them everywhere.
    pub fn withheld(&self, repo: &Repo, release: &Release, asset: &Asset) -> Option<String> {
        if release.tag != rollout::TAG {
            return None;
        }
        let version = self.state().withheld(&repo.full_name(), &asset.name)?.to_owned();
        if halts(&asset.path) { None } else { Some(version) }
    }

    /// The changes of a board, the oldest first.
    pub async fn history(&self, id: &str) -> Vec<Change> {
        let (answer, history) = oneshot::channel();
        if !self.ask(Job::History(id.to_owned(), answer)) {
            return Vec::new();
        }
        history.await.unwrap_or_default()
    }

    /// Keeps a report. When this returns it is on disk, or will not be kept.
    async fn keep(&self, heard: Heard) -> Outcome {
        let (answer, outcome) = oneshot::channel();
        if !self.ask(Job::Keep(Box::new(heard), answer)) {
            return Outcome::Failed;
        }
        match tokio::time::timeout(PATIENCE, outcome).await {
            Ok(Ok(outcome)) => outcome,
            _ => Outcome::Failed,
        }
    }

    fn ask(&self, job: Job) -> bool {
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        jobs.as_ref().is_some_and(|jobs| jobs.try_send(job).is_ok())
    }

    /// Writes what waits, and closes the file.
    pub fn close(&self) {
        drop(self.jobs.lock().unwrap_or_else(PoisonError::into_inner).take());
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}

/// Whether the file is the rollout of a version that no board takes.
fn halts(path: &Path) -> bool {
    let mut bytes = Vec::new();
    let read =
        File::open(path).and_then(|file| file.take(limits::ROLLOUT as u64 + 1).read_to_end(&mut bytes));
    read.is_ok() && Rollout::parse(&bytes).is_ok_and(|rollout| rollout.halted)
}

/// Seconds of unix time.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}
