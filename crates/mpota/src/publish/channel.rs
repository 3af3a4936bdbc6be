//! A channel is a release whose tag is the channel's name and whose one asset is the manifest of the
//! version that the channel has. Boards read it at `releases/download/CHANNEL/manifest.json`, without
//! the API, and fetch the files from the version's own release.

use mpota_format::manifest::Manifest;
use mpota_format::version::is_channel;
use serde_json::json;

use super::error::PublishError;
use super::github::{AssetObject, Outcome, ReleaseObject, UPLOADED};
use super::{Run, Step};
use crate::release::dist::MANIFEST;

/// The manifest to be, beside the one that is still read.
const NEXT: &str = "manifest.json.next";

pub(super) fn check_name(name: &str) -> Result<(), PublishError> {
    match is_channel(name) {
        true => Ok(()),
        false => Err(PublishError::ChannelName(name.to_owned())),
    }
}

fn named<'a>(assets: &'a [AssetObject], name: &str) -> Option<&'a AssetObject> {
    assets.iter().find(|asset| asset.name == name)
}

impl Run<'_> {
    fn channel_release(&self, name: &str) -> Outcome<Option<ReleaseObject>> {
        let mut found: Vec<_> =
            self.client.releases()?.into_iter().filter(|release| release.tag_name == name).collect();
        // What is published is what boards read.
        found.sort_by_key(|release| release.draft);
        Ok(found.into_iter().next())
    }

    /// Whether the channel can be brought to this version; before anything is changed.
    pub(super) fn check_channel(&self, name: &str) -> Outcome<()> {
        let Some(release) = self.channel_release(name)? else { return Ok(()) };
        let assets = self.client.assets(release.id)?;
        self.may_have(name, &release, &assets)
    }

    fn may_have(&self, name: &str, release: &ReleaseObject, assets: &[AssetObject]) -> Outcome<()> {
        let Some(asset) = named(assets, MANIFEST) else {
            // An earlier run was stopped between the two names, or before the first asset.
            if assets.is_empty() || named(assets, NEXT).is_some() {
                return Ok(());
            }
            return Err(PublishError::NotAChannel(name.to_owned()).into());
        };
        // The shell of an upload that came to nothing.
        if asset.state != UPLOADED {
            return Ok(());
        }
        let bytes = self.client.download(asset)?;
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
        let found = self.channel_release(name)?;
        if self.state.borrow().done.immutable && found.as_ref().is_none_or(|release| release.draft) {
            return Err(PublishError::ImmutableChannel(name.to_owned()).into());
        }
        let release = match found {
            Some(release) => release,
            None => {
                let made = self.client.create(&json!({
                    "tag_name": name, "name": format!("Channel {name}"), "draft": true, "prerelease": true,
                    "body": format!(
                        "Boards with `\"channel\": \"{name}\"` read here which version they are to have. \
                         `mpota publish --channel {name}` keeps this up to date."
                    ),
                }))?;
                self.progress();
                made
            }
        };
        let assets = self.client.assets(release.id)?;
        // Somebody else may have moved it meanwhile.
        self.may_have(name, &release, &assets)?;
        self.bring(&release, &assets)?;
        if release.draft {
            let wanted = json!({"draft": false, "prerelease": true, "make_latest": "false"});
            let made = self.client.update(release.id, &wanted, "publish the channel")?;
            self.progress();
            if made.immutable {
                self.tell(Step::ChannelImmutable(name.to_owned()));
            }
        }
        self.board_reads(Some(name))
    }

    fn bring(&self, release: &ReleaseObject, assets: &[AssetObject]) -> Outcome<()> {
        let Some(file) = self.local.assets.last() else { return Ok(()) };
        let now = named(assets, MANIFEST);
        let next = named(assets, NEXT);
        if let Some(now) = now
            && self.same(file, now)?
        {
            // What an earlier run left.
            return next.map_or(Ok(()), |next| self.client.delete_asset(next));
        }
        let ready = match next {
            None => false,
            Some(next) => {
                let same = self.same(file, next)?;
                if !same {
                    self.client.delete_asset(next)?;
                }
                same
            }
        };
        if now.is_none() && !ready {
            return self.upload(release, file, MANIFEST);
        }
        if !ready {
            self.upload(release, file, NEXT)?;
        }
        if let Some(now) = now {
            self.client.delete_asset(now)?;
        }
        let assets = self.client.assets(release.id)?;
        if let Some(next) = named(&assets, NEXT) {
            self.client.rename_asset(next, MANIFEST)?;
            self.progress();
        }
        Ok(())
    }
}
