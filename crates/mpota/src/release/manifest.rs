//! `manifest.json` for files that were named one by one: a release made by hand.

use std::path::PathBuf;

use miette::Diagnostic;
use mpota_format::manifest::{Header, Manifest};
use mpota_format::path::check_path;
use mpota_format::version::{Version, VersionError};
use thiserror::Error;

use crate::app::gather::{self, GatherError};
use crate::app::select::{self, SelectError, Selected};
use crate::check::allow::{Allow, CheckError};
use crate::files::{self, FileError};
use crate::release::assemble::{self, Form, Layout, Part, ReleaseError};
use crate::release::dist::{self, DistError};
use crate::release::keys::SigningKey;
use crate::release::sign::{self, SignError};

/// What the manifest shall say.
#[derive(Debug, Clone)]
pub struct ManifestOptions {
    /// The folder that holds the files as they shall lie on the board.
    pub root: PathBuf,
    /// The files, seen from `root`.
    pub files: Vec<String>,
    /// The release's version.
    pub version: Version,
    /// What the release is for: `owner/name`.
    pub project: Option<String>,
    /// The time in the manifest.
    pub created: Option<u64>,
    /// What of the files is released though it would be refused.
    pub allow: Allow,
    /// Who signs.
    pub key: Option<SigningKey>,
}

impl ManifestOptions {
    /// Files below the current folder, and a version.
    pub fn new(version: &str, files: &[&str]) -> Result<Self, VersionError> {
        Ok(Self {
            root: PathBuf::from("."),
            files: files.iter().map(|&file| file.to_owned()).collect(),
            version: Version::parse(version)?,
            project: None,
            created: None,
            allow: Allow::default(),
            key: None,
        })
    }
}

/// Why there is no manifest.
#[derive(Debug, Error, Diagnostic)]
#[non_exhaustive]
pub enum ManifestFileError {
    /// One of the files is named twice.
    #[error("{0} is named twice")]
    #[diagnostic(code(select::twice), help("name it once"))]
    Twice(String),
    /// `--allow-secret` for a file that was not named.
    #[error("{0} is allowed, but is not one of the files")]
    #[diagnostic(code(check::allow_unused), help("name the file too, or leave the option out"))]
    NotNamed(String),
    /// A file cannot be taken.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Select(#[from] SelectError),
    /// The files cannot be read, or must not be released.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Gather(#[from] GatherError),
    /// The files would leave a board without a working app, or without updates.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Check(#[from] CheckError),
    /// The files cannot be a release.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Release(#[from] ReleaseError),
    /// It cannot be signed.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Sign(#[from] SignError),
    /// There is a file of somebody else's.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Dist(#[from] DistError),
    /// Something cannot be read or written.
    #[error(transparent)]
    #[diagnostic(transparent)]
    File(#[from] FileError),
}

/// Makes the manifest.
pub fn make(options: &ManifestOptions) -> Result<Manifest, ManifestFileError> {
    let allow = options.allow.normal();
    let root = options.root.canonicalize().map_err(FileError::at("read", &options.root))?;
    let mut selected: Vec<Selected> = Vec::with_capacity(options.files.len());
    for file in &options.files {
        let path = gather::normal(file);
        if selected.iter().any(|before| before.path == path) {
            return Err(ManifestFileError::Twice(path));
        }
        check_path(&path).map_err(|source| SelectError::Path { path: path.clone(), source })?;
        let disk = select::disk_file(&root, &root.join(&path), allow.links.contains(&path))?;
        selected.push(Selected { path, disk });
    }
    if let Some(path) = allow.secrets.iter().find(|path| !selected.iter().any(|s| s.path == **path)) {
        return Err(ManifestFileError::NotNamed(path.clone()));
    }
    let (inputs, snapshot) = gather::gather(&selected, &allow.secrets, &mut |_| {})?;
    allow.check(&inputs)?;
    let mut header = Header::new(options.version.clone());
    header.project.clone_from(&options.project);
    header.created = options.created;
    let form = Form { header, layout: Layout::Plain, compiled: None };
    let read = |part: &Part<'_>| Ok::<_, ManifestFileError>(part.input.read().map_err(GatherError::from)?);
    let mut manifest = form.assemble(assemble::parts(&inputs), &read, &mut |_, _| Ok(()))?;
    if let Some(key) = &options.key {
        sign::sign(&mut manifest, key)?;
    }
    snapshot.check().map_err(GatherError::from)?;
    Ok(manifest)
}

/// Writes the manifest, over an older one but over nothing else.
pub fn write(manifest: &Manifest, path: &std::path::Path) -> Result<(), ManifestFileError> {
    if path.symlink_metadata().is_ok() {
        dist::read_manifest(path).map_err(|_| DistError::NotOurs {
            path: path.to_owned(),
            why: "it is not a manifest".to_owned(),
        })?;
    }
    let bytes = manifest.to_bytes().map_err(ReleaseError::from)?;
    Ok(files::replace(path, &bytes)?)
}
