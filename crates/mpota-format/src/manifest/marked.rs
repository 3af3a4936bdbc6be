//! The mark of a release that has a rollout: boards ask for it before they take the release.

use super::{Header, More, MoreItem, MoreValue};
use crate::line::Wrong;

/// The key in the `more` of a header.
const KEY: &str = "rollout";
/// Its only value.
const MARK: MoreValue = MoreValue::One(MoreItem::Number(1));

/// Whether the `more` of a header has the mark.
pub(super) fn rollout(more: &More) -> Result<bool, Wrong> {
    match more.get(KEY) {
        None => Ok(false),
        Some(value) if *value == MARK => Ok(true),
        Some(_) => Err("`rollout` is not 1".to_owned()),
    }
}

impl Header {
    /// Whether boards ask for a rollout before they take the release.
    #[must_use]
    pub fn rollout(&self) -> bool {
        self.more.contains_key(KEY)
    }

    /// Let boards ask for a rollout, or not.
    pub fn set_rollout(&mut self, rollout: bool) {
        self.more.remove(KEY);
        if rollout {
            self.more.insert(KEY.to_owned(), MARK);
        }
    }
}
