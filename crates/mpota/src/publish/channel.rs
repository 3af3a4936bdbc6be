//! A channel is a release whose tag is the channel's name and whose one asset is the manifest of the
//! version that the channel has. Boards read it at `releases/download/CHANNEL/manifest.json`, without
//! the API, and fetch the files from the version's own release.

use super::answer::Outcome;
use super::error::PublishError;
use super::exchange::{named, next};
use super::github::{AssetObject, ReleaseObject, UPLOADED};
use super::{Run, Step};
use crate::release::dist::MANIFEST;
use mpota_format::manifest::Manifest;
use mpota_format::version::is_channel;

pub(super) fn check_name(name: &str) -> Result<(), PublishError> {
    match is_channel(name) {
        true => Ok(()),
        false => Err(PublishError::ChannelName(name.to_owned())),
    }
}

impl Run<'_> {
    /// Whether the channel can be brought to this version; before anything is changed.
    pub(super) fn check_channel(&self, name: &str) -> Outcome<()> {
        let Some(release) = self.link.tagged(name)? else { return Ok(()) };
        let assets = self.link.client.assets(release.id)?;
        self.may_have(name, &release, &assets)
    }

    fn may_have(&self, name: &str, release: &ReleaseObject, assets: &[AssetObject]) -> Outcome<()> {
        let Some(asset) = named(assets, MANIFEST) else {
            // An earlier run was stopped between the two names, or before the first asset.
            if assets.is_empty() || named(assets, &next(MANIFEST)).is_some() {
                return Ok(());
            }
            return Err(PublishError::NotAChannel(name.to_owned()).into());
        };
        // The shell of an upload that came to nothing.
        if asset.state != UPLOADED {
            return Ok(());
        }
        let bytes = self.link.client.download(asset)?;
        if bytes == self.local.manifest {
            return Ok(());
        }
        if release.immutable {
            return Err(PublishError::Immutable(name.to_owned()).into());
        }
        let Ok(manifest) = Manifest::parse(&bytes) else {
            return Err(PublishError::NotAChannel(name.to_owned()).into());
        };
        let newer = manifest.header.version;
        if newer > self.local.version {
            let (newer, version) = (newer.to_string(), self.local.version.to_string());
            return Err(PublishError::Newer { channel: name.to_owned(), newer, version }.into());
        }
        Ok(())
    }

    /// Brings the channel to this version. Boards see the old manifest or the new one, and between the
    /// two, for the time of one request, none: they ask again later.
    pub(super) fn channel(&self, name: &str) -> Outcome<()> {
        let found = self.link.tagged(name)?;
        if self.state.borrow().done.immutable && found.as_ref().is_none_or(|release| release.draft) {
            return Err(PublishError::ImmutableChannel(name.to_owned()).into());
        }
        let body = format!(
            "Boards with `\"channel\": \"{name}\"` read here which version they are to have. \
             `mpota publish --channel {name}` keeps this up to date."
        );
        let release = self.link.stays(found, name, &format!("Channel {name}"), &body)?;
        let assets = self.link.client.assets(release.id)?;
        // Somebody else may have moved it meanwhile.
        self.may_have(name, &release, &assets)?;
        if let Some(file) = self.local.assets.last() {
            self.link.exchange(&release, &assets, file)?;
        }
        if self.link.show(&release, "publish the channel")? {
            self.link.tell(Step::ChannelImmutable(name.to_owned()));
        }
        self.board_reads(Some(name))
    }
}
