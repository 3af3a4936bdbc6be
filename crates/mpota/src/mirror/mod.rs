//! `mpota mirror`: the releases of a repository in a bucket of objects, under the paths that boards read.
//!
//! What is to be done is decided by what the bucket has: a run that was stopped anywhere and one that goes on are the same
//! thing. The order keeps one promise at every moment: what names a version (`latest`, a channel, a rollout) is written
//! after all files of that version were written, read back and compared.

mod bucket;
mod connect;
mod destination;
mod error;
mod moving;
mod origin;
mod prune;
mod rollouts;
mod state;
mod version;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::rc::Rc;

use mpota_format::version::is_channel;
use mpota_serve::Server;
use serde::Serialize;

use self::bucket::{Bucket, Life, Seen};
pub use self::destination::Destination;
pub use self::error::{MirrorError, Refusal};
use self::origin::{Origin, Release};
use self::state::State;
use self::version::{Outcome, version_of};
use crate::board::serve::{self, Https, ServeOptions};
use crate::release::dist::MANIFEST;
use crate::remote::access::Access;
use crate::remote::names::is_project;

/// What came of each version, by its tag.
type Versions = BTreeMap<String, Outcome>;

/// Where releases come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origins {
    /// A repository at [`Access::base_url`].
    Project(String),
    /// A folder that `mpota serve` could serve.
    Folder(PathBuf),
}

impl Origins {
    /// Finds out what `text` means: what lies on the disk comes first.
    pub fn parse(text: &str) -> Result<Self, MirrorError> {
        let path = PathBuf::from(text);
        match path.is_dir() {
            true => Ok(Self::Folder(path)),
            false if is_project(text) => Ok(Self::Project(text.to_owned())),
            false => Err(MirrorError::Origin(text.to_owned())),
        }
    }
}

/// What to mirror, and how.
#[derive(Clone)]
pub struct MirrorOptions {
    /// Where releases come from.
    pub origin: Origins,
    /// Where they go.
    pub destination: Destination,
    /// The server, and what is trusted. Its `identity` is the name of the project in the bucket, where that is another.
    pub access: Access,
    /// Owner and repository, for a folder that does not say.
    pub repo: Option<(String, String)>,
    /// Only so many of the newest versions, and those that something names.
    pub keep: Option<usize>,
    /// Remove other versions from the bucket.
    pub prune: bool,
    /// Let `latest`, channels and rollouts go back.
    pub allow_older: bool,
    /// Look, and change nothing.
    pub dry_run: bool,
    /// Is told what happens.
    pub tell: Rc<dyn Fn(&Step)>,
}

impl MirrorOptions {
    /// All versions of GitHub, or of a folder.
    pub fn new(origin: Origins, destination: Destination) -> Self {
        Self {
            origin,
            destination,
            access: Access::default(),
            repo: None,
            keep: None,
            prune: false,
            allow_older: false,
            dry_run: false,
            tell: Rc::new(|_| {}),
        }
    }
}

/// Something that is done, or happens.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// A version is there already, and right.
    Kept(String),
    /// The files of a version are sent, where they are not there.
    Version(String),
    /// An object is sent: its key and size.
    Put(String, u64),
    /// A channel, a rollout or `latest` is there already.
    Stays(String),
    /// A rollout is removed, since the source does not have it any more: boards wait.
    Withheld(String),
    /// A version is removed.
    Prune(String),
    /// Nothing is removed, since something was refused.
    NotPruned,
    /// Something is not taken over.
    Refused(Refusal),
}

/// What was done for one project.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Mirrored {
    /// The project, as its boards know it.
    pub project: String,
    /// The versions that are in the bucket now, whole and compared. The newest first.
    pub versions: Vec<String>,
    /// What `latest` names now.
    pub latest: Option<String>,
    /// The channels, and what they name now.
    pub channels: Vec<(String, String)>,
    /// The versions whose rollout was brought over.
    pub rollouts: Vec<String>,
    /// The files of rollouts that were removed, since the source does not have them any more.
    pub withheld: Vec<String>,
    /// The objects that were sent.
    pub sent: Vec<String>,
    /// Their bytes.
    pub bytes: u64,
    /// The versions that were removed.
    pub pruned: Vec<String>,
    /// What was not taken over.
    pub refused: Vec<Refusal>,
    /// Where the token came from, if it took one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<&'static str>,
}

/// A mirror that is kept up to date: each round looks at everything anew, and remembers what it has compared.
pub struct Mirror {
    options: MirrorOptions,
    bucket: Bucket,
    states: BTreeMap<String, State>,
}

impl Mirror {
    /// Looks at nothing yet.
    pub fn new(options: MirrorOptions) -> Result<Self, MirrorError> {
        let bucket = Bucket::open(&options.destination, options.access.ca.as_deref(), options.dry_run)?;
        Ok(Self { options, bucket, states: BTreeMap::new() })
    }

    /// Brings the bucket up to date, once.
    pub fn round(&mut self) -> Result<Vec<Mirrored>, MirrorError> {
        match self.options.origin.clone() {
            Origins::Project(project) => {
                let access = self.options.access.clone();
                Ok(vec![self.project(&access, &project)?])
            }
            Origins::Folder(folder) => {
                let server = serve::start(&ServeOptions {
                    root: folder.clone(),
                    listen: ([127, 0, 0, 1], 0).into(),
                    host: None,
                    repo: self.options.repo.clone(),
                    token: None,
                    write: None,
                    trusted: Vec::new(),
                    https: Https::No,
                    log: None,
                    fleet: None,
                })?;
                let access = Access { base_url: server.base_url().to_owned(), ..self.options.access.clone() };
                let projects = projects(&server);
                if projects.is_empty() {
                    return Err(MirrorError::Empty(folder.display().to_string()));
                }
                let (mut done, mut failed) = (Vec::new(), None);
                for project in &projects {
                    match self.project(&access, project) {
                        Ok(mirrored) => done.push(mirrored),
                        // It is about this project, and the others may have something that cannot wait.
                        Err(error @ (MirrorError::Empty(_) | MirrorError::Source(_))) => {
                            failed.get_or_insert(error);
                        }
                        Err(error) => return Err(error),
                    }
                }
                failed.map_or(Ok(done), Err)
            }
        }
    }

