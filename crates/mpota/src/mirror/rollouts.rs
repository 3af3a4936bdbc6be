//! Rollouts: which boards may take a version. One that stops a version is brought first of all, since each moment counts
//! and boards take no harm from it; any other one after the version that it names.

use std::collections::BTreeSet;

use mpota_format::limits;
use mpota_format::rollout::{self, Asked, Rollout, RolloutError, TAG};

use super::bucket::Life;
use super::error::{MirrorError, Refusal};
use super::origin::{Asset, Release, concerns_one};
use super::{Round, Step, Versions};

/// The files of the release `rollout`.
fn assets(releases: &[Release]) -> impl Iterator<Item = (&Release, &Asset)> {
    let release = releases.iter().find(|release| release.tag_name == TAG);
    let all =
        release.into_iter().flat_map(|release| release.assets.iter().map(move |asset| (release, asset)));
    all.filter(|(_, asset)| asset.name.ends_with(".json"))
}

impl Round<'_> {
    /// Those that stop a version whose rollout the bucket has. Gives their names: they are done.
    pub(super) fn halts(&mut self, releases: &[Release]) -> Result<BTreeSet<String>, MirrorError> {
        let mut done = BTreeSet::new();
        for (release, asset) in assets(releases) {
            let name = &asset.name;
            if !self.listed.contains_key(&self.rollout_key(name)) {
                continue;
            }
            let bytes = match self.origin.read(release, name, limits::ROLLOUT as u64 + 1) {
                // What is wrong with any of them is said when it is their turn.
                Err(error) if concerns_one(&error) => continue,
                bytes => bytes?,
            };
            if let Ok(rollout) = self.rollout(name, &bytes)
                && rollout.halted
            {
                self.bring_rollout(name, &rollout, &bytes, &Versions::new())?;
                done.insert(name.clone());
            }
        }
        Ok(done)
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
        match versions.get(rollout.version.as_str()) {
            Some(Ok(_)) => {}
            // A version that boards of the mirror can have is stopped, whatever has become of it at the source.
            _ if rollout.halted && there.is_some() => {}
            // A version that is not mirrored.
            None => return Ok(()),
            Some(Err(_)) => {
                let text = format!("{} is not all there", rollout.version);
                self.refuse(Refusal::new("mirror::names", about(name), text));
                return Ok(());
            }
        }
        if let Some(there) = there {
            let number = Rollout::parse(&there).map_or(0, |there| there.number);
            if number >= rollout.number && !self.options.allow_older {
                let text = format!("the bucket has number {number}, and this one is {}", rollout.number);
                self.refuse(Refusal::new("mirror::older", about(name), text));
                return Ok(());
            }
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
