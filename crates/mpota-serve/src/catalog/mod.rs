//! The folder: repositories, releases and assets.
//!
//! What lies there is what is answered: it is read anew for every request, or
//! [`known`] finds that nothing has changed since it was. Names that come from
//! outside are compared with names that were found by listing; none is ever
//! joined to a path.

pub(crate) mod digest;
pub(crate) mod known;
pub(crate) mod meta;
pub(crate) mod names;
pub(crate) mod release;
mod scan;
pub(crate) mod store;

use std::path::PathBuf;
use std::sync::Arc;
use std::{fs, io};

pub(crate) use release::{Asset, Release, latest};

use crate::error::{Error, Result};
use digest::short_hash;
use known::{Known, Listing, Seen};
use scan::{Entry, entries, is_folder};

/// The owner of a single release whose manifest names only a project.
const NO_OWNER: &str = "mpota";

/// A release in short, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReleaseSummary {
    /// Whose repository it is in.
    pub owner: String,
    /// The repository.
    pub repo: String,
    /// The tag, which is the version.
    pub tag: String,
    /// Whether it is what `releases/latest` answers.
    pub latest: bool,
    /// Whether it is hidden.
    pub draft: bool,
    /// Whether it is passed over for `latest`.
    pub prerelease: bool,
    /// Its assets' names.
    pub assets: Vec<String>,
}

/// A folder of releases.
pub(crate) struct Catalog {
    /// Absolute, without symlinks: nothing outside is ever opened.
    root: PathBuf,
    repo: Option<(String, String)>,
    known: Known,
}

/// A repository that was found.
#[derive(Debug, Clone)]
pub(crate) struct Repo {
    pub owner: String,
    pub name: String,
    pub id: u64,
    pub folder: PathBuf,
    /// The tag, where the folder is itself the one release.
    pub single: Option<String>,
}

/// The releases of a repository, and what could not be read.
pub(crate) struct Releases {
    /// The newest first.
    pub all: Vec<Release>,
    pub problems: Vec<String>,
}

impl Catalog {
    pub fn open(root: PathBuf, repo: Option<(String, String)>) -> Result<Self> {
        let fail = |source| Error::Root { path: root.clone(), source };
        let real = root.canonicalize().map_err(fail)?;
        if !real.is_dir() {
            return Err(fail(io::ErrorKind::NotADirectory.into()));
        }
        fs::read_dir(&real).map_err(fail)?;
        Ok(Self { root: real, repo, known: Known::default() })
    }

    /// All repositories in the folder, by name.
    pub fn repos(&self) -> Vec<Repo> {
        self.read_repos(None, &mut Seen::default())
    }

    /// With an owner, folders of others are not read.
    fn read_repos(&self, only: Option<&str>, seen: &mut Seen) -> Vec<Repo> {
        if let Some(manifest) = scan::manifest_in(&self.root, seen) {
            let (owner, name) = self.repo.clone().unwrap_or_else(|| {
                let (owner, name) = manifest.project.split_once('/').unwrap_or((NO_OWNER, &manifest.project));
                (owner.to_owned(), name.to_owned())
            });
            let single = Some(manifest.version);
            return vec![Repo::new(owner, name, self.root.clone(), single)];
        }
        if let Some((owner, name)) = &self.repo
            && !is_folder(&self.root, &[owner, name], seen)
        {
            let folder = self.root.clone();
            return vec![Repo::new(owner.clone(), name.clone(), folder, None)];
        }
        let mut repos = Vec::new();
        let wanted = |owner: &Entry| only.is_none_or(|only| owner.name.eq_ignore_ascii_case(only));
        for owner in entries(&self.root, &self.root, seen).into_iter().filter(|e| e.is_dir && wanted(e)) {
            for repo in entries(&self.root, &owner.path, seen).into_iter().filter(|entry| entry.is_dir) {
                let owner = owner.name.clone();
                repos.push(Repo::new(owner, repo.name, repo.path, None));
            }
        }
        repos.sort_by(|a, b| (&a.owner, &a.name).cmp(&(&b.owner, &b.name)));
        repos
    }

    /// A repository by name; letter case is ignored, as at GitHub.
    pub fn repo(&self, owner: &str, name: &str) -> Option<Repo> {
        self.find_repo(owner, name, &mut Seen::default())
    }

    fn find_repo(&self, owner: &str, name: &str, seen: &mut Seen) -> Option<Repo> {
        let same =
            |repo: &Repo| repo.owner.eq_ignore_ascii_case(owner) && repo.name.eq_ignore_ascii_case(name);
        self.read_repos(Some(owner), seen).into_iter().find(same)
    }

    /// The repository and its releases, if nothing in the folder has changed since they were read.
    pub fn known(&self, owner: &str, name: &str) -> Option<Arc<Listing>> {
        self.known.get(owner, name)
    }

    /// The repository and its releases, read now, and kept for [`Catalog::known`].
    pub fn read(&self, owner: &str, name: &str) -> Option<Arc<Listing>> {
        self.known.read(owner, name, |seen| {
            let repo = self.find_repo(owner, name, seen)?;
            let releases = self.read_releases(&repo, seen);
            Some(Listing { repo, releases })
        })
    }

    /// All releases of a repository, drafts too.
    pub fn releases(&self, repo: &Repo) -> Releases {
        self.read_releases(repo, &mut Seen::default())
    }

    fn read_releases(&self, repo: &Repo, seen: &mut Seen) -> Releases {
        let folders = match &repo.single {
            Some(tag) => vec![(tag.clone(), repo.folder.clone())],
            None => entries(&self.root, &repo.folder, seen)
                .into_iter()
                .filter(|entry| entry.is_dir)
                .map(|entry| (entry.name, entry.path))
                .collect(),
        };
        let mut releases = Releases { all: Vec::new(), problems: Vec::new() };
        for (tag, folder) in folders {
            match Release::read(&self.root, repo, tag, &folder, seen) {
                Ok(release) => releases.all.push(release),
                Err(problem) => releases.problems.push(problem),
            }
        }
        release::sort(&mut releases.all);
        releases
    }

    /// Everything there is, in short.
    pub fn summary(&self) -> Vec<ReleaseSummary> {
        let mut all = Vec::new();
        for repo in self.repos() {
            let releases = self.releases(&repo).all;
            let newest = latest(&releases).map(|release| release.id);
            all.extend(releases.iter().map(|release| ReleaseSummary {
                owner: repo.owner.clone(),
                repo: repo.name.clone(),
                tag: release.tag.clone(),
                latest: newest == Some(release.id),
                draft: release.draft,
                prerelease: release.prerelease,
                assets: release.assets.iter().map(|a| a.name.clone()).collect(),
            }));
        }
        all
    }
}

impl Repo {
    fn new(owner: String, name: String, folder: PathBuf, single: Option<String>) -> Self {
        Self { id: id_of(&["repository", &owner, &name]), owner, name, folder, single }
    }

    /// The owner's number.
    pub fn owner_id(&self) -> u64 {
        id_of(&["user", &self.owner])
    }

    /// `owner/name`.
    pub fn full_name(&self) -> String {
        format!("{}/{}", self.owner, self.name)
    }
}

/// A number that stays the same for as long as the names do. 40 bits: exact
/// in every JSON reader, and no two of a few thousand are the same.
fn id_of(parts: &[&str]) -> u64 {
    let [a, b, c, d, e, ..] = short_hash(parts);
    u64::from_be_bytes([0, 0, 0, a, b, c, d, e]).max(1)
}
