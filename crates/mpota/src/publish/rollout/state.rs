//! A rollout, told.

use mpota_format::rollout::{Asked, Rollout, signer};
use serde::Serialize;

use super::RolloutOptions;

/// A rollout, told.
#[derive(Debug, Clone, Default, Serialize)]
#[non_exhaustive]
pub struct State {
    /// The repository.
    pub project: String,
    /// Of which version it is.
    pub version: String,
    /// Where boards read it; empty where nothing was changed.
    pub place: String,
    /// Its number.
    pub number: u64,
    /// The time after which it counts no more; `None`: without an end.
    pub until: Option<u64>,
    /// Whether no board takes the version now.
    pub halted: bool,
    /// The share of the boards now, in percent; `None` before the first stage.
    pub percent: Option<u8>,
    /// The share of the boards, by time.
    pub stages: Vec<Share>,
    /// Boards that take the version whatever the share is.
    pub boards: Vec<String>,
    /// The fingerprint of the key that has signed it.
    pub signed: Option<String>,
    /// Why boards refuse it.
    pub refused: Option<String>,
    /// Whether it was changed.
    pub changed: bool,
    /// What would be done, in words.
    pub would: Vec<String>,
    /// Requests to the API.
    pub requests: u32,
}

/// From some time on, this share of the boards.
#[derive(Debug, Clone, Copy, Serialize)]
#[non_exhaustive]
pub struct Share {
    /// In seconds since 1970.
    pub from: u64,
    /// Of the boards.
    pub percent: u8,
}

impl State {
    pub(super) fn of(rollout: &Rollout, bytes: &[u8], place: String, options: &RolloutOptions) -> Self {
        let asked = Asked {
            version: options.version.as_str(),
            project: options.identity(),
            keys: &options.access.keys,
            now: options.now,
            number: 0,
        };
        let shares = rollout.stages.iter();
        Self {
            project: options.project.clone(),
            version: rollout.version.to_string(),
            place,
            number: rollout.number,
            until: Some(rollout.until).filter(|until| *until != mpota_format::rollout::FOREVER),
            halted: rollout.halted,
            percent: rollout.percent(options.now),
            stages: shares.map(|stage| Share { from: stage.from, percent: stage.percent }).collect(),
            boards: rollout.boards.clone(),
            signed: signer(bytes).ok().map(|key| key.fingerprint()),
            refused: Rollout::read(bytes, &asked).err().map(|error| error.to_string()),
            ..Self::default()
        }
    }
}
