//! `mpota publish`: a release folder to a GitHub release that boards can find.
//!
//! What is to be done is decided by what the server has, looked at anew at every try: a run that was
//! stopped anywhere and one that is tried again after an error are the same thing. A draft takes all
//! assets, the manifest last; only when the server confirms every name, size and digest is the draft
//! published, and then it is read the way a board reads it.

mod channel;
mod error;
mod github;
mod local;
mod release;

use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use serde::Serialize;

pub use self::error::PublishError;
use self::github::{AssetObject, Client, Outcome, ReleaseObject, Trouble};
use self::local::{Local, LocalAsset};
use crate::remote::access::Access;
use crate::remote::token::Place;

/// So often in a row something may fail.
const TRIES: u32 = 6;

/// What to publish, and how.
#[derive(Clone)]
pub struct PublishOptions {
    /// The folder of the release, as `mpota build` left it.
    pub folder: PathBuf,
    /// `owner/name` of the repository.
    pub project: String,
    /// The channels that shall have it too.
    pub channels: Vec<String>,
    /// Whether it becomes the latest release. `None`: unless the latest one is newer.
    pub latest: Option<bool>,
    /// The text of the release.
    pub notes: Option<String>,
    /// Whether GitHub writes the text from the pull requests.
    pub generate_notes: bool,
    /// The commit for a tag that is not there yet.
    pub commit: Option<String>,
    /// The server, and what is trusted.
    pub access: Access,
    /// Passes the time.
    pub sleep: fn(Duration),
    /// How long to wait at most where the server asks for it.
    pub patience: Duration,
    /// Look, and change nothing.
    pub dry_run: bool,
    /// Is told what happens.
    pub tell: Rc<dyn Fn(&Step)>,
}

impl PublishOptions {
    /// To GitHub, as the latest release.
    pub fn new(folder: impl Into<PathBuf>, project: impl Into<String>) -> Self {
        Self {
            folder: folder.into(),
            project: project.into(),
            channels: Vec::new(),
            latest: None,
            notes: None,
            generate_notes: false,
            commit: None,
            access: Access::default(),
            sleep: std::thread::sleep,
            patience: Duration::from_secs(15 * 60),
            dry_run: false,
            tell: Rc::new(|_| {}),
        }
    }
}

/// Something that is done, or happens.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// A draft was made; its page.
    Draft(String),
    /// A draft of an earlier run is gone on with; its page.
    Resumed(String),
    /// It is published without a manifest, so that no board has seen it: its files are added; its page.
    Bare(String),
    /// An asset is there already, and right.
    Kept(String),
    /// An asset of this name was not right, and is removed.
    Removed(String),
    /// An asset is not ours: it stays.
    Left(String),
    /// An asset of this name and size is sent.
    Upload(String, u64),
    /// So many bytes more of it are on their way.
    Sent(u64),
    /// The server has it, every byte.
    Uploaded(String),
    /// This version is the latest and stays it, since it is newer.
    StaysLatest(String),
    /// The release is public; its page.
    Published(String),
    /// It was public before; its page.
    WasPublished(String),
    /// It was read as a board does.
    ReadBack(String),
    /// The channel has it.
    Channel(String),
    /// The channel's release can never be changed again.
    ChannelImmutable(String),
    /// Something failed, and is tried again after a while.
    Waiting(Duration, String),
    /// What would be done, were it not for `dry_run`.
    Would(String),
}

/// What was done.
#[derive(Debug, Clone, Default, Serialize)]
#[non_exhaustive]
pub struct Published {
    /// The repository.
    pub project: String,
    /// The version, which is also the tag.
    pub version: String,
    /// The release's page; none where nothing was to be changed.
    pub url: Option<String>,
    /// Whether only boards with a token see it.
    pub private: bool,
    /// Whether it is the latest release.
    pub latest: bool,
    /// Whether it is a prerelease.
    pub prerelease: bool,
    /// Whether it can never be changed again.
    pub immutable: bool,
    /// The channels that have it.
    pub channels: Vec<String>,
    /// Assets that were sent.
    pub uploaded: Vec<String>,
    /// Assets that were there.
    pub kept: Vec<String>,
    /// Assets that were there and are not ours.
    pub left: Vec<String>,
    /// What would be done, in words.
    pub would: Vec<String>,
    /// Requests to the API.
    pub requests: u32,
}

