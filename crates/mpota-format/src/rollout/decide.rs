//! Whether a board takes a version.

use super::Rollout;
use crate::digest::sha256;

/// What a board does, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It does not take the version: nobody does now.
    Halted,
    /// It takes the version: it is one of those that are named.
    Named,
    /// It does not take the version: no stage has begun.
    NotBegun,
    /// It takes the version: it is among this share of the boards.
    Within(u8),
    /// It does not take the version: it is not among this share of the boards.
    Waits(u8),
}

impl Decision {
    /// Whether the board takes the version.
    #[must_use]
    pub fn takes(self) -> bool {
        matches!(self, Self::Named | Self::Within(_))
    }
}

impl Rollout {
    /// What the board with this id does at this time, in seconds since 1970-01-01T00:00:00Z; 0 where it has no clock.
    #[must_use]
    pub fn decide(&self, id: &str, now: u64) -> Decision {
        if self.halted {
            return Decision::Halted;
        }
        if self.boards.iter().any(|board| board == id) {
            return Decision::Named;
        }
        match self.percent(now) {
            None => Decision::NotBegun,
            Some(percent) if is_within(draw(self.version.as_str(), id), percent) => Decision::Within(percent),
            Some(percent) => Decision::Waits(percent),
        }
    }

    /// The share of the boards at this time; `None` before the first stage.
    #[must_use]
    pub fn percent(&self, now: u64) -> Option<u8> {
        self.stages.iter().rfind(|stage| stage.from <= now).map(|stage| stage.percent)
    }
}

/// Where a board stands in the order in which the boards take this version.
#[must_use]
pub fn draw(version: &str, id: &str) -> u16 {
    let [high, low, ..] = sha256(format!("{version}\n{id}").as_bytes());
    u16::from_be_bytes([high, low])
}

/// Whether a board that stands at `draw` is among so many percent.
#[must_use]
pub fn is_within(draw: u16, percent: u8) -> bool {
    u32::from(draw) * 100 < u32::from(percent) * 65536
}
