//! The one thread that writes. While the disk takes one batch of reports the next one gathers, so that 2,000 boards
//! at once are a few waits for the disk, and a board's answer waits for the one that its report is in.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use mpota_format::report::Report;
use tokio::sync::oneshot;

use super::counts::Outcome;
use super::options::FleetOptions;
use super::record::{Board, Change, Halt, Release, Tally, tried};
use super::senders::Senders;
use super::state::State;
use super::store::{Store, StoreError, Write};
use crate::log::{Event, RequestLog};

/// Most reports that are written at once.
const BATCH: usize = 4_096;
/// How long a disk that failed is left alone.
const PAUSE: Duration = Duration::from_secs(5);

/// A report that is to be kept.
pub(crate) struct Heard {
    pub project: String,
    pub report: Report,
    pub from: Option<IpAddr>,
    pub now: u64,
}

/// What the thread is asked for.
pub(crate) enum Job {
    Keep(Box<Heard>, oneshot::Sender<Outcome>),
    History(String, oneshot::Sender<Vec<Change>>),
}

/// The thread's own.
pub(crate) struct Writer {
    options: FleetOptions,
    path: PathBuf,
    /// None: the disk has failed, then.
    store: Result<Store, Instant>,
    state: Arc<RwLock<State>>,
    senders: Senders,
    /// The number of the last change or lift.
    number: u64,
    log: Arc<RequestLog>,
}

impl Writer {
    /// With what the database holds; and what the options say of it is done.
    pub fn new(
        options: &FleetOptions,
        store: Store,
        state: Arc<RwLock<State>>,
        log: Arc<RequestLog>,
        now: u64,
    ) -> Result<Self, StoreError> {
        let loaded = store.load()?;
        let changes = loaded.boards.iter().flat_map(|(.., history)| history).map(|change| change.number);
        let lifts = loaded.halts.iter().filter_map(|(_, halt)| halt.lifted);
        let number = changes.chain(lifts).max().unwrap_or_default();
        let mut writer = Self {
            options: options.clone(),
            path: options.file.clone(),
            store: Ok(store),
            state,
            senders: Senders::default(),
            number,
            log,
        };
        writer.change(|state| {
            for (id, board, history) in loaded.boards {
                state.put(id, board, Some(tried(&history)));
            }
            for (release, halt) in loaded.halts {
                state.put_halt(release, halt);
            }
        });
        for version in &options.resume {
            writer.number += 1;
            let lifted = writer.read(|state| state.to_lift(version, writer.number));
            if lifted.is_empty() {
                writer.log.tell(&Event::Problem(format!(
                    "the rollout of {version} is not withheld: there is nothing to resume"
                )));
            }
            for (release, halt) in lifted {
                writer.put_halt(release, halt)?;
            }
        }
        // A crash may have come between a report and the halt that it led to.
        let all: Vec<Release> = writer.read(|state| state.tallies().keys().cloned().collect());
        writer.halt(&all, now)?;
        let halted =
            writer.read(|state| state.halted().map(|(r, h)| (r.clone(), h.tally)).collect::<Vec<_>>());
        for (release, tally) in halted {
            writer.tell(&release, tally);
        }
        Ok(writer)
    }

    /// Works until nobody can ask any more.
    pub fn run(mut self, jobs: &Receiver<Job>) {
        while let Ok(job) = jobs.recv() {
            let mut heard = Vec::new();
            let rest = std::iter::from_fn(|| jobs.try_recv().ok());
            for job in std::iter::once(job).chain(rest.take(BATCH - 1)) {
                match job {
                    Job::Keep(report, answer) => heard.push((*report, answer)),
                    Job::History(id, answer) => {
                        let history = self.store().and_then(|store| store.history(&id).ok());
                        let _ = answer.send(history.unwrap_or_default());
                    }
                }
            }
            if heard.is_empty() {
                continue;
            }
            let (reports, answers): (Vec<_>, Vec<_>) = heard.into_iter().unzip();
            let outcomes = self.keep(reports);
            for (answer, outcome) in answers.into_iter().zip(outcomes) {
                // Who has gone away wants no answer.
                let _ = answer.send(outcome);
            }
        }
    }

    /// The database; one that failed is opened again after a while.
    fn store(&mut self) -> Option<&Store> {
        if let Err(since) = self.store {
            if since.elapsed() < PAUSE {
                return None;
            }
            self.store = Store::open(&self.path).map_err(|_| Instant::now());
        }
        self.store.as_ref().ok()
    }

