//! Rollouts: which boards may take a version. One small signed file for each version is an asset of the release
//! `rollout`, and is exchanged there like the manifest of a channel.

mod bring;
mod error;
mod first;
mod plan;
mod state;

use std::rc::Rc;
use std::time::{Duration, SystemTime};

use mpota_format::rollout::{Rollout, asset};
use mpota_format::version::Version;

pub(super) use self::bring::There;
pub use self::error::Refusal;
pub use self::plan::Change;
pub use self::state::{Share, State};
use super::Step;
use super::error::PublishError;
use super::github::Client;
use super::link::Link;
use super::local::LocalAsset;
use crate::release::keys::SigningKey;
use crate::release::sign;
use crate::remote::access::Access;
use crate::remote::lookup;
use crate::remote::token::Place;

/// What to do with the rollout of a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// Begin it, or change it.
    Change(Change),
    /// No board takes the version any more; those that have it keep it.
    Halt,
}

/// Of which version, where, and how.
#[derive(Clone)]
pub struct RolloutOptions {
    /// `owner/name` of the repository.
    pub project: String,
    /// The version.
    pub version: Version,
    /// Who signs.
    pub key: Option<SigningKey>,
    /// The server, and what is trusted.
    pub access: Access,
    /// What time it is, in seconds since 1970.
    pub now: u64,
    /// Passes the time.
    pub sleep: fn(Duration),
    /// How long to wait at most where the server asks for it.
    pub patience: Duration,
    /// Look, and change nothing.
    pub dry_run: bool,
    /// Is told what happens.
    pub tell: Rc<dyn Fn(&Step)>,
}

impl RolloutOptions {
    /// At GitHub, unsigned.
    pub fn new(project: impl Into<String>, version: Version) -> Self {
        Self {
            project: project.into(),
            version,
            key: None,
            access: Access::default(),
            now: now(),
            sleep: std::thread::sleep,
            patience: Duration::from_secs(15 * 60),
            dry_run: false,
            tell: Rc::new(|_| {}),
        }
    }

    /// What the boards know the project by.
    fn identity(&self) -> &str {
        self.access.identity.as_ref().unwrap_or(&self.project)
    }
}

/// In seconds since 1970.
pub fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// The rollout of a version as boards read it.
pub fn show(options: &RolloutOptions) -> Result<State, PublishError> {
    let name = asset(options.version.as_str());
    let found = lookup::rollout(&options.access, &options.project, &name, options.access.token)?;
    let Some((place, bytes)) = found else { return Err(Refusal::None(options.version.to_string()).into()) };
    let rollout = bring::ours(&place, &bytes, &options.version, options.identity())?;
    Ok(State::of(&rollout, &bytes, place, options))
}

/// Changes the rollout of a version; goes on where an earlier run stopped.
pub fn change(options: &RolloutOptions, wish: &Wish) -> Result<State, PublishError> {
    let place = Place::new(&options.access.base_url, &options.project);
    let token = place.as_ref().and_then(options.access.token);
    let token = token.ok_or_else(|| PublishError::NoToken(options.project.clone()))?;
    let client = Client::new(&options.access, &options.project, token)?;
    let link = Link::new(client, options.sleep, options.patience, Rc::clone(&options.tell));
    let private = link.patiently(|| link.client.look())?;
    let told = match wish {
        Wish::Change(_) => Some(link.patiently(|| bring::marked(options, private))?),
        // It has to work whatever became of the release.
        Wish::Halt => None,
    };
    let there = link.patiently(|| link.there(&options.version, options.identity(), options.key.as_ref()))?;
    if let Some((_, false)) = &there.rollout
        && options.key.is_some()
    {
        link.tell(Step::RolloutUnsigned(options.version.to_string()));
    }
    let before = there.counts();
    let sign = |next| signed(next, &there, options.now, options.key.as_ref());
    let file = match (wish, before) {
        (Wish::Halt, None) if there.rollout.is_none() => {
            return Err(Refusal::None(options.version.to_string()).into());
        }
        // Nothing is to be changed, but an earlier run may not have come to its end.
        (Wish::Halt, Some(before)) if before.halted && there.bytes.is_some() => {
            LocalAsset::new(&asset(options.version.as_str()), there.bytes.clone().unwrap_or_default())
        }
        (Wish::Halt, before) => {
            sign(plan::halted(before, &options.version, options.identity(), options.now)?)?
        }
        (Wish::Change(change), before) => {
            let project = told.as_ref().and_then(|told| told.project.clone());
            let project = project.unwrap_or_else(|| options.identity().to_owned());
            let next = plan::changed(change, before, &options.version, &project, options.now)?;
            if let Some((from, to)) = plan::lowered(before, &next, options.now) {
                link.tell(Step::Lowered(from, to));
            }
            if told.is_some_and(|told| told.signed) && options.key.is_none() {
                return Err(Refusal::Unsigned(options.version.to_string()).into());
            }
            sign(next)?
        }
    };
    let rollout = bring::ours(&file.name, file.bytes(), &options.version, options.identity())?;
    let mut state = State::of(&rollout, file.bytes(), String::new(), options);
    state.changed = there.bytes.as_deref() != Some(file.bytes());
    if options.dry_run {
        state.changed = false;
        state.would = there.would(&file);
        for what in &state.would {
            link.tell(Step::Would(what.clone()));
        }
    } else {
        link.tell(Step::Planned);
        link.patiently(|| link.bring(&options.version, &file, there.bytes.as_deref()))?;
        state.place =
            link.patiently(|| link.boards_read(&options.access, &options.project, private, &file))?;
        link.tell(Step::Rollout(options.version.to_string()));
    }
    state.requests = link.client.asked.get();
    Ok(state)
}

/// The file as it is uploaded, with the number that comes after what is there.
fn signed(
    mut rollout: Rollout,
    there: &There,
    now: u64,
    key: Option<&SigningKey>,
) -> Result<LocalAsset, PublishError> {
    rollout.number = plan::number(there.number(now), &rollout.version, now)?;
    if let Some(key) = key {
        sign::sign_rollout(&mut rollout, key).map_err(Refusal::Sign)?;
    }
    let bytes = rollout.to_bytes().map_err(|error| Refusal::Sign(sign::SignError::Rollout(error)))?;
    Ok(LocalAsset::new(&asset(rollout.version.as_str()), bytes))
}
