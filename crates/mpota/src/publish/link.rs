//! A server, and patience with it: what all commands have in common that change releases.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use super::Step;
use super::answer::{Outcome, Trouble};
use super::error::PublishError;
use super::github::{AssetObject, Client, ReleaseObject};
use super::local::LocalAsset;

/// So often in a row something may fail.
const TRIES: u32 = 6;

pub(super) struct Link {
    pub client: Client,
    sleep: fn(Duration),
    patience: Duration,
    tell: Rc<dyn Fn(&Step)>,
    /// Counts what has succeeded: after a success the tries are counted anew.
    progress: Cell<u32>,
}

impl Link {
    /// `patience` is how long to wait at most where the server asks for it.
    pub fn new(client: Client, sleep: fn(Duration), patience: Duration, tell: Rc<dyn Fn(&Step)>) -> Self {
        Self { client, sleep, patience, tell, progress: Cell::new(0) }
    }

    /// Does it until it works, or no longer makes sense.
    pub fn patiently<T>(&self, step: impl Fn() -> Outcome<T>) -> Result<T, PublishError> {
        let mut tries = 0;
        let mut progress = self.progress.get();
        loop {
            let (why, wait) = match step() {
                Ok(done) => return Ok(done),
                Err(Trouble::Final(error)) => return Err(error),
                Err(Trouble::Again { why, wait }) => (why, wait),
            };
            let now = self.progress.get();
            if now > progress {
                (tries, progress) = (0, now);
            }
            tries += 1;
            if tries > TRIES {
                return Err(PublishError::Tries { tries: TRIES, why });
            }
            if let Some(wait) = wait.filter(|wait| *wait > self.patience) {
                return Err(PublishError::Limit { wait, said: why });
            }
            // A server that says "at once" each time is not taken at its word.
            let wait = wait.unwrap_or_default().max(Duration::from_secs(1 << (tries - 1)));
            self.tell(Step::Waiting(wait, why));
            (self.sleep)(wait);
        }
    }

    pub fn tell(&self, step: Step) {
        (self.tell)(&step);
    }

    /// Something has succeeded.
    pub fn progress(&self) {
        self.progress.set(self.progress.get() + 1);
    }

    /// The release with this tag, a published one before a draft: that is what boards read.
    pub fn tagged(&self, tag: &str) -> Outcome<Option<ReleaseObject>> {
        let mut found: Vec<_> =
            self.client.releases()?.into_iter().filter(|release| release.tag_name == tag).collect();
        found.sort_by_key(|release| release.draft);
        Ok(found.into_iter().next())
    }

    /// Whether the server has just this; where it tells no digest, by reading it all.
    pub fn same(&self, file: &LocalAsset, asset: &AssetObject) -> Outcome<bool> {
        match file.is(asset) {
            Some(same) => Ok(same),
            None => Ok(self.client.digest(asset)? == (file.sha256, file.size)),
        }
    }

    /// Sends an asset, and makes sure that it arrived.
    pub fn upload(&self, release: &ReleaseObject, file: &LocalAsset, name: &str) -> Outcome<()> {
        self.tell(Step::Upload(name.to_owned(), file.size));
        let tell = Rc::clone(&self.tell);
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
