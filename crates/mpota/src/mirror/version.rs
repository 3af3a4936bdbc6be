//! One version: its files first, its manifests after them, each read back.

use std::collections::BTreeMap;
use std::path::Path;

use mpota_format::limits;
use mpota_format::manifest::{Manifest, compiled};
use mpota_format::version::Version;
use tempfile::TempDir;

use super::bucket::Life;
use super::error::{MirrorError, Refusal};
use super::origin::Release;
use super::{Round, Step};
use crate::files::{self, FileError};
use crate::release::dist::{self, MANIFEST};
use crate::release::verify::{self, VerifyError, VerifyOptions};
use crate::remote::target::Target;

/// What came of it: a version that is all there and right, or why it is not.
pub(super) type Outcome = Result<Vec<u8>, Refusal>;

/// The manifests and files of a version, in the order in which they are sent.
struct Parts {
    names: Vec<String>,
    manifest: Vec<u8>,
}

impl Round<'_> {
    /// Brings a version into the bucket, unless it is there. Gives its manifest.
    pub(super) fn version(&self, release: &Release) -> Result<Outcome, MirrorError> {
        let tag = &release.tag_name;
        let folder = self.folder(tag);
        if let Some(manifest) = self.state.known(self, release) {
            self.tell(Step::Kept(tag.clone()));
            return Ok(Ok(manifest));
        }
        let parts = match self.parts(release)? {
            Ok(parts) => parts,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let there = self.there(release, &folder, &parts)?;
        if let Some(refusal) = self.changed(tag, &there, &parts) {
            return Ok(Err(refusal));
        }
        if parts.names.iter().all(|name| there.contains_key(name))
            && there.get(MANIFEST) == Some(&parts.manifest)
            && self.check(tag, &bytes_of(&there))?.is_none()
        {
            for name in &parts.names {
                self.bucket.know(&format!("{folder}/{name}"), &self.listed);
            }
            self.tell(Step::Kept(tag.clone()));
            self.state.keep(release, &parts.names, &parts.manifest);
            return Ok(Ok(parts.manifest));
        }
        let mut files: Vec<(&str, Vec<u8>)> = Vec::new();
        for name in &parts.names {
            // This one was read already, and what was checked is what is copied.
            let bytes = match name == MANIFEST {
                true => parts.manifest.clone(),
                false => self.origin.read(release, name, u64::from(u32::MAX))?,
            };
            files.push((name, bytes));
        }
        if let Some(refusal) =
            self.check(tag, &files.iter().map(|(n, b)| (*n, b.as_slice())).collect::<Vec<_>>())?
        {
            return Ok(Err(refusal));
        }
        self.tell(Step::Version(tag.clone()));
        for (name, bytes) in &files {
            let key = format!("{folder}/{name}");
            match there.get(*name) {
                Some(same) if same == bytes => self.bucket.know(&key, &self.listed),
                _ => self.put(&key, bytes, Life::Fixed)?,
            }
        }
        self.state.keep(release, &parts.names, &parts.manifest);
        Ok(Ok(parts.manifest))
    }

    /// The names that belong to a release, in the order: files, compiled manifests, the manifest.
    fn parts(&self, release: &Release) -> Result<Result<Parts, Refusal>, MirrorError> {
        let tag = &release.tag_name;
        let most = limits::MANIFEST as u64 + 1;
        let manifest = self.origin.read(release, MANIFEST, most)?;
        let refused = |text: String| Ok(Err(Refusal::new("mirror::not_good", tag, text)));
        let parsed = match Manifest::parse(&manifest) {
            Ok(parsed) => parsed,
            Err(error) => return refused(format!("{MANIFEST}: {error}")),
        };
        if parsed.header.version.as_str() != tag {
            return refused(format!("{MANIFEST} says version {}", parsed.header.version));
        }
        let wanted = self.identity;
        if let Some(other) =
            parsed.header.project.as_ref().filter(|other| !other.eq_ignore_ascii_case(wanted))
        {
            return refused(format!("it is for {other}: no board of {wanted} takes it"));
        }
        let mut names: Vec<String> = dist::asset_names(&parsed).into_iter().map(str::to_owned).collect();
        let mut manifests = Vec::new();
        for mpy in parsed.header.compiled() {
            let name = compiled::asset(mpy);
            if !release.has(&name) {
                return refused(format!("{name} is not there, and {MANIFEST} names it"));
            }
            let bytes = self.origin.read(release, &name, most)?;
            match Manifest::parse(&bytes) {
                Ok(parsed) => names.extend(dist::asset_names(&parsed).into_iter().map(str::to_owned)),
                Err(error) => return refused(format!("{name}: {error}")),
            }
            manifests.push(name);
        }
        names.extend(manifests);
        names.push(MANIFEST.to_owned());
        if let Some(name) = names.iter().find(|name| !release.has(name)) {
            return refused(format!("{name} is not there, and it belongs to the release"));
        }
        Ok(Ok(Parts { names, manifest }))
    }

    /// What lies in the bucket already, of the right size.
    fn there(
        &self,
        release: &Release,
        folder: &str,
        parts: &Parts,
    ) -> Result<BTreeMap<String, Vec<u8>>, MirrorError> {
        let mut there = BTreeMap::new();
        for name in &parts.names {
            let key = format!("{folder}/{name}");
            let size = release.assets.iter().find(|asset| asset.name == *name).map(|asset| asset.size);
            // A manifest of another size is another release under the same tag: that has to be seen.
            let worth = self.listed.get(&key).is_some_and(|seen| name == MANIFEST || Some(seen.size) == size);
            if worth && let Some(read) = self.bucket.read(&key)? {
                there.insert(name.clone(), read);
            }
        }
        Ok(there)
    }

    /// Boards and caches may have the version: it never changes.
    fn changed(&self, tag: &str, there: &BTreeMap<String, Vec<u8>>, parts: &Parts) -> Option<Refusal> {
        let bytes = there.get(MANIFEST)?;
        // What is no manifest is none that a board has taken.
        let other = Manifest::parse(bytes).ok()?;
        (*bytes != parts.manifest && other.header.version.as_str() == tag).then(|| {
            Refusal::new(
                "mirror::changed",
                tag,
                "the bucket has it with another manifest, and boards and caches may have that: it is left as it is",
            )
        })
    }

    /// As `mpota verify` does, of the very bytes that are there or are to be sent.
    fn check(&self, tag: &str, parts: &[(&str, &[u8])]) -> Result<Option<Refusal>, MirrorError> {
        let folder = staged(parts)?;
        let mut options = VerifyOptions::new(Target::Folder(folder.path().to_owned()));
        options.access.keys.clone_from(&self.options.access.keys);
        let report = match verify::verify(&options) {
            Ok(report) => report,
            Err(VerifyError::Newer { source, .. } | VerifyError::Manifest { source, .. }) => {
                return Ok(Some(Refusal::new("mirror::not_good", tag, source.to_string())));
            }
            Err(error) => return Err(error.into()),
        };
        let said: Vec<String> = report.problems.iter().map(|p| format!("{}: {}", p.about, p.text)).collect();
        Ok((!said.is_empty()).then(|| Refusal::new("mirror::not_good", tag, said.join("; "))))
    }
}

fn bytes_of(there: &BTreeMap<String, Vec<u8>>) -> Vec<(&str, &[u8])> {
    there.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect()
}

/// A folder of a release, for as long as it is looked at.
fn staged(parts: &[(&str, &[u8])]) -> Result<TempDir, MirrorError> {
    let folder = tempfile::tempdir().map_err(FileError::at("make a folder in", &std::env::temp_dir()))?;
    for (name, bytes) in parts {
        files::write_new(&folder.path().join(Path::new(name).file_name().unwrap_or_default()), bytes, 0o600)?;
    }
    Ok(folder)
}

/// The version that a tag is.
pub(super) fn version_of(tag: &str) -> Option<Version> {
    Version::parse(tag).ok()
}