/// Publishes the release in a folder; goes on where an earlier run stopped.
pub fn publish(options: &PublishOptions) -> Result<Published, PublishError> {
    for name in &options.channels {
        channel::check_name(name)?;
    }
    let local = Local::read(options)?;
    let place = Place::new(&options.access.base_url, &options.project);
    let token = place.as_ref().and_then(options.access.token);
    let token = token.ok_or_else(|| PublishError::NoToken(options.project.clone()))?;
    let client = Client::new(&options.access, &options.project, token)?;
    let done = Published {
        project: options.project.clone(),
        version: local.version.to_string(),
        prerelease: local.version.is_prerelease(),
        ..Published::default()
    };
    let run = Run {
        options,
        client,
        local,
        state: RefCell::new(State { done, draft: None, made: None, published: false, progress: 0 }),
    };
    let result = run.all();
    let state = run.state.into_inner();
    let version = state.done.version.clone();
    match result {
        Ok(()) => Ok(Published { requests: run.client.asked.get(), ..state.done }),
        Err(source) => {
            let (hint, source) = (source.hint(), Box::new(source));
            Err(match state.draft {
                _ if state.published => PublishError::Rest { version, source, hint },
                Some(url) => PublishError::Unfinished { version, url, source, hint },
                None => *source,
            })
        }
    }
}

struct State {
    done: Published,
    /// The page of a draft that is not published yet.
    draft: Option<String>,
    /// The number of the draft that this run made.
    made: Option<u64>,
    published: bool,
    /// Counts what has succeeded: after a success the tries are counted anew.
    progress: u32,
}

/// One run of the command.
struct Run<'a> {
    options: &'a PublishOptions,
    client: Client,
    local: Local,
    state: RefCell<State>,
}

impl Run<'_> {
    fn all(&self) -> Result<(), PublishError> {
        let private = self.patiently(|| self.client.look())?;
        self.state.borrow_mut().done.private = private;
        for channel in &self.options.channels {
            self.patiently(|| self.check_channel(channel))?;
        }
        if self.options.dry_run {
            return self.patiently(|| self.would());
        }
        self.patiently(|| self.release())?;
        self.patiently(|| self.read_back())?;
        for channel in &self.options.channels {
            self.patiently(|| self.channel(channel))?;
            self.state.borrow_mut().done.channels.push(channel.clone());
            self.tell(Step::Channel(channel.clone()));
        }
        Ok(())
    }

    /// Does it until it works, or no longer makes sense.
    fn patiently<T>(&self, step: impl Fn() -> Outcome<T>) -> Result<T, PublishError> {
        let mut tries = 0;
        let mut progress = self.state.borrow().progress;
        loop {
            let (why, wait) = match step() {
                Ok(done) => return Ok(done),
                Err(Trouble::Final(error)) => return Err(error),
                Err(Trouble::Again { why, wait }) => (why, wait),
            };
            let now = self.state.borrow().progress;
            if now > progress {
                (tries, progress) = (0, now);
            }
            tries += 1;
            if tries > TRIES {
                return Err(PublishError::Tries { tries: TRIES, why });
            }
            if let Some(wait) = wait.filter(|wait| *wait > self.options.patience) {
                return Err(PublishError::Limit { wait, said: why });
            }
            // A server that says "at once" each time is not taken at its word.
            let wait = wait.unwrap_or_default().max(Duration::from_secs(1 << (tries - 1)));
            self.tell(Step::Waiting(wait, why));
            (self.options.sleep)(wait);
        }
    }

    fn tell(&self, step: Step) {
        (self.options.tell)(&step);
    }

    fn progress(&self) {
        self.state.borrow_mut().progress += 1;
    }

    /// Whether the server has just this; where it tells no digest, by reading it all.
    fn same(&self, file: &LocalAsset, asset: &AssetObject) -> Outcome<bool> {
        match file.is(asset) {
            Some(same) => Ok(same),
            None => Ok(self.client.digest(asset)? == (file.sha256, file.size)),
        }
    }

    /// Sends an asset, and makes sure that it arrived.
    fn upload(&self, release: &ReleaseObject, file: &LocalAsset, name: &str) -> Outcome<()> {
        self.tell(Step::Upload(name.to_owned(), file.size));
        let tell = Rc::clone(&self.options.tell);
        let sent = Box::new(move |n| tell(&Step::Sent(n)));
        let Some(made) = self.client.upload(release, name, (file.open()?, file.size), sent)? else {
            let why = format!("an asset {name} is there that was not there before");
            return Err(Trouble::Again { why, wait: None });
        };
        if made.name != name {
            self.client.delete_asset(&made)?;
            let (name, got) = (name.to_owned(), made.name);
            return Err(PublishError::Renamed { name, got }.into());
        }
        if !self.same(file, &made)? {
            self.client.delete_asset(&made)?;
            let why = format!("the server has other bytes as {name} than were sent");
            return Err(Trouble::Again { why, wait: None });
        }
        self.progress();
        self.tell(Step::Uploaded(name.to_owned()));
        Ok(())
    }
}
