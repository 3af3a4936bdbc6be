//! What a fleet is, what boards ask for, and what answers them.

use super::simulate::DAY;
use anyhow::{Context, Result};
use mpota_vboard::repository;
use std::collections::BTreeMap;

/// Boards that look for a release at equal times, give or take a tenth.
#[derive(Debug, Clone, Copy)]
pub struct Fleet {
    pub boards: u32,
    /// Seconds between two looks of a board.
    pub interval: u32,
    /// The first looks come within so many seconds.
    pub spread: u32,
}

/// What one thing that a board does costs.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cost {
    pub requests: u64,
    /// Both ways.
    pub bytes: u64,
}

impl Cost {
    pub fn and(self, other: Self) -> Self {
        Self { requests: self.requests + other.requests, bytes: self.bytes + other.bytes }
    }
}

/// What boards do.
#[derive(Debug, Clone, Copy)]
pub struct Costs {
    /// A look, with nothing new.
    pub look: Cost,
    /// An update, besides the look.
    pub update: Cost,
    /// The file of a rollout, at each look while there is something new.
    pub rollout: Cost,
}

impl Costs {
    /// The limits of `cargo xtask bench` for these cases: they are a little above what was measured.
    pub fn load(look: &str, update: &str, rollout: u64) -> Result<Self> {
        let text = std::fs::read_to_string(repository().join("xtask/bench.toml"))?;
        let limits: BTreeMap<String, BTreeMap<String, f64>> = toml::from_str(&text)?;
        let cost = |case: &str| {
            let figures =
                limits.get(case).with_context(|| format!("xtask/bench.toml has no case {case:?}"))?;
            let figure = |key| figures.get(key).with_context(|| format!("{case} has no {key:?}"));
            let (requests, down, up) = (figure("requests")?, figure("down")?, figure("up")?);
            anyhow::Ok(Cost { requests: *requests as u64, bytes: (down + up) as u64 })
        };
        let (look, all) = (cost(look)?, cost(update)?);
        // The update of the bench begins with the look.
        let update = Cost {
            requests: all.requests.saturating_sub(look.requests),
            bytes: all.bytes.saturating_sub(look.bytes),
        };
        // It is found as the manifest is: by a redirect.
        Ok(Self { look, update, rollout: look.and(Cost { requests: 1, bytes: rollout }) })
    }
}

/// What answers.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// Requests a second.
    rate: f64,
    /// Bytes a second.
    link: f64,
}

impl Place {
    pub fn new(rate: f64, link: f64) -> Self {
        Self { rate, link }
    }

    /// What is so large that a fleet does not show.
    pub fn unlimited() -> Self {
        Self::new(f64::INFINITY, f64::INFINITY)
    }

    /// How long it works on this: processors and link at the same time.
    pub fn seconds(&self, cost: Cost) -> f64 {
        (cost.requests as f64 / self.rate).max(cost.bytes as f64 / self.link)
    }
}

/// From so many seconds after the release on, so many percent of the boards are to have it. Empty: all of them, and no
/// file of a rollout.
#[derive(Debug, Clone, Copy)]
pub struct Rollout(pub &'static [(u32, u8)]);

/// Everybody at once, and in three steps.
pub const ROLLOUTS: [(&str, Rollout); 2] =
    [("at once", Rollout(&[])), ("5/25/100 % a day apart", Rollout(&[(0, 5), (DAY, 25), (2 * DAY, 100)]))];

impl Rollout {
    pub fn is_one(&self) -> bool {
        !self.0.is_empty()
    }

    /// Percent of the boards, so many seconds after the release.
    pub fn share(&self, since: u32) -> u8 {
        if !self.is_one() {
            return 100;
        }
        self.0.iter().filter(|(from, _)| *from <= since).map(|(_, share)| *share).next_back().unwrap_or(0)
    }
}
