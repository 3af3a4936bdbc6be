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

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::thread::sleep;

    use super::{COARSE, FINE, Known, Listing, Seen};
    use crate::catalog::digest::Stamp;
    use crate::catalog::{Releases, Repo};

    /// A listing of a folder of which only the content matters here.
    fn read(known: &Known, folder: &Path, content: &str) -> String {
        let listing = known.read("octo", "weather", |seen| {
            seen.note(folder, Stamp::at(folder));
            Some(listing(content, folder))
        });
        listing.unwrap().repo.name.clone()
    }

    fn listing(content: &str, folder: &Path) -> Listing {
        let repo = Repo::new("octo".into(), content.into(), folder.into(), None);
        Listing { repo, releases: Releases { all: Vec::new(), problems: Vec::new() } }
    }

    fn get(known: &Known) -> Option<String> {
        known.get("Octo", "WEATHER").map(|listing| listing.repo.name.clone())
    }

    #[test]
    fn of_two_changes_in_one_tick_the_second_is_seen() {
        let dir = tempfile::tempdir().unwrap();
        let known = Known::default();
        // The folder's state stays as it is, as if the file system's clock stood still.
        assert_eq!(read(&known, dir.path(), "first"), "first");
        assert_eq!(get(&known), None, "another change may be hidden in this tick");
        assert_eq!(read(&known, dir.path(), "second"), "second");
        assert_eq!(get(&known), None);
        sleep(FINE);
        assert_eq!(get(&known), None, "what was read last may still be the first of two changes");
        assert_eq!(read(&known, dir.path(), "third"), "third");
        assert_eq!(get(&known).as_deref(), Some("third"));
    }

    #[test]
    fn a_changed_folder_is_not_known() {
        let dir = tempfile::tempdir().unwrap();
        let known = Known::default();
        let settle = |content: &str| {
            read(&known, dir.path(), content);
            sleep(FINE);
            read(&known, dir.path(), content);
            assert_eq!(get(&known).as_deref(), Some(content));
        };
        settle("first");
        std::fs::write(dir.path().join("file"), "").unwrap();
        assert_eq!(get(&known), None);
        settle("second");
        known.read("octo", "weather", |_| None);
        assert_eq!(get(&known), None, "it is gone");
        for _ in 0..2 {
            known.read("octo", "weather", |seen| {
                seen.elsewhere();
                Some(listing("linked", dir.path()))
            });
            sleep(FINE);
        }
        assert_eq!(get(&known), None, "behind a link everything may change unseen");
    }

    #[test]
    fn a_clock_that_counts_seconds_has_longer_ticks() {
        let dir = tempfile::tempdir().unwrap();
        let stamp = Stamp::at(dir.path()).unwrap();
        let mut seen = Seen::default();
        seen.note(dir.path(), Some(stamp));
        assert_eq!(seen.margin(), if stamp.fine() { FINE } else { COARSE });
        seen.note(Path::new("gone"), Some(Stamp::nothing()));
        assert_eq!(seen.margin(), COARSE);
    }
}