    fn project(&mut self, access: &Access, project: &str) -> Result<Mirrored, MirrorError> {
        let mut origin = Origin::new(access, project)?;
        let releases = origin.releases()?;
        let identity = access.identity.clone().unwrap_or_else(|| project.to_owned());
        let state = self.states.entry(identity.clone()).or_default();
        let mut round = Round {
            options: &self.options,
            bucket: &self.bucket,
            identity: &identity,
            state,
            listed: BTreeMap::new(),
            done: Mirrored { project: identity.clone(), token: origin.token(), ..Mirrored::default() },
            sent: Rc::default(),
            origin,
        };
        round.run(project, &releases)?;
        let mut done = round.done;
        done.sent = round.sent.take();
        done.bytes = self.bucket.sent.take();
        Ok(done)
    }
}

fn projects(server: &Server) -> BTreeSet<String> {
    server.releases().iter().map(|release| format!("{}/{}", release.owner, release.repo)).collect()
}

/// One project, once.
struct Round<'a> {
    options: &'a MirrorOptions,
    bucket: &'a Bucket,
    origin: Origin,
    /// The project's name in the bucket.
    identity: &'a str,
    state: &'a State,
    listed: BTreeMap<String, Seen>,
    done: Mirrored,
    sent: Rc<std::cell::RefCell<Vec<String>>>,
}

impl Round<'_> {
    fn run(&mut self, project: &str, releases: &[Release]) -> Result<(), MirrorError> {
        self.listed = self.bucket.list(&self.below())?;
        // Before anything that can fail or take long.
        let halted = self.halts(releases)?;
        let latest = self.origin.latest()?;
        let latest = latest.as_deref();
        let wanted = self.wanted(releases, latest)?;
        if wanted.is_empty() {
            return Err(MirrorError::Empty(project.to_owned()));
        }
        let mut versions = Versions::new();
        for release in wanted {
            let outcome = match self.version(release) {
                Err(error) if origin::concerns_one(&error) => Err(Refusal::unread(&release.tag_name, &error)),
                outcome => outcome?,
            };
            match &outcome {
                Ok(_) => self.done.versions.push(release.tag_name.clone()),
                Err(refusal) => self.refuse(refusal.clone()),
            }
            versions.insert(release.tag_name.clone(), outcome);
        }
        self.rollouts(releases, &versions, &halted)?;
        self.channels(releases, &versions)?;
        self.latest(latest, &versions)?;
        if let (true, Some(keep)) = (self.options.prune, self.options.keep) {
            self.prune(releases, keep)?;
        }
        Ok(())
    }

    /// The versions to be mirrored, the newest first.
    fn wanted<'r>(
        &self,
        releases: &'r [Release],
        latest: Option<&str>,
    ) -> Result<Vec<&'r Release>, MirrorError> {
        let mut all: Vec<(_, &Release)> = releases
            .iter()
            .filter(|release| release.has(MANIFEST))
            .filter_map(|release| Some((version_of(&release.tag_name)?, release)))
            .collect();
        all.sort_by(|(a, _), (b, _)| b.cmp(a).then_with(|| a.as_str().cmp(b.as_str())));
        if let Some(keep) = self.options.keep {
            let newest = prune::newest(all.iter().map(|(version, _)| version.as_str()), keep);
            let mut named: BTreeSet<String> = latest.map(str::to_owned).into_iter().collect();
            for channel in releases.iter().filter(|r| is_channel(&r.tag_name) && r.has(MANIFEST)) {
                let most = mpota_format::limits::MANIFEST as u64 + 1;
                let bytes = match self.origin.read(channel, MANIFEST, most) {
                    // It is read again when it is its turn, and refused then.
                    Err(error) if origin::concerns_one(&error) => continue,
                    bytes => bytes?,
                };
                let manifest = mpota_format::manifest::Manifest::parse(&bytes).ok();
                named.extend(manifest.map(|manifest| manifest.header.version.to_string()));
            }
            all.retain(|(version, _)| {
                let tag = version.as_str();
                newest.contains(tag) || named.contains(tag) || prune::rolled_out(releases, tag)
            });
        }
        Ok(all.into_iter().map(|(_, release)| release).collect())
    }

    /// The folder of all that is the project's.
    fn below(&self) -> String {
        format!("{}/releases", self.identity)
    }

    /// Where a version, a channel or a rollout lies.
    fn folder(&self, tag: &str) -> String {
        format!("{}/releases/download/{tag}", self.identity)
    }

    fn put(&self, key: &str, bytes: &[u8], life: Life) -> Result<(), MirrorError> {
        self.tell(Step::Put(key.to_owned(), bytes.len() as u64));
        self.bucket.put(key, bytes, life)?;
        self.sent.borrow_mut().push(key.to_owned());
        Ok(())
    }

    fn refuse(&mut self, refusal: Refusal) {
        self.tell(Step::Refused(refusal.clone()));
        self.done.refused.push(refusal);
    }

    fn tell(&self, step: Step) {
        (self.options.tell)(&step);
    }
}
