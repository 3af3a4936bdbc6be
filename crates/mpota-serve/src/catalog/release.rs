//! One release and its assets.

use std::cmp::Ordering;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use semver::Version;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::digest::Stamp;
use super::known::Seen;
use super::meta::{self, MakeLatest, Meta};
use super::scan::entries;
use super::{Repo, id_of};

/// A release, as it lies in its folder.
pub(crate) struct Release {
    pub id: u64,
    pub tag: String,
    pub draft: bool,
    pub prerelease: bool,
    pub created_at: String,
    pub published_at: Option<String>,
    pub updated_at: String,
    pub meta: Meta,
    pub folder: PathBuf,
    /// By name.
    pub assets: Vec<Asset>,
    version: Option<Version>,
}

/// A file of a release.
#[derive(Clone)]
pub(crate) struct Asset {
    pub id: u64,
    pub name: String,
    /// The name of the file, which may be another.
    pub file: String,
    pub state: &'static str,
    /// What was noted when it was uploaded, if the file is still that one.
    pub digest: Option<String>,
    pub created_at: String,
    pub updated_at: String,
    pub label: Option<String>,
    pub content_type: String,
    pub path: PathBuf,
    pub stamp: Stamp,
}

impl Asset {
    /// The state of the file now: it may have been written since the folder was read.
    pub fn stamp_now(&self) -> Stamp {
        Stamp::at(&self.path).unwrap_or(self.stamp)
    }
}

impl Release {
    pub fn read(
        root: &Path,
        repo: &Repo,
        tag: String,
        folder: &Path,
        seen: &mut Seen,
    ) -> Result<Self, String> {
        let mut meta = None;
        let mut files = Vec::new();
        for entry in entries(root, folder, seen).into_iter().filter(|entry| !entry.is_dir) {
            if entry.name == meta::FILE {
                seen.note(&entry.path, Some(entry.stamp));
                meta = Some(Meta::read(folder)?);
            } else {
                files.push(entry);
            }
        }
        // Without what it says a draft would be public: better not shown at all.
        let said = folder.join(meta::FILE);
        if meta.is_none() && said.symlink_metadata().is_ok() {
            return Err(format!("{}: not a regular file", said.display()));
        }
        let meta = meta.unwrap_or_default();
        let tag = meta.tag_name.clone().unwrap_or(tag);
        let version = Version::parse(tag.strip_prefix('v').unwrap_or(&tag)).ok();
        let found = |file: &str, path: PathBuf, stamp: Stamp, state| {
            let said = meta.assets.get(file).cloned().unwrap_or_default();
            let modified = timestamp(stamp.modified);
            let id = || id_of(&["asset", &repo.owner, &repo.name, &tag, file]);
            let name = said.name.unwrap_or_else(|| file.to_owned());
            Asset {
                id: said.id.unwrap_or_else(id),
                label: said.label,
                content_type: said.content_type.unwrap_or_else(|| content_type(&name).to_owned()),
                digest: said.digest.filter(|_| said.stamp == Some(stamp.text())),
                created_at: said.created_at.unwrap_or_else(|| modified.clone()),
                updated_at: said.updated_at.unwrap_or(modified),
                name,
                file: file.to_owned(),
                state,
                path,
                stamp,
            }
        };
        let mut assets: Vec<Asset> =
            files.into_iter().map(|file| found(&file.name, file.path, file.stamp, "uploaded")).collect();
        for (file, said) in &meta.assets {
            if said.state.as_deref() == Some(meta::STARTER) && assets.iter().all(|asset| asset.file != *file)
            {
                assets.push(found(file, PathBuf::new(), Stamp::nothing(), meta::STARTER));
            }
        }
        assets.sort_by(|a, b| a.name.cmp(&b.name));
        let newest = assets.iter().map(|asset| asset.stamp.modified).max();
        let newest = timestamp(newest.unwrap_or(SystemTime::UNIX_EPOCH));
        let updated_at = meta.updated_at.clone().unwrap_or_else(|| newest.clone());
        let created_at = meta.created_at.clone().unwrap_or(newest);
        let draft = meta.draft;
        Ok(Self {
            id: meta.id.unwrap_or_else(|| id_of(&["release", &repo.owner, &repo.name, &tag])),
            draft,
            prerelease: meta
                .prerelease
                .unwrap_or_else(|| version.as_ref().is_some_and(|v| !v.pre.is_empty())),
            published_at: (!draft).then(|| {
                let said = meta.published_at.clone();
                said.unwrap_or_else(|| created_at.clone())
            }),
            created_at,
            updated_at,
            tag,
            meta,
            folder: folder.to_owned(),
            assets,
            version,
        })
    }

    pub fn asset(&self, name: &str) -> Option<&Asset> {
        self.assets.iter().find(|asset| asset.name == name)
    }

    /// Versions by precedence, then tags that are none by name.
    fn by_version(&self, other: &Self) -> Ordering {
        (&self.version, &self.tag).cmp(&(&other.version, &other.tag))
    }
}

/// The newest first: by date where every release says its own, by version
/// otherwise, because the dates of files say little.
pub(crate) fn sort(releases: &mut [Release]) {
    let dated = releases.iter().all(|r| r.meta.created_at.is_some());
    releases.sort_by(|a, b| {
        let date = if dated { moment(&b.created_at).cmp(&moment(&a.created_at)) } else { Ordering::Equal };
        date.then_with(|| b.by_version(a))
    });
}

fn moment(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text, &Rfc3339).ok()
}

/// What `releases/latest` means: among the published ones that are no
/// prereleases, the last that asked for it, or else the highest version that
/// does not decline.
pub(crate) fn latest(releases: &[Release]) -> Option<&Release> {
    let open = || releases.iter().filter(|r| !r.draft && !r.prerelease);
    let asks = |release: &&Release| release.meta.make_latest == Some(MakeLatest::Yes);
    let declines = |release: &&Release| release.meta.make_latest == Some(MakeLatest::No);
    open()
        .filter(asks)
        .max_by(|a, b| a.meta.latest_order.cmp(&b.meta.latest_order).then_with(|| a.by_version(b)))
        .or_else(|| open().filter(|release| !declines(release)).max_by(|a, b| a.by_version(b)))
}

/// As GitHub writes a moment.
pub(crate) fn timestamp(at: SystemTime) -> String {
    OffsetDateTime::from(at)
        .replace_nanosecond(0)
        .ok()
        .and_then(|at| at.format(&Rfc3339).ok())
        .unwrap_or_else(|| "1970-01-01T00:00:00Z".to_owned())
}

/// The same of a moment in seconds of unix time.
pub(crate) fn timestamp_of(unix: u64) -> String {
    timestamp(SystemTime::UNIX_EPOCH + Duration::from_secs(unix))
}

/// What `gh` would say at upload.
fn content_type(name: &str) -> &'static str {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    match extension.to_ascii_lowercase().as_str() {
        "json" => "application/json",
        "txt" | "md" => "text/plain; charset=utf-8",
        "html" => "text/html; charset=utf-8",
        "py" => "text/x-python; charset=utf-8",
        "zip" => "application/zip",
        "gz" => "application/gzip",
        _ => "application/octet-stream",
    }
}
