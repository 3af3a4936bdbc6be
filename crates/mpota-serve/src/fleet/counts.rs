//! What became of the reports, since the server was started.

use std::sync::atomic::{AtomicU64, Ordering};

use mpota_format::report::ReportError;

/// What becomes of a report. None of it changes the answer to the board.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is on disk.
    Kept,
    /// It came without the token.
    Stranger,
    /// It is not of the form.
    Refused(ReportError),
    /// It came with a request for something else than a project's release.
    Elsewhere,
    /// As many boards are known as may be.
    Full,
    /// Its sender has brought too many new boards in this hour.
    TooManyNew,
    /// The disk did not take it, or not in time.
    Failed,
}

/// The outcomes that have no code of their own in [`ReportError`].
const OTHERS: [&str; 6] = ["kept", "stranger", "elsewhere", "full", "too-many-new", "failed"];

/// Counters that only grow.
#[derive(Default)]
pub(crate) struct Counts {
    others: [AtomicU64; OTHERS.len()],
    refused: [AtomicU64; ReportError::ALL.len()],
}

impl Counts {
    pub fn count(&self, outcome: Outcome) {
        let place = match outcome {
            Outcome::Kept => self.others.first(),
            Outcome::Stranger => self.others.get(1),
            Outcome::Elsewhere => self.others.get(2),
            Outcome::Full => self.others.get(3),
            Outcome::TooManyNew => self.others.get(4),
            Outcome::Failed => self.others.get(5),
            Outcome::Refused(error) => {
                let place = ReportError::ALL.iter().position(|known| *known == error);
                place.and_then(|place| self.refused.get(place))
            }
        };
        if let Some(counter) = place {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The outcomes, the code of a refusal, and how often.
    pub fn all(&self) -> Vec<(&'static str, Option<&'static str>, u64)> {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let others = OTHERS.iter().zip(&self.others).map(|(name, n)| (*name, None, read(n)));
        let refused = ReportError::ALL.iter().zip(&self.refused);
        let refused = refused.map(|(error, n)| ("refused", Some(error.code()), read(n)));
        others.chain(refused).collect()
    }
}
