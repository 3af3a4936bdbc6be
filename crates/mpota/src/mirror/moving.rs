//! What moves from version to version: channels, and last of all `latest`. Each names a version that is known to be all
//! there.

use mpota_format::limits;
use mpota_format::manifest::Manifest;
use mpota_format::version::{Version, is_channel};

use super::bucket::Life;
use super::error::{MirrorError, Refusal};
use super::origin::{Release, concerns_one};
use super::version::Outcome;
use super::{Round, Step, Versions};
use crate::release::dist::MANIFEST;

impl Round<'_> {
    /// The key of what boards read for `latest`.
    pub(super) fn latest_key(&self) -> String {
        format!("{}/releases/latest/download/{MANIFEST}", self.identity)
    }

    /// The channels.
    pub(super) fn channels(&mut self, releases: &[Release], versions: &Versions) -> Result<(), MirrorError> {
        let channels =
            releases.iter().filter(|release| is_channel(&release.tag_name) && release.has(MANIFEST));
        for release in channels {
            let name = release.tag_name.clone();
            let bytes = match self.origin.read(release, MANIFEST, limits::MANIFEST as u64 + 1) {
                Err(error) if concerns_one(&error) => {
                    self.refuse(Refusal::unread(name, &error));
                    continue;
                }
                bytes => bytes?,
            };
            let Ok(manifest) = Manifest::parse(&bytes) else {
                self.refuse(Refusal::new("mirror::not_good", name, format!("{MANIFEST} is no manifest")));
                continue;
            };
            let version = manifest.header.version;
            match versions.get(version.as_str()) {
                Some(Ok(own)) if *own == bytes => {
                    let key = self.folder(&format!("{name}/{MANIFEST}"));
                    if self.bring(&name, &key, &version, &bytes)? {
                        self.done.channels.push((name, version.to_string()));
                    }
                }
                Some(Ok(_)) => {
                    let text = format!("it has another {MANIFEST} than the release {version}");
                    self.refuse(Refusal::new("mirror::not_good", name, text));
                }
                _ => self.refuse(Refusal::new("mirror::names", name, format!("{version} is not all there"))),
            }
        }
        Ok(())
    }

    /// `latest`, after all else.
    pub(super) fn latest(&mut self, tag: Option<&str>, versions: &Versions) -> Result<(), MirrorError> {
        let Some(tag) = tag else { return Ok(()) };
        let outcome: Option<&Outcome> = versions.get(tag);
        match (Version::parse(tag), outcome) {
            (Ok(version), Some(Ok(bytes))) => {
                if self.bring("latest", &self.latest_key(), &version, bytes)? {
                    self.done.latest = Some(tag.to_owned());
                }
            }
            _ => self.refuse(Refusal::new("mirror::names", "latest", format!("{tag} is not all there"))),
        }
        Ok(())
    }

    /// Lets a channel or `latest` name this version. Whether it does now.
    fn bring(&mut self, name: &str, key: &str, version: &Version, bytes: &[u8]) -> Result<bool, MirrorError> {
        if let Some(there) = self.bucket.read(key)? {
            if there == bytes {
                self.tell(Step::Stays(format!("{name}: {version}")));
                return Ok(true);
            }
            let newer = Manifest::parse(&there).ok().map(|there| there.header.version);
            if let Some(newer) = newer.filter(|newer| newer > version)
                && !self.options.allow_older
            {
                let text = format!("the bucket has {newer}, which is newer than {version}: it stays");
                self.refuse(Refusal::new("mirror::older", name, text));
                return Ok(false);
            }
        }
        self.put(key, bytes, Life::Moves)?;
        Ok(true)
    }
}
