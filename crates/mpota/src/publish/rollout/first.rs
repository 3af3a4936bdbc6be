//! `mpota publish --rollout`: the rollout is there before boards see the version.

use super::bring::signed_by;
use super::{There, now, plan, signed};
use crate::publish::answer::Outcome;
use crate::publish::local::LocalAsset;
use crate::publish::rollout::{Change, Refusal};
use crate::publish::{PublishError, Run, Step};

impl Run<'_> {
    fn identity(&self) -> &str {
        self.options.access.identity.as_ref().unwrap_or(&self.options.project)
    }

    fn rollout_there(&self) -> Outcome<There> {
        self.link.there(&self.local.version, self.identity(), self.options.key.as_ref())
    }

    /// Whether the rollout can be brought, before anything is changed.
    pub(in crate::publish) fn check_rollout(&self) -> Outcome<()> {
        let version = self.local.version.to_string();
        match &self.options.rollout {
            None => return Ok(()),
            Some(_) if !self.local.rollout => {
                let folder = self.options.folder.display().to_string();
                return Err(Refusal::NotBuilt { version, folder }.into());
            }
            Some(_) if self.local.signed && self.options.key.is_none() => {
                return Err(Refusal::Unsigned(version).into());
            }
            Some(_) => {}
        }
        self.link.may_change()?;
        self.rollout_there()?;
        Ok(())
    }

    /// The file that the version begins with; `None` where one is there that stays. Of a version that is published
    /// every one stays: somebody may have gone on with it.
    fn first_rollout(&self, change: &Change, there: &There, published: bool) -> Outcome<Option<LocalAsset>> {
        let key = self.options.key.as_ref();
        let project = self.local.project.as_deref().unwrap_or(self.identity());
        // Of what was there before the version only the number counts.
        let next = plan::changed(change, None, &self.local.version, project, now())?;
        if let (Some((rollout, _)), Some(bytes)) = (&there.rollout, &there.bytes) {
            let same = rollout.stages == next.stages && !rollout.halted && rollout.boards == next.boards;
            if published || (same && rollout.until >= now() && signed_by(bytes, key)) {
                return Ok(None);
            }
        }
        Ok(Some(signed(next, there, now(), key)?))
    }

    /// Makes sure that there is a rollout, where one was asked for.
    pub(in crate::publish) fn begin_rollout(&self, published: bool) -> Outcome<()> {
        let version = &self.local.version;
        let Some(change) = &self.options.rollout else { return Ok(()) };
        let there = self.rollout_there()?;
        match self.first_rollout(change, &there, published)? {
            Some(file) => {
                self.link.bring(version, &file, there.bytes.as_deref())?;
                self.link.tell(Step::Rollout(version.to_string()));
                self.state.borrow_mut().rollout = Some(file);
            }
            None => {
                let Some(bytes) = there.bytes else { return Ok(()) };
                let file = LocalAsset::new(&mpota_format::rollout::asset(version.as_str()), bytes);
                // A run that was stopped may have left a draft, or an asset more.
                self.link.bring(version, &file, Some(file.bytes()))?;
                let mut state = self.state.borrow_mut();
                if state.rollout.is_none() && published {
                    self.link.tell(Step::RolloutKept(version.to_string()));
                }
                state.rollout = Some(file);
            }
        }
        Ok(())
    }

    /// Reads the rollout as a board does. A version that waits for one is told.
    pub(in crate::publish) fn rollout_read_back(&self) -> Result<(), PublishError> {
        let (file, private) = {
            let state = self.state.borrow();
            (state.rollout.clone(), state.done.private)
        };
        if let Some(file) = file {
            let (access, project) = (&self.options.access, &self.options.project);
            return self.link.patiently(|| self.link.boards_read(access, project, private, &file)).map(drop);
        }
        if !self.local.rollout {
            return Ok(());
        }
        let there = match self.link.patiently(|| self.rollout_there()) {
            // It was not asked for: what is wrong with it, `mpota rollout` says.
            Err(PublishError::Rollout(_)) => There::default(),
            other => other?,
        };
        if there.bytes.is_none() {
            self.link.tell(Step::RolloutMissing(self.local.version.to_string()));
        }
        Ok(())
    }

    /// What would be done for it.
    pub(in crate::publish) fn would_roll_out(&self, published: bool) -> Outcome<Vec<String>> {
        let Some(change) = &self.options.rollout else { return Ok(Vec::new()) };
        let there = self.rollout_there()?;
        let file = self.first_rollout(change, &there, published)?;
        Ok(file.map_or_else(Vec::new, |file| there.would(&file)))
    }
}
