//! The release as it lies here: what the server must hold in the end.

use std::fs::File;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

use mpota_format::digest::{Digests, hex};
use mpota_format::limits;
use mpota_format::manifest::Manifest;
use mpota_format::version::Version;

use super::PublishOptions;
use super::error::PublishError;
use super::github::{AssetObject, UPLOADED};
use crate::files::{self, FileError};
use crate::release::dist::{self, MANIFEST};
use crate::release::verify::{self, VerifyOptions};
use crate::remote::target::Target;

/// One asset to be.
#[derive(Debug, Clone)]
pub(super) struct LocalAsset {
    pub name: String,
    content: Content,
    pub size: u64,
    pub sha256: [u8; 32],
}

/// What an asset of a release holds stays on the disk.
#[derive(Debug, Clone)]
enum Content {
    File(PathBuf),
    Bytes(Vec<u8>),
}

impl LocalAsset {
    /// An asset that is made here.
    pub fn new(name: &str, bytes: Vec<u8>) -> Self {
        let mut digests = Digests::new();
        digests.update(&bytes);
        let (size, sha256) = (digests.size(), digests.finish().0);
        Self { name: name.to_owned(), content: Content::Bytes(bytes), size, sha256 }
    }

    /// What an asset holds that is made here; nothing for a file.
    pub fn bytes(&self) -> &[u8] {
        match &self.content {
            Content::Bytes(bytes) => bytes,
            Content::File(_) => &[],
        }
    }

    /// A file of the folder, as it is now.
    fn read(folder: &Path, name: &str) -> Result<Self, FileError> {
        let path = folder.join(name);
        let mut digests = Digests::new();
        let mut file = File::open(&path).map_err(FileError::at("read", &path))?;
        let mut buffer = vec![0; 1 << 20];
        loop {
            match file.read(&mut buffer).map_err(FileError::at("read", &path))? {
                0 => break,
                length => digests.update(&buffer[..length]),
            }
        }
        let size = digests.size();
        Ok(Self { name: name.to_owned(), content: Content::File(path), size, sha256: digests.finish().0 })
    }

    /// Its content, from the beginning.
    pub fn open(&self) -> Result<Box<dyn Read>, PublishError> {
        Ok(match &self.content {
            Content::File(path) => Box::new(File::open(path).map_err(FileError::at("read", path))?),
            Content::Bytes(bytes) => Box::new(Cursor::new(bytes.clone())),
        })
    }

    /// Whether the server says that it has just this. `None`: it tells no digest.
    pub fn is(&self, asset: &AssetObject) -> Option<bool> {
        if asset.state != UPLOADED || asset.size != self.size {
            return Some(false);
        }
        let digest = asset.digest.as_deref().filter(|digest| !digest.is_empty())?;
        Some(digest.eq_ignore_ascii_case(&format!("sha256:{}", hex(&self.sha256))))
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
    /// What is in the manifest.
    pub manifest: Vec<u8>,
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
            assets.push(LocalAsset::read(&options.folder, name)?);
            Ok::<_, PublishError>(())
        };
        for (name, compiled) in dist::read_manifests(&options.folder)?.iter().skip(1) {
            dist::asset_names(compiled).into_iter().try_for_each(&mut add)?;
            add(name)?;
        }
        dist::asset_names(&parsed).into_iter().try_for_each(&mut add)?;
        assets.push(LocalAsset::read(&options.folder, MANIFEST)?);
        Ok(Self {
            project: parsed.header.project.clone(),
            signed: parsed.signature.is_some(),
            rollout: parsed.header.rollout(),
            version: parsed.header.version,
            assets,
            manifest,
        })
    }
}