    fn keep(&mut self, reports: Vec<Heard>) -> Vec<Outcome> {
        let (writes, mut outcomes) = self.admit(reports);
        if writes.is_empty() {
            return outcomes;
        }
        let now = writes.iter().map(|write| write.board.last_seen).max().unwrap_or_default();
        let result = match self.store() {
            None => return spoil(outcomes),
            Some(store) => store.write(&writes),
        };
        let histories = match result {
            Ok(histories) => histories,
            Err(error) => return self.failed(&error, outcomes),
        };
        let mut touched = BTreeSet::new();
        self.change(|state| {
            state.written();
            for (Write { id, board, .. }, history) in writes.into_iter().zip(histories) {
                let tried = history.map(|history| tried(&history));
                touched.extend(tried.iter().flat_map(|tried| tried.keys().cloned()));
                state.put(id, board, tried);
            }
        });
        if let Err(error) = self.halt(&touched, now) {
            outcomes = self.failed(&error, outcomes);
        }
        outcomes
    }

    /// Decides which reports are to be written.
    fn admit(&mut self, reports: Vec<Heard>) -> (Vec<Write>, Vec<Outcome>) {
        let mut outcomes = Vec::with_capacity(reports.len());
        let mut writes: Vec<Write> = Vec::with_capacity(reports.len());
        // What earlier reports of this batch say.
        let mut latest: HashMap<String, usize> = HashMap::new();
        let mut new = 0;
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        for Heard { project, report, from, now } in reports {
            let id = report.id.clone();
            let earlier = latest.get(&id).and_then(|place| writes.get(*place)).map(|write| &write.board);
            let before = earlier.or_else(|| state.board(&id));
            if before.is_none() {
                if state.boards().len() + new >= self.options.boards {
                    outcomes.push(Outcome::Full);
                    continue;
                }
                if !self.senders.admit(from, now, self.options.new_per_hour) {
                    outcomes.push(Outcome::TooManyNew);
                    continue;
                }
                new += 1;
            }
            let mut board = Board::new(project, report, now);
            board.first_seen = before.map_or(now, |before| before.first_seen);
            let change = board.change(before, self.number + 1);
            self.number += u64::from(change.is_some());
            latest.insert(id.clone(), writes.len());
            writes.push(Write { id, board, change });
            outcomes.push(Outcome::Kept);
        }
        (writes, outcomes)
    }

    /// Withholds the rollouts that are due.
    fn halt<'a>(&mut self, among: impl IntoIterator<Item = &'a Release>, now: u64) -> Result<(), StoreError> {
        let Some(rule) = self.options.halt else { return Ok(()) };
        let due = self.read(|state| state.to_halt(rule, among));
        for (release, tally) in due {
            self.put_halt(release.clone(), Halt { at: now, tally, lifted: None })?;
            self.tell(&release, tally);
        }
        Ok(())
    }

    fn put_halt(&mut self, release: Release, halt: Halt) -> Result<(), StoreError> {
        // It counts at once, whether the disk takes it or not: at the next start it is found again.
        self.change(|state| state.put_halt(release.clone(), halt.clone()));
        self.store().map_or(Ok(()), |store| store.write_halt(&release, &halt))
    }

    fn tell(&self, release: &Release, Tally { tried, back }: Tally) {
        let Release { project, version } = release.clone();
        self.log.tell(&Event::Halted { project, version, tried, back });
    }

    fn failed(&mut self, error: &StoreError, outcomes: Vec<Outcome>) -> Vec<Outcome> {
        self.log.tell(&Event::Problem(format!(
            "reports of boards cannot be kept in {}: {error}",
            self.path.display()
        )));
        // The file is closed here, and opened anew for a later report.
        self.store = Err(Instant::now());
        spoil(outcomes)
    }

    fn change(&self, with: impl FnOnce(&mut State)) {
        with(&mut self.state.write().unwrap_or_else(PoisonError::into_inner));
    }

    fn read<T>(&self, with: impl FnOnce(&State) -> T) -> T {
        with(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What would have been kept was not.
fn spoil(mut outcomes: Vec<Outcome>) -> Vec<Outcome> {
    for outcome in &mut outcomes {
        if *outcome == Outcome::Kept {
            *outcome = Outcome::Failed;
        }
    }
    outcomes
}
