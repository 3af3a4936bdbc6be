//! Releases that stay and whose assets are exchanged: channels, and the one with the rollouts. Boards see the old asset
//! or the new one, and between the two, for the time of one request, none: they ask again later.

use serde_json::json;

use super::answer::Outcome;
use super::github::{AssetObject, ReleaseObject};
use super::link::Link;
use super::local::LocalAsset;

/// The name of the asset to be, beside the one that is still read.
pub(crate) fn next(name: &str) -> String {
    format!("{name}.next")
}

pub(super) fn named<'a>(assets: &'a [AssetObject], name: &str) -> Option<&'a AssetObject> {
    assets.iter().find(|asset| asset.name == name)
}

impl Link {
    /// The release that was found for this tag, or a draft of one.
    pub fn stays(
        &self,
        found: Option<ReleaseObject>,
        tag: &str,
        name: &str,
        body: &str,
    ) -> Outcome<ReleaseObject> {
        if let Some(release) = found {
            return Ok(release);
        }
        let made = self.client.create(&json!({
            "tag_name": tag, "name": name, "draft": true, "prerelease": true, "body": body,
        }))?;
        self.progress();
        Ok(made)
    }

    /// Brings the asset of the file's name to what the file holds; `assets` are those of the release.
    pub fn exchange(
        &self,
        release: &ReleaseObject,
        assets: &[AssetObject],
        file: &LocalAsset,
    ) -> Outcome<()> {
        let next_name = next(&file.name);
        let now = named(assets, &file.name);
        let next = named(assets, &next_name);
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
            return self.upload(release, file, &file.name);
        }
        if !ready {
            self.upload(release, file, &next_name)?;
        }
        if let Some(now) = now {
            self.client.delete_asset(now)?;
        }
        let assets = self.client.assets(release.id)?;
        if let Some(next) = named(&assets, &next_name) {
            self.client.rename_asset(next, &file.name)?;
            self.progress();
        }
        Ok(())
    }

    /// Makes it public if it is a draft; whether it can never be changed again.
    pub fn show(&self, release: &ReleaseObject, what: &str) -> Outcome<bool> {
        if !release.draft {
            return Ok(false);
        }
        let wanted = json!({"draft": false, "prerelease": true, "make_latest": "false"});
        let made = self.client.update(release.id, &wanted, what)?;
        self.progress();
        Ok(made.immutable)
    }
}
