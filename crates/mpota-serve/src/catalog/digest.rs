//! SHA-256 of assets, computed once for as long as a file stays the same.

use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use ring::digest::{Context, SHA256};

/// Entries beyond which the cache starts afresh.
const MOST_ENTRIES: usize = 10_000;

/// Tells one state of a file from another without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub len: u64,
    pub modified: SystemTime,
    /// Inode and change time where there are any: a file that was replaced by
    /// one of the same length and date is seen too.
    identity: [i64; 3],
}

impl Stamp {
    pub fn of(metadata: &Metadata) -> Self {
        Self {
            len: metadata.len(),
            modified: metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH),
            identity: identity(metadata),
        }
    }

    /// Of what lies there now, a symlink itself and not what it leads to.
    pub fn at(path: &Path) -> Option<Self> {
        std::fs::symlink_metadata(path).ok().as_ref().map(Self::of)
    }

    /// Whether the system keeps moments finer than seconds for this file. The last change shows: a program can set
    /// the date of a file, and not that.
    pub fn fine(&self) -> bool {
        self.identity[2] != 0
    }

    /// Of a file that there is not.
    pub fn nothing() -> Self {
        Self { len: 0, modified: SystemTime::UNIX_EPOCH, identity: [0; 3] }
    }

    /// What is noted beside a digest, to see that the file was replaced.
    pub fn text(&self) -> String {
        let since = self.modified.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        format!("{}-{}", self.len, since.as_nanos())
    }

    /// A strong entity tag.
    pub fn etag(&self) -> String {
        let since = self.modified.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let mut context = Context::new(&SHA256);
        context.update(&self.len.to_le_bytes());
        context.update(&since.as_nanos().to_le_bytes());
        for part in self.identity {
            context.update(&part.to_le_bytes());
        }
        let digest = hex(context.finish().as_ref());
        format!("\"0x8D{}\"", digest[..13].to_uppercase())
    }
}

#[cfg(unix)]
fn identity(metadata: &Metadata) -> [i64; 3] {
    use std::os::unix::fs::MetadataExt;
    [metadata.ino().cast_signed(), metadata.ctime(), metadata.ctime_nsec()]
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> [i64; 3] {
    [0; 3]
}

/// Digests by path, each with the state of the file that it is of.
#[derive(Default)]
pub(crate) struct Digests {
    known: Mutex<HashMap<PathBuf, (Stamp, String)>>,
}

impl Digests {
    /// The file's SHA-256 in hex.
    pub fn sha256(&self, path: &Path, stamp: Stamp) -> io::Result<String> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((then, digest)) = known.get(path)
            && *then == stamp
        {
            return Ok(digest.clone());
        }
        drop(known);
        let mut file = File::open(path)?;
        let mut context = Context::new(&SHA256);
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let read = file.read(&mut buffer)?;
            if read == 0 {
                break;
            }
            context.update(&buffer[..read]);
        }
        let digest = hex(context.finish().as_ref());
        // Remembered only if the file is still what it was when it was found.
        if Stamp::of(&file.metadata()?) == stamp {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            if known.len() >= MOST_ENTRIES {
                known.clear();
            }
            known.insert(path.to_owned(), (stamp, digest.clone()));
        }
        Ok(digest)
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

/// The first bytes of a SHA-256 over the parts: for ids and opaque names.
pub(crate) fn short_hash(parts: &[&str]) -> [u8; 16] {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_le_bytes());
        context.update(part.as_bytes());
    }
    let digest = context.finish();
    let mut short = [0; 16];
    short.copy_from_slice(&digest.as_ref()[..16]);
    short
}
