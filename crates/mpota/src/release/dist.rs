//! The folder of a release, `dist/`: what is in it, and whether it is one.

use std::io;
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use mpota_format::limits;
use mpota_format::manifest::{Code, Manifest, ManifestError, Place, compiled};
use thiserror::Error;

use crate::files::{self, FileError};
use crate::remote::source;

/// The name of the manifest in the folder.
pub const MANIFEST: &str = "manifest.json";
/// What `mpota serve` reads beside the assets; never an asset itself.
pub(crate) const RELEASE: &str = "release.json";

/// Why the folder was not written.
#[derive(Debug, Error, Diagnostic)]
#[non_exhaustive]
pub enum DistError {
    /// There is a folder or file of somebody else's.
    #[error("{} is not one of mpota's: {why}", path.display())]
    #[diagnostic(code(dist::not_ours))]
    #[diagnostic(help("it is left as it is: remove it yourself, or write to another place with --output"))]
    NotOurs {
        /// Where.
        path: PathBuf,
        /// How that was seen.
        why: String,
    },
    /// It cannot be read or written.
    #[error(transparent)]
    #[diagnostic(transparent)]
    File(#[from] FileError),
    /// The manifest in it is for a later mpota than this.
    #[error("{} is for a later mpota", path.display())]
    #[diagnostic(code(manifest::newer))]
    #[diagnostic(help("update mpota"))]
    Newer {
        /// Which file.
        path: PathBuf,
        /// What must be known.
        #[source]
        source: ManifestError,
    },
    /// The manifest in it is not one.
    #[error("{} is not a manifest", path.display())]
    #[diagnostic(
        code(manifest::invalid),
        help("no board takes it; make it with `mpota build` or `mpota manifest`")
    )]
    Manifest {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: ManifestError,
    },
}

/// Reads and parses a manifest.
pub fn read_manifest(path: &Path) -> Result<Manifest, DistError> {
    let bytes = files::read(path, limits::MANIFEST as u64)?;
    Manifest::parse(&bytes).map_err(|source| {
        let path = path.to_owned();
        match source.kind() {
            Code::Needs | Code::FormatVersion => DistError::Newer { path, source },
            _ => DistError::Manifest { path, source },
        }
    })
}

/// The manifests of the release in a folder and their names, the one that all boards read first of all.
pub fn read_manifests(folder: &Path) -> Result<Vec<(String, Manifest)>, DistError> {
    let first = read_manifest(&folder.join(MANIFEST))?;
    let others = manifest_names(&first);
    let mut all = vec![(MANIFEST.to_owned(), first)];
    for name in others.into_iter().skip(1) {
        let manifest = read_manifest(&folder.join(&name))?;
        all.push((name, manifest));
    }
    Ok(all)
}

/// The names of the manifests of a release, this one's first.
pub fn manifest_names(manifest: &Manifest) -> Vec<String> {
    let others = manifest.header.compiled().into_iter().map(compiled::asset);
    std::iter::once(MANIFEST.to_owned()).chain(others).collect()
}

/// The names of the assets that belong to a manifest.
pub fn asset_names(manifest: &Manifest) -> Vec<&str> {
    let of_files = manifest.files.iter().filter_map(|file| match &file.place {
        Place::Asset { name } => Some(name.as_str()),
        _ => None,
    });
    manifest.header.pack.iter().map(|pack| pack.asset.as_str()).chain(of_files).collect()
}

/// Whether a name in a release folder is of no meaning to the release.
pub(crate) fn is_beside(name: &str) -> bool {
    name == RELEASE || name.starts_with('.')
}

/// Refuses `folder` unless it is missing, empty, or holds a release and nothing else.
pub fn check_ours(folder: &Path) -> Result<(), DistError> {
    let not_ours = |why: String| DistError::NotOurs { path: folder.to_owned(), why };
    match folder.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(FileError::new("look at", folder, error).into()),
        Ok(metadata) if metadata.is_symlink() => return Err(not_ours("it is a symlink".into())),
        Ok(metadata) if !metadata.is_dir() => return Err(not_ours("it is a file".into())),
        Ok(_) => {}
    }
    let names = source::list(folder)?;
    if names.is_empty() {
        return Ok(());
    }
    if !names.iter().any(|name| name == MANIFEST) {
        return Err(not_ours(format!("it has no {MANIFEST}")));
    }
    let manifests = match read_manifests(folder) {
        Ok(manifests) => manifests,
        Err(_) => return Err(not_ours(format!("its {MANIFEST} is not one of mpota's"))),
    };
    let of_all = |(name, manifest): &(String, Manifest)| {
        asset_names(manifest).into_iter().chain([name.as_str()]).map(str::to_owned).collect::<Vec<_>>()
    };
    let assets: Vec<String> = manifests.iter().flat_map(of_all).collect();
    match names.iter().find(|name| !assets.contains(name)) {
        Some(name) => Err(not_ours(format!("{name} does not belong to the release in it"))),
        None => Ok(()),
    }
}
