//! What the server has of a rollout, and how it gets the next file.

use mpota_format::rollout::{Rollout, TAG, asset, signer};
use mpota_format::sshsig::SigError;
use mpota_format::version::{Version, is_channel};

use super::{Refusal, RolloutOptions};
use crate::publish::Step;
use crate::publish::answer::{Outcome, Trouble};
use crate::publish::exchange::{named, next};
use crate::publish::github::{AssetObject, ReleaseObject, UPLOADED};
use crate::publish::link::Link;
use crate::publish::local::LocalAsset;
use crate::release::keys::SigningKey;
use crate::release::verify::{VerifyError, VerifyOptions};
use crate::remote::access::Access;
use crate::remote::lookup;
use crate::remote::source::SourceError;
use crate::remote::target::Target;

/// The most that is read of an asset which should be a rollout.
const MOST: u64 = 1 << 16;
/// How far, in seconds, the clock of somebody else who signs may be ahead.
const AHEAD: u64 = 7 * 24 * 3600;

/// What the server has.
#[derive(Default)]
pub(in crate::publish) struct There {
    /// The asset that boards read.
    pub bytes: Option<Vec<u8>>,
    /// What it says, or the one that was to take its place when a run was stopped, and whether it counts.
    pub rollout: Option<(Rollout, bool)>,
}

impl There {
    /// The rollout that the next one goes on from. With a key only one that this key has signed: whoever else may write
    /// to the repository does not say what the owner signs next.
    pub fn counts(&self) -> Option<&Rollout> {
        self.rollout.as_ref().filter(|(_, counts)| *counts).map(|(rollout, _)| rollout)
    }

    /// The number that the next one is above. Another key's counts too, as boards may trust that key: but for one so far
    /// ahead of the time that it would leave no room.
    pub fn number(&self, now: u64) -> Option<u64> {
        let (rollout, counts) = self.rollout.as_ref()?;
        (*counts || rollout.number <= now + AHEAD).then_some(rollout.number)
    }

    /// What would be done.
    pub fn would(&self, file: &LocalAsset) -> Vec<String> {
        let what = match &self.bytes {
            Some(bytes) if bytes == file.bytes() => format!("keep {}", file.name),
            Some(_) => format!("replace {} in the release {TAG}", file.name),
            None => format!("upload {} to the release {TAG}", file.name),
        };
        vec![what, format!("read {} back as a board does", file.name)]
    }
}

/// The rollout that `bytes` is, if it is that of the version and for the project.
pub(super) fn ours(place: &str, bytes: &[u8], version: &Version, project: &str) -> Result<Rollout, Refusal> {
    let place = || place.to_owned();
    let rollout = Rollout::parse(bytes).map_err(|source| Refusal::NotARollout { place: place(), source })?;
    if rollout.version.as_str() != version.as_str() {
        let (other, version) = (rollout.version.to_string(), version.to_string());
        return Err(Refusal::SameName { place: place(), other, version });
    }
    if let Some(other) = rollout.project.clone().filter(|other| !other.eq_ignore_ascii_case(project)) {
        return Err(Refusal::OtherProject { place: place(), other, project: project.to_owned() });
    }
    Ok(rollout)
}

/// What the manifest of a published version says.
pub(super) struct Told {
    pub project: Option<String>,
    pub signed: bool,
}

/// Looks whether boards that would take the version ask for its rollout.
pub(super) fn marked(options: &RolloutOptions, private: bool) -> Outcome<Told> {
    let (project, version) = (options.project.clone(), options.version.to_string());
    let target = Target::Project { project: project.clone(), tag: Some(version.clone()) };
    let mut how = VerifyOptions::new(target);
    how.access.clone_from(&options.access);
    if !private {
        how.access.token = |_| None;
    }
    let found = match lookup::find(&how.target, &how) {
        Err(VerifyError::NoRelease(_) | VerifyError::NotForToken { .. }) => {
            return Err(Refusal::NotPublished { version, project }.into());
        }
        Err(VerifyError::Source(error)) => {
            return Err(Trouble::Again { why: error.to_string(), wait: None });
        }
        other => other?,
    };
    let manifest = found.parse()?;
    if let Some(other) = manifest.header.project.clone() {
        let project = options.identity().to_owned();
        if !other.eq_ignore_ascii_case(&project) {
            return Err(Refusal::OtherProject { place: found.place, other, project }.into());
        }
    }
    if !manifest.header.rollout() {
        return Err(Refusal::NoMark(version).into());
    }
    Ok(Told { project: manifest.header.project, signed: manifest.signature.is_some() })
}

