//! The other manifests of a release: those with compiled modules, each for firmware that loads `.mpy` files of one
//! version.

use super::{Header, More, MoreItem, MoreValue};
use crate::limits;
use crate::line::Wrong;

/// The key in the `more` of a header.
pub const KEY: &str = "mpy";

/// The versions of `.mpy` files that the `more` of a header names.
pub(super) fn loaders(more: &More) -> Result<Vec<u8>, Wrong> {
    let wrong = || format!("`mpy` is not an array of 1 to {} ascending numbers from 1 to 255", limits::LIST);
    let items = match more.get(KEY) {
        None => return Ok(Vec::new()),
        Some(MoreValue::Many(items)) if items.len() <= limits::LIST => items,
        Some(_) => return Err(wrong()),
    };
    let number = |item: &MoreItem| match item {
        MoreItem::Number(number) => u8::try_from(*number).ok().filter(|number| *number > 0),
        MoreItem::Text(_) => None,
    };
    let numbers: Option<Vec<u8>> = items.iter().map(number).collect();
    numbers.filter(|numbers| numbers.is_sorted_by(|a, b| a < b)).ok_or_else(wrong)
}

impl Header {
    /// The versions of `.mpy` files for which the release has a manifest with compiled modules beside this one.
    #[must_use]
    pub fn compiled(&self) -> Vec<u8> {
        loaders(&self.more).unwrap_or_default()
    }

    /// Name these versions; none: the release has no other manifest.
    pub fn set_compiled(&mut self, versions: &[u8]) {
        let numbers: Vec<MoreItem> =
            versions.iter().map(|version| MoreItem::Number((*version).into())).collect();
        self.more.remove(KEY);
        if !numbers.is_empty() {
            self.more.insert(KEY.to_owned(), MoreValue::Many(numbers));
        }
    }
}

/// The asset that holds the manifest with modules compiled to `.mpy` files of this version.
#[must_use]
pub fn asset(version: u8) -> String {
    format!("manifest-mpy-{version}.json")
}
