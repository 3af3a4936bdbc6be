//! Rollouts: which boards may take a version. One that stops a version is brought first of all, since each moment counts
//! and boards take no harm from it; any other one after the version that it names.

use std::collections::BTreeSet;

use mpota_format::limits;
use mpota_format::rollout::{self, Asked, Rollout, RolloutError, TAG};

use super::bucket::Life;
use super::error::{MirrorError, Refusal};
use super::origin::{Asset, Release, concerns_one};
use super::version::version_of;
use super::{Round, Step, Versions};
use crate::remote::source::SourceError;

/// The files of the release `rollout`.
fn assets(releases: &[Release]) -> impl Iterator<Item = (&Release, &Asset)> {
    let release = releases.iter().find(|release| release.tag_name == TAG);
    let all =
        release.into_iter().flat_map(|release| release.assets.iter().map(move |asset| (release, asset)));
    all.filter(|(_, asset)| asset.name.ends_with(".json"))
}

impl Round<'_> {
    /// What stops a version whose rollout the bucket has. Gives the names of the files that are done.
    pub(super) fn halts(&mut self, releases: &[Release]) -> Result<BTreeSet<String>, MirrorError> {
        let mut done = BTreeSet::new();
        for name in self.listed_rollouts() {
            let Some((release, _)) = assets(releases).find(|(_, asset)| asset.name == name) else {
                self.withhold(name)?;
                continue;
            };
            let bytes = match self.origin.read(release, &name, limits::ROLLOUT as u64 + 1) {
                Err(MirrorError::Source(SourceError::Missing(_))) => {
                    self.withhold(name)?;
                    continue;
                }
                // What else is wrong with any of them is said when it is their turn.
                Err(error) if concerns_one(&error) => continue,
                bytes => bytes?,
            };
            if let Ok(rollout) = self.rollout(&name, &bytes)
                && rollout.halted
            {
                self.bring_rollout(&name, &rollout, &bytes, &Versions::new())?;
                done.insert(name);
            }
        }
        Ok(done)
    }

    /// The rollouts that the bucket has.
    fn listed_rollouts(&self) -> Vec<String> {
        let folder = self.rollout_key("");
        let names = self.listed.keys().filter_map(|key| key.strip_prefix(&folder));
        let is_rollout = |name: &&str| name.strip_suffix(".json").and_then(version_of).is_some();
        names.filter(is_rollout).map(str::to_owned).collect()
    }

    /// Boards at the source wait, since they find no rollout there. A mirror has no key to sign a halt with; without its
    /// rollout boards wait here too.
    fn withhold(&mut self, name: String) -> Result<(), MirrorError> {
        self.bucket.delete(&self.rollout_key(&name))?;
        self.tell(Step::Withheld(about(&name)));
        self.done.withheld.push(name);
        Ok(())
    }

    /// All but those that are done. They are read anew: one may have been halted while versions were sent.
    pub(super) fn rollouts(
        &mut self,
        releases: &[Release],
        versions: &Versions,
        done: &BTreeSet<String>,
    ) -> Result<(), MirrorError> {
        for (release, asset) in assets(releases).filter(|(_, asset)| !done.contains(&asset.name)) {
            let name = &asset.name;
            let bytes = match self.origin.read(release, name, limits::ROLLOUT as u64 + 1) {
                Err(error) if concerns_one(&error) => {
                    self.refuse(Refusal::unread(about(name), &error));
                    continue;
                }
                bytes => bytes?,
            };
            match self.rollout(name, &bytes) {
                Ok(rollout) => self.bring_rollout(name, &rollout, &bytes, versions)?,
                Err(refusal) => self.refuse(refusal),
            }
        }
        Ok(())
    }

    fn bring_rollout(
        &mut self,
        name: &str,
        rollout: &Rollout,
        bytes: &[u8],
        versions: &Versions,
    ) -> Result<(), MirrorError> {
        let key = self.rollout_key(name);
        let there = self.bucket.read(&key)?;
        if there.as_deref() == Some(bytes) {
            self.tell(Step::Stays(about(name)));
            return Ok(());
        }
        let version = &rollout.version;
        let number = there.as_ref().map(|there| Rollout::parse(there).map_or(0, |there| there.number));
        let newer = number.filter(|number| *number >= rollout.number && !self.options.allow_older);
        let refused = match (newer, versions.get(version.as_str())) {
            (Some(number), _) => {
                let text = format!("the bucket has number {number}, and this one is {}", rollout.number);
                Some(("mirror::older", text))
            }
            (None, Some(Ok(_))) => None,
            // A version that boards of the mirror can have is stopped, whatever has become of it at the source.
            (None, _) if rollout.halted && there.is_some() => None,
            // A version that is not mirrored.
            (None, None) if there.is_none() => return Ok(()),
            // To go on with it, it must be what its owner means: it may be rebuilt at the source just now.
            (None, None) => Some(("mirror::names", format!("{version} is no longer at the source"))),
            (None, Some(Err(_))) => Some(("mirror::names", format!("{version} is not all there"))),
        };
        if let Some((code, text)) = refused {
            self.refuse(Refusal::new(code, about(name), text));
            return Ok(());
        }
        self.put(&key, bytes, Life::Moves)?;
        self.done.rollouts.push(rollout.version.to_string());
        Ok(())
    }

    /// A rollout that boards of this project accept, whenever that is.
    fn rollout(&self, name: &str, bytes: &[u8]) -> Result<Rollout, Refusal> {
        let refused = |text: String| Refusal::new("mirror::rollout", about(name), text);
        let read = || -> Result<Rollout, RolloutError> {
            let version = Rollout::parse(bytes)?.version;
            let (keys, project) = (&self.options.access.keys, self.identity);
            Rollout::read(bytes, &Asked { version: version.as_str(), project, keys, now: 0, number: 0 })
        };
        let rollout = read().map_err(|error| refused(format!("boards refuse it: {error}")))?;
        match rollout::asset(rollout.version.as_str()) == name {
            true => Ok(rollout),
            false => Err(refused(format!("it is for {}", rollout.version))),
        }
    }

    fn rollout_key(&self, name: &str) -> String {
        self.folder(&about(name))
    }
}

/// A rollout, for people, and below the folder of versions.
fn about(name: &str) -> String {
    format!("{TAG}/{name}")
}
