//! The release as it lies here: what the server must hold in the end.

use mpota_format::digest::{hex, sha256};
use mpota_format::limits;
use mpota_format::manifest::Manifest;
use mpota_format::version::Version;

use super::PublishOptions;
use super::error::PublishError;
use super::github::{AssetObject, UPLOADED};
use crate::files;
use crate::release::dist::{self, MANIFEST};
use crate::release::verify::{self, VerifyOptions};
use crate::remote::target::Target;

/// One asset to be.
#[derive(Debug, Clone)]
pub(super) struct LocalAsset {
    pub name: String,
    pub bytes: Vec<u8>,
    digest: String,
}

impl LocalAsset {
    pub fn new(name: &str, bytes: Vec<u8>) -> Self {
        let digest = format!("sha256:{}", hex(&sha256(&bytes)));
        Self { name: name.to_owned(), bytes, digest }
    }

    /// Whether the server says that it has just this. `None`: it tells no digest.
    pub fn is(&self, asset: &AssetObject) -> Option<bool> {
        if asset.state != UPLOADED || asset.size != self.bytes.len() as u64 {
            return Some(false);
        }
        let digest = asset.digest.as_deref().filter(|digest| !digest.is_empty())?;
        Some(digest.eq_ignore_ascii_case(&self.digest))
    }
}

pub(super) struct Local {
    pub version: Version,
    /// What it is for.
    pub project: Option<String>,
    /// Whether it is signed.
    pub signed: bool,
    /// Whether boards ask for a rollout.
    pub rollout: bool,
    /// The manifest is the last one: where it is there, all is.
    pub assets: Vec<LocalAsset>,
}

impl Local {
    pub fn read(options: &PublishOptions) -> Result<Self, PublishError> {
        let target = Target::Folder(options.folder.clone());
        let mut how = VerifyOptions::new(target);
        how.access.keys.clone_from(&options.access.keys);
        let report = verify::verify(&how)?;
        if !report.is_good() {
            let folder = options.folder.display().to_string();
            return Err(PublishError::NotGood { folder, problems: report.problems });
        }
        let path = options.folder.join(MANIFEST);
        let manifest = files::read(&path, limits::MANIFEST as u64)?;
        let parsed = Manifest::parse(&manifest).map_err(|source| {
            let place = path.display().to_string();
            PublishError::Verify(verify::VerifyError::manifest(place, source))
        })?;
        // GitHub does not tell upper from lower case in these names.
        let wanted = options.access.identity.as_ref().unwrap_or(&options.project);
        let ours = |other: &String| other.eq_ignore_ascii_case(wanted);
        if let Some(other) = parsed.header.project.clone().filter(|other| !ours(other)) {
            let (folder, project) = (options.folder.display().to_string(), wanted.clone());
            return Err(PublishError::OtherProject { folder, other, project });
        }
        if options.latest == Some(true) && parsed.header.version.is_prerelease() {
            return Err(PublishError::LatestPrerelease(parsed.header.version.to_string()));
        }
        let mut assets = Vec::new();
        let mut add = |name: &str| {
            let bytes = files::read(&options.folder.join(name), u64::from(u32::MAX))?;
            assets.push(LocalAsset::new(name, bytes));
            Ok::<_, PublishError>(())
        };
        for (name, compiled) in dist::read_manifests(&options.folder)?.iter().skip(1) {
            dist::asset_names(compiled).into_iter().try_for_each(&mut add)?;
            add(name)?;
        }
        dist::asset_names(&parsed).into_iter().try_for_each(&mut add)?;
        assets.push(LocalAsset::new(MANIFEST, manifest));
        Ok(Self {
            project: parsed.header.project.clone(),
            signed: parsed.signature.is_some(),
            rollout: parsed.header.rollout(),
            version: parsed.header.version,
            assets,
        })
    }

    pub fn manifest(&self) -> &[u8] {
        self.assets.last().map_or(&[], |asset| &asset.bytes)
    }
}
