//! What was read from the folder, for as long as nothing there has changed.
//!
//! A listing is kept with the state of everything that it was made of, and each request compares those states. A file
//! system's clock has ticks, though: of two changes within one tick the second leaves the folder's date as it is. So
//! a listing counts only when it was read again, a while after its states were first seen: a change that comes later
//! falls into another tick. Until then each request reads the folder.
//!
//! What lies in a file is not kept, and neither is its size: whoever answers with it looks at the file itself.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use super::digest::Stamp;
use super::{Releases, Repo};

/// More than a tick of a clock that counts parts of a second.
const FINE: Duration = Duration::from_millis(100);
/// More than a tick of any other: FAT's has two seconds.
const COARSE: Duration = Duration::from_millis(2_500);

/// A repository and its releases.
pub(crate) struct Listing {
    pub repo: Repo,
    pub releases: Releases,
}

/// The states of what a listing is made of, noted while it is read.
#[derive(Default)]
pub(crate) struct Seen {
    places: BTreeMap<PathBuf, Option<Stamp>>,
    elsewhere: bool,
}

impl Seen {
    /// A folder or a file, and its state before it was read. The first state counts.
    pub fn note(&mut self, path: &Path, stamp: Option<Stamp>) {
        if !self.places.contains_key(path) {
            self.places.insert(path.to_owned(), stamp);
        }
    }

    /// A symlink was followed: what it leads to may change, and nothing that was noted shows it.
    pub fn elsewhere(&mut self) {
        self.elsewhere = true;
    }

    fn unchanged(&self) -> bool {
        self.places.iter().all(|(path, stamp)| Stamp::at(path) == *stamp)
    }

    /// How long after its first sight a state can be told from every later one.
    fn margin(&self) -> Duration {
        let fine = |stamp: &Option<Stamp>| stamp.is_some_and(|stamp| stamp.fine());
        if self.places.values().all(fine) { FINE } else { COARSE }
    }
}

struct Kept {
    listing: Arc<Listing>,
    seen: Seen,
    /// When these states were there for certain.
    since: Instant,
    /// Whether the listing was read so long after that moment that it counts.
    settled: bool,
}

/// The listings, by the repository's name in small letters.
#[derive(Default)]
pub(crate) struct Known {
    kept: RwLock<HashMap<String, Arc<Kept>>>,
}

impl Known {
    /// The listing, if the folder is as it was.
    pub fn get(&self, owner: &str, name: &str) -> Option<Arc<Listing>> {
        let kept = self.find(&key(owner, name))?;
        (kept.settled && kept.seen.unchanged()).then(|| Arc::clone(&kept.listing))
    }

    /// The listing that `read` finds now. What is not there is not kept: names come from outside.
    pub fn read(
        &self,
        owner: &str,
        name: &str,
        read: impl FnOnce(&mut Seen) -> Option<Listing>,
    ) -> Option<Arc<Listing>> {
        let key = key(owner, name);
        let before = self.find(&key);
        let mut seen = Seen::default();
        let begun = Instant::now();
        let listing = read(&mut seen).map(Arc::new);
        let mut all = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        match &listing {
            Some(listing) if !seen.elsewhere => {
                let same = before.filter(|before| before.seen.places == seen.places);
                let since = same.map_or_else(Instant::now, |before| before.since);
                let settled = begun.saturating_duration_since(since) >= seen.margin();
                let listing = Arc::clone(listing);
                all.insert(key, Arc::new(Kept { listing, seen, since, settled }));
            }
            _ => drop(all.remove(&key)),
        }
        listing
    }

    fn find(&self, key: &str) -> Option<Arc<Kept>> {
        self.kept.read().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }
}

fn key(owner: &str, name: &str) -> String {
    format!("{owner}/{name}").to_ascii_lowercase()
}