impl Link {
    /// What there is of a version's rollout, for whoever signs with `key`.
    pub fn there(&self, version: &Version, project: &str, key: Option<&SigningKey>) -> Outcome<There> {
        let counts = |bytes: &[u8]| key.is_none() || signed_by(bytes, key);
        let Some(release) = self.tagged(TAG)? else { return Ok(There::default()) };
        let assets = self.client.assets(release.id)?;
        let name = asset(version.as_str());
        let whole = |name: &str| named(&assets, name).filter(|asset| asset.state == UPLOADED);
        if let Some(now) = whole(&name) {
            let bytes = self.small(now)?;
            let place = format!("{name} in the release {TAG}");
            let rollout = ours(&place, &bytes, version, project)?;
            let counts = counts(&bytes);
            return Ok(There { bytes: Some(bytes), rollout: Some((rollout, counts)) });
        }
        // A run was stopped between the two names. Whatever else this is, it is replaced.
        let Some(left) = whole(&next(&name)) else { return Ok(There::default()) };
        let bytes = self.small(left)?;
        let rollout = ours(&name, &bytes, version, project).ok();
        Ok(There { bytes: None, rollout: rollout.map(|rollout| (rollout, counts(&bytes))) })
    }

    fn small(&self, asset: &AssetObject) -> Outcome<Vec<u8>> {
        if asset.size > MOST {
            let place = format!("{} in the release {TAG}", asset.name);
            let source = mpota_format::rollout::RolloutError::TooLarge;
            return Err(Refusal::NotARollout { place, source }.into());
        }
        self.client.download(asset)
    }

    /// Whether the release with the rollouts can be changed, or made.
    pub fn may_change(&self) -> Outcome<Option<ReleaseObject>> {
        let releases = self.client.releases()?;
        let found = releases.iter().filter(|release| release.tag_name == TAG).min_by_key(|r| r.draft);
        match found {
            Some(release) if release.immutable => Err(Refusal::Immutable.into()),
            Some(release) if !release.draft => Ok(Some(release.clone())),
            found => {
                // The newest release of a version shows the setting; itself it is told to administrators only.
                let version = |release: &&ReleaseObject| {
                    !release.draft && release.tag_name != TAG && !is_channel(&release.tag_name)
                };
                let shown = releases.iter().find(version).is_some_and(|release| release.immutable);
                if shown || self.client.immutable_releases()? == Some(true) {
                    return Err(Refusal::ImmutableNew.into());
                }
                Ok(found.cloned())
            }
        }
    }

    /// Brings the rollout to what the file holds, if it is still what it was: `before`.
    pub fn bring(&self, version: &Version, file: &LocalAsset, before: Option<&[u8]>) -> Outcome<()> {
        let found = self.may_change()?;
        let body =
            "Boards read here which of them may take a version. `mpota rollout` keeps this up to date.";
        let release = self.stays(found, TAG, "Rollouts", body)?;
        let assets = self.client.assets(release.id)?;
        if let Some(now) = named(&assets, &file.name).filter(|asset| asset.state == UPLOADED)
            && !self.same(file, now)?
        {
            let bytes = self.small(now)?;
            if before != Some(&*bytes) {
                let number = Rollout::parse(&bytes).map(|rollout| rollout.number.to_string());
                let number = number.unwrap_or_else(|_| "none".to_owned());
                let changed = Refusal::Changed { version: version.to_string(), number };
                return Err(changed.into());
            }
        }
        self.exchange(&release, &assets, file)?;
        if self.show(&release, "publish the rollout")? {
            self.tell(Step::RolloutImmutable);
        }
        Ok(())
    }

    /// Where boards read the rollout, once they read just this.
    pub fn boards_read(
        &self,
        access: &Access,
        project: &str,
        private: bool,
        file: &LocalAsset,
    ) -> Outcome<String> {
        let later = |why: String| Trouble::Again { why, wait: None };
        let token = if private { access.token } else { |_: &_| None };
        let found = lookup::rollout(access, project, &file.name, token);
        let found = found.map_err(|error| match error {
            // It stays so until somebody decides.
            SourceError::Withheld { .. } => error.into(),
            error => later(error.to_string()),
        });
        let Some((place, bytes)) = found? else {
            return Err(later(format!("boards do not see {} yet", file.name)));
        };
        if bytes != file.bytes() {
            return Err(later(format!("{place} is not yet, or not, the rollout that was published")));
        }
        self.tell(Step::ReadBack(place.clone()));
        Ok(place)
    }
}

/// Whether a rollout is signed by the key that signs, or not at all where none does.
pub(in crate::publish) fn signed_by(bytes: &[u8], key: Option<&SigningKey>) -> bool {
    match (signer(bytes), key) {
        (Ok(signer), Some(key)) => signer.key == key.public().key,
        (Err(SigError::Unsigned), None) => true,
        _ => false,
    }
}
