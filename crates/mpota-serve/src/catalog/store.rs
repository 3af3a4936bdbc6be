//! Changing the folder. Every change is one rename, so that a reader and a
//! power cut see the old or the new state and nothing between. Names that
//! begin with a dot are never listed: work in progress has such names.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use super::meta::{self, AssetMeta, Meta};
use super::names::is_folder_name;
use super::{Catalog, Release, Repo};

/// Tags of releases that could not be changed and are gone, one a line.
const USED_TAGS: &str = ".immutable-tags";
/// What unfinished work is called.
const UNFINISHED: [&str; 4] = [".upload-", ".release-json-", ".new-", ".gone-"];

/// Gives out numbers, and lets one change at a time happen.
#[derive(Default)]
pub(crate) struct Store {
    last: Mutex<u64>,
}

/// Held while something is changed.
pub(crate) struct Writing<'a>(MutexGuard<'a, u64>);

impl Store {
    /// Waits until nobody else changes anything.
    pub fn write(&self) -> Writing<'_> {
        Writing(self.last.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Writing<'_> {
    /// A number that was never given out: microseconds since 1970, or one more
    /// than the last. Exact in every JSON reader, and growing over restarts.
    pub fn next_id(&mut self) -> u64 {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
        *self.0 = u64::try_from(now.as_micros()).unwrap_or(0).max(*self.0 + 1);
        *self.0
    }

    /// A new release in a folder of its own.
    pub fn create(&self, repo: &Repo, id: u64, tag: &str, meta: &Meta) -> io::Result<()> {
        let taken = |name: &str| repo.folder.join(name).symlink_metadata().is_ok();
        let name = if is_folder_name(tag) && !taken(tag) { tag.to_owned() } else { format!("release-{id}") };
        let unfinished = repo.folder.join(format!(".new-{id}"));
        fs::create_dir(&unfinished)?;
        self.save(&unfinished, meta)?;
        fs::rename(&unfinished, repo.folder.join(name))?;
        sync(&repo.folder)
    }

    /// Replaces a release's `release.json`.
    pub fn save(&self, folder: &Path, meta: &Meta) -> io::Result<()> {
        let unfinished = folder.join(format!(".release-json-{}", *self.0));
        let mut text = serde_json::to_vec_pretty(meta).map_err(io::Error::other)?;
        text.push(b'\n');
        let mut file = File::create(&unfinished)?;
        file.write_all(&text)?;
        file.sync_all()?;
        drop(file);
        fs::rename(&unfinished, folder.join(meta::FILE))?;
        sync(folder)
    }

    /// Removes a release with everything in its folder.
    pub fn remove(&mut self, repo: &Repo, release: &Release) -> io::Result<()> {
        if release.meta.immutable {
            let mut tags = fs::read_to_string(repo.folder.join(USED_TAGS)).unwrap_or_default();
            tags.push_str(&release.tag);
            tags.push('\n');
            let unfinished = repo.folder.join(format!(".new-{}", self.next_id()));
            fs::write(&unfinished, tags)?;
            fs::rename(unfinished, repo.folder.join(USED_TAGS))?;
        }
        let gone = repo.folder.join(format!(".gone-{}", self.next_id()));
        fs::rename(&release.folder, &gone)?;
        fs::remove_dir_all(gone)
    }

    /// Puts an uploaded file in its place. It is noted first: a note without a
    /// file says nothing, a file without its note would be another asset.
    pub fn add_asset(&self, release: &Release, meta: &Meta, from: &Path, file: &str) -> io::Result<()> {
        self.save(&release.folder, meta)?;
        fs::rename(from, release.folder.join(file))?;
        sync(&release.folder)
    }
}

/// Where an upload is kept until it is whole.
pub(crate) fn upload_path(folder: &Path, id: u64) -> PathBuf {
    folder.join(format!(".upload-{id}"))
}

/// Whether a release that could not be changed had this tag.
pub(crate) fn tag_is_used_up(repo: &Repo, tag: &str) -> bool {
    let tags = fs::read_to_string(repo.folder.join(USED_TAGS)).unwrap_or_default();
    tags.lines().any(|line| line == tag)
}

/// What `release.json` has to say so that everything stays as it is when the
/// release is changed: numbers and dates that were worked out until now.
pub(crate) fn settled(release: &Release) -> Meta {
    let mut meta = release.meta.clone();
    meta.id = Some(release.id);
    meta.tag_name = Some(release.tag.clone());
    meta.prerelease = Some(release.prerelease);
    meta.created_at = Some(release.created_at.clone());
    meta.published_at.clone_from(&release.published_at);
    let notes = std::mem::take(&mut meta.assets);
    for asset in &release.assets {
        let mut note = notes.get(&asset.file).cloned().unwrap_or_default();
        note.id = Some(asset.id);
        meta.assets.insert(asset.file.clone(), note);
    }
    meta
}

/// The name of the file for an asset: its own, unless that has a meaning here.
pub(crate) fn file_name(name: &str, id: u64) -> String {
    if name.eq_ignore_ascii_case(meta::FILE) || name.starts_with('.') {
        format!("asset-{id}")
    } else {
        name.to_owned()
    }
}

/// The note for an asset whose file has this name.
pub(crate) fn note(name: &str, file: &str, id: u64) -> AssetMeta {
    AssetMeta { id: Some(id), name: (name != file).then(|| name.to_owned()), ..AssetMeta::default() }
}

/// Clears away what a server left that was stopped in the middle.
pub(crate) fn sweep(catalog: &Catalog) {
    for repo in catalog.repos() {
        sweep_folder(&repo.folder);
        if repo.single.is_none() {
            for release in catalog.releases(&repo).all {
                sweep_folder(&release.folder);
            }
        }
    }
}

fn sweep_folder(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        // Only our own: the word and a number.
        let ours = UNFINISHED.iter().filter_map(|word| name.strip_prefix(word));
        if !ours.into_iter().any(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit())) {
            continue;
        }
        // What cannot be removed is not listed either.
        let _ = match entry.file_type() {
            Ok(kind) if kind.is_dir() => fs::remove_dir_all(entry.path()),
            _ => fs::remove_file(entry.path()),
        };
    }
}

/// Makes renames in a folder last.
fn sync(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}
