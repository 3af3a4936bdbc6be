//! `mpota publish`: a release folder to a GitHub release that boards can find.
//!
//! What is to be done is decided by what the server has, looked at anew at every try: a run that was
//! stopped anywhere and one that is tried again after an error are the same thing. A draft takes all
//! assets, the manifest last; only when the server confirms every name, size and digest is the draft
//! published, and then it is read the way a board reads it.

mod answer;
mod channel;
mod error;
mod exchange;
mod github;
mod link;
mod local;
mod release;
pub mod rollout;

use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use serde::Serialize;

pub use self::error::PublishError;
pub(crate) use self::exchange::next as next_name;
use self::github::Client;
use self::link::Link;
use self::local::{Local, LocalAsset};
use crate::release::keys::SigningKey;
use crate::remote::access::Access;
use crate::remote::token::Place;

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
    /// The rollout that the version begins with.
    pub rollout: Option<rollout::Change>,
    /// Who signs the rollout.
    pub key: Option<SigningKey>,
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
            rollout: None,
            key: None,
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
    /// What is to be done is decided, and nothing is changed yet.
    Planned,
    /// The version's rollout is there.
    Rollout(String),
    /// The version's rollout was there before, and stays as it is.
    RolloutKept(String),
    /// The version waits for a rollout.
    RolloutMissing(String),
    /// The rollout that was there is not signed by the key that signs.
    RolloutUnsigned(String),
    /// The release with the rollouts can never be changed again.
    RolloutImmutable,
    /// The share of the boards becomes smaller: from so many percent to so many.
    Lowered(u8, u8),
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
    /// Whether boards ask for a rollout before they take it.
    pub rollout: bool,
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
        rollout: local.rollout,
        ..Published::default()
    };
    let run = Run {
        options,
        link: Link::new(client, options.sleep, options.patience, Rc::clone(&options.tell)),
        local,
        state: RefCell::new(State { done, draft: None, made: None, published: false, rollout: None }),
    };
    let result = run.all();
    let state = run.state.into_inner();
    let version = state.done.version.clone();
    match result {
        Ok(()) => Ok(Published { requests: run.link.client.asked.get(), ..state.done }),
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
    /// The rollout that boards must read in the end.
    rollout: Option<LocalAsset>,
}

/// One run of the command.
struct Run<'a> {
    options: &'a PublishOptions,
    link: Link,
    local: Local,
    state: RefCell<State>,
}

impl Run<'_> {
    fn all(&self) -> Result<(), PublishError> {
        let private = self.link.patiently(|| self.link.client.look())?;
        self.state.borrow_mut().done.private = private;
        for channel in &self.options.channels {
            self.link.patiently(|| self.check_channel(channel))?;
        }
        self.link.patiently(|| self.check_rollout())?;
        if self.options.dry_run {
            return self.link.patiently(|| self.would());
        }
        self.link.patiently(|| self.release())?;
        self.link.patiently(|| self.read_back())?;
        self.rollout_read_back()?;
        for channel in &self.options.channels {
            self.link.patiently(|| self.channel(channel))?;
            self.state.borrow_mut().done.channels.push(channel.clone());
            self.link.tell(Step::Channel(channel.clone()));
        }
        Ok(())
    }
}
