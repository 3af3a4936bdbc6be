//! The bucket: what is there, and putting something there so that it is known to be right.
//!
//! Whether an object is right is found out by reading it, never by what the store says about it: an `ETag` is another
//! hash with each store, and a hash kept beside an object tells what was sent and not what lies there. What this process
//! has read once is not read again while the store's list shows the same size, date and `ETag` for it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use futures_util::TryStreamExt;
use object_store::{
    Attribute, Attributes, Error as StoreError, ObjectMeta, ObjectStore, ObjectStoreExt, PutOptions,
};
use tokio::runtime::{Builder, Runtime};

use super::destination::Destination;
use super::error::MirrorError;

/// For what never changes: the files of a version, and its manifests.
const IMMUTABLE: &str = "public, max-age=31536000, immutable";
/// For what moves: a cache has to ask each time whether it is still the same.
const MOVES: &str = "no-cache";
/// How often something is read back that is not right yet, and the pause: some stores take a moment.
const READS: u32 = 3;
const PAUSE: Duration = Duration::from_millis(500);

/// How long something is what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Life {
    Fixed,
    Moves,
}

/// What the list says of an object. Only lists are compared with each other: a store may tell less in them than when the
/// object is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    pub size: u64,
    modified: i64,
    e_tag: Option<String>,
}

impl Seen {
    fn of(meta: &ObjectMeta) -> Self {
        let modified = meta.last_modified.timestamp_micros();
        Self { size: meta.size, modified, e_tag: meta.e_tag.clone() }
    }
}

pub(super) struct Bucket {
    store: Box<dyn ObjectStore>,
    runtime: Runtime,
    destination: Destination,
    /// Look, and change nothing.
    dry_run: bool,
    /// What was read and was right, by key, as a list before that had it.
    right: RefCell<BTreeMap<String, Seen>>,
    /// Bytes sent.
    pub sent: Cell<u64>,
}

impl Bucket {
    pub fn open(destination: &Destination, ca: Option<&Path>, dry_run: bool) -> Result<Self, MirrorError> {
        let runtime = Builder::new_current_thread().enable_all().build().map_err(MirrorError::Client)?;
        Ok(Self {
            store: destination.open(ca)?,
            runtime,
            destination: destination.clone(),
            dry_run,
            right: RefCell::default(),
            sent: Cell::new(0),
        })
    }

    fn path(&self, key: &str) -> object_store::path::Path {
        key.split('/').fold(self.destination.prefix().clone(), |path, part| path.join(part))
    }

    /// Where an object is, for people.
    fn place(&self, key: &str) -> String {
        format!("{}/{key}", self.destination)
    }

    fn failed(&self, what: &'static str, key: &str) -> impl Fn(StoreError) -> MirrorError {
        let place = self.place(key);
        let variables = self.destination.variables();
        move |source| MirrorError::store(what, &place, variables, source)
    }

    /// All objects below a folder, by their keys.
    pub fn list(&self, below: &str) -> Result<BTreeMap<String, Seen>, MirrorError> {
        let prefix = self.path(below);
        let all: Result<Vec<ObjectMeta>, _> =
            self.runtime.block_on(self.store.list(Some(&prefix)).try_collect());
        let own = self.destination.prefix().as_ref().len();
        let key = |meta: &ObjectMeta| meta.location.as_ref()[own..].trim_start_matches('/').to_owned();
        match all {
            Ok(all) => Ok(all.iter().map(|meta| (key(meta), Seen::of(meta))).collect()),
            // A folder that is not there yet.
            Err(StoreError::NotFound { .. }) => Ok(BTreeMap::new()),
            Err(error) => Err(self.failed("list", below)(error)),
        }
    }

    /// What lies there.
    pub fn read(&self, key: &str) -> Result<Option<Vec<u8>>, MirrorError> {
        let path = self.path(key);
        let read = self.runtime.block_on(async { Ok(self.store.get(&path).await?.bytes().await?.to_vec()) });
        match read {
            Ok(read) => Ok(Some(read)),
            Err(StoreError::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.failed("read", key)(error)),
        }
    }

    /// Whether this process has found the object right, and it has not changed since.
    pub fn is_known(&self, key: &str, listed: &BTreeMap<String, Seen>) -> bool {
        listed.get(key).is_some_and(|seen| self.right.borrow().get(key) == Some(seen))
    }

    /// It was read after this list was made, and is right.
    pub fn know(&self, key: &str, listed: &BTreeMap<String, Seen>) {
        if let Some(seen) = listed.get(key) {
            self.right.borrow_mut().insert(key.to_owned(), seen.clone());
        }
    }

    /// Puts an object there, reads it back and compares every byte.
    pub fn put(&self, key: &str, bytes: &[u8], life: Life) -> Result<(), MirrorError> {
        if self.dry_run {
            return Ok(());
        }
        let mut attributes = Attributes::new();
        if self.destination.has_attributes() {
            let cache = if life == Life::Fixed { IMMUTABLE } else { MOVES };
            attributes.insert(Attribute::CacheControl, cache.into());
            attributes.insert(Attribute::ContentType, kind(key).into());
        }
        let path = self.path(key);
        let options = PutOptions { attributes, ..PutOptions::default() };
        let put = self.store.put_opts(&path, bytes.to_vec().into(), options);
        self.runtime.block_on(put).map_err(self.failed("write", key))?;
        self.sent.set(self.sent.get() + bytes.len() as u64);
        for read in 1.. {
            match self.read(key)? {
                Some(there) if there == bytes => break,
                _ if read == READS => return Err(MirrorError::Differs { place: self.place(key) }),
                _ => std::thread::sleep(PAUSE),
            }
        }
        Ok(())
    }

    /// Removes an object; one that is gone already is removed.
    pub fn delete(&self, key: &str) -> Result<(), MirrorError> {
        if self.dry_run {
            return Ok(());
        }
        self.right.borrow_mut().remove(key);
        match self.runtime.block_on(self.store.delete(&self.path(key))) {
            Ok(()) | Err(StoreError::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.failed("remove", key)(error)),
        }
    }
}

/// The type of an object, by its name. A pack is nothing that a browser or a proxy should look into or compress.
fn kind(key: &str) -> &'static str {
    if key.ends_with(".json") { "application/json" } else { "application/octet-stream" }
}
