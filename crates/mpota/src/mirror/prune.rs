//! Versions that nobody needs any more are removed from the bucket: neither among the newest, nor named by `latest`, a
//! channel or a rollout.

use std::collections::{BTreeMap, BTreeSet};

use mpota_format::manifest::Manifest;
use mpota_format::rollout;
use mpota_format::version::{Version, is_channel};

use super::error::{MirrorError, Refusal};
use super::origin::Release;
use super::version::version_of;
use super::{Round, Step};
use crate::publish::next_name;
use crate::release::dist::MANIFEST;

/// The tags of the `count` newest versions among these.
pub(super) fn newest<'a>(tags: impl Iterator<Item = &'a str>, count: usize) -> BTreeSet<String> {
    let mut versions: Vec<Version> = tags.filter_map(version_of).collect();
    versions.sort_by(|a, b| b.cmp(a).then_with(|| a.as_str().cmp(b.as_str())));
    versions.into_iter().take(count).map(|version| version.to_string()).collect()
}

/// The versions that have a rollout. Where an exchange was stopped, it has the name that it has before it is renamed.
pub(super) fn rolled_out(releases: &[Release], tag: &str) -> bool {
    let file = rollout::asset(tag);
    let has = |release: &Release| release.has(&file) || release.has(&next_name(&file));
    releases.iter().any(|release| release.tag_name == rollout::TAG && has(release))
}

impl Round<'_> {
    pub(super) fn prune(&mut self, releases: &[Release], keep: usize) -> Result<(), MirrorError> {
        if !self.done.refused.is_empty() {
            self.tell(Step::NotPruned);
            return Ok(());
        }
        let listed = self.bucket.list(&self.below())?;
        let prefix = format!("{}/", self.folder(""));
        let prefix = prefix.replace("//", "/");
        let mut there: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for key in listed.keys() {
            if let Some((tag, name)) = key.strip_prefix(&prefix).and_then(|rest| rest.split_once('/')) {
                there.entry(tag).or_default().push(name);
            }
        }
        let mut kept = newest(there.keys().copied(), keep);
        // The bucket may have newer ones that the source no longer has: what this round has brought stays all the same.
        kept.extend(self.done.versions.iter().cloned());
        let names = there.keys().filter(|tag| is_channel(tag));
        let keys = names.map(|name| self.folder(&format!("{name}/{MANIFEST}")));
        for key in keys.chain([self.latest_key()]) {
            if let Some(bytes) = self.bucket.read(&key)? {
                match Manifest::parse(&bytes) {
                    Ok(manifest) => kept.insert(manifest.header.version.to_string()),
                    Err(error) => {
                        let text = format!("nothing is removed: {key} cannot be read, {error}");
                        self.refuse(Refusal::new("mirror::not_good", "prune", text));
                        return Ok(());
                    }
                };
            }
        }
        let old =
            |tag: &&&str| version_of(tag).is_some() && !kept.contains(**tag) && !rolled_out(releases, tag);
        for tag in there.keys().filter(old) {
            self.tell(Step::Prune((*tag).to_owned()));
            let mut names = there[tag].clone();
            // No manifest ever lies there without its files.
            names.sort_by_key(|name| (*name != MANIFEST, !name.starts_with("manifest-"), *name));
            for name in names {
                self.bucket.delete(&self.folder(&format!("{tag}/{name}")))?;
            }
            let rollout = self.folder(&format!("{}/{}", rollout::TAG, rollout::asset(tag)));
            if listed.contains_key(&rollout) {
                self.bucket.delete(&rollout)?;
            }
            self.done.pruned.push((*tag).to_owned());
        }
        Ok(())
    }
}
