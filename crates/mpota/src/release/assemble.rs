//! A release in memory: files in, manifest and assets out. No file is touched here.

use miette::Diagnostic;
use mpota_format::digest::{crc32, sha256};
use mpota_format::manifest::{self, FileEntry, Header, Manifest, ManifestError, More, Pack, Place};
use mpota_format::pack::{self, PackError};
use mpota_format::{limits, path};
use rayon::prelude::*;
use thiserror::Error;

use crate::release::contents::LARGEST;
use crate::remote::names;

/// Why no release can be made of these files.
#[derive(Debug, Error, Diagnostic)]
#[non_exhaustive]
pub enum ReleaseError {
    /// A file is larger than a board takes.
    #[error("{path} has {size} bytes, at most {} are allowed", limits::FILE)]
    #[diagnostic(code(release::file_size))]
    #[diagnostic(help("exclude it"))]
    FileSize {
        /// Which file.
        path: String,
        /// How large it is.
        size: u64,
    },
    /// All files together are more than a board takes.
    #[error("the files have {size} bytes, at most {LARGEST} are allowed together")]
    #[diagnostic(code(release::too_much))]
    #[diagnostic(help("exclude what no board needs: `exclude` in mpota.toml"))]
    TooMuch {
        /// How large they are.
        size: u64,
    },
    /// Two files that a board with FAT cannot hold beside each other.
    #[error("{0} and {1} are the same name to FAT, which many boards have: no board could take both")]
    #[diagnostic(code(release::twins))]
    #[diagnostic(help("rename or exclude one of them; there is no option that lets them in"))]
    Twins(String, String),
    /// A hook is not among the files.
    #[error("the hook {0} is not a file of the release")]
    #[diagnostic(code(release::hook))]
    #[diagnostic(help("a hook is a path as on the board, of a file that `include` brings"))]
    Hook(String),
    /// A pack is named after the project.
    #[error("a release with a pack needs a project")]
    #[diagnostic(
        code(release::no_project),
        help("write the GitHub repository that the boards ask into mpota.toml: project = \"octo/weather\"")
    )]
    NoProject,
    /// A file cannot be compressed.
    #[error("cannot make the pack")]
    #[diagnostic(
        code(release::pack),
        help("build with --no-compress, and report this: it is a fault of mpota")
    )]
    Pack(#[from] PackError),
    /// The manifest breaks a rule.
    #[error("these files cannot be a release")]
    #[diagnostic(code(release::rules))]
    #[diagnostic(help("the rules are in spec/manifest.md"))]
    Manifest(#[from] ManifestError),
}

/// A file as it shall lie on the board.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// Its path there.
    pub path: String,
    /// Its content.
    pub bytes: Vec<u8>,
    /// Whether a board that has a file there leaves it as it is.
    pub keep: bool,
}

/// How the files of a release are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// All in one asset.
    Pack {
        /// Whether each file is compressed.
        compress: bool,
    },
    /// Each an asset by itself.
    Plain,
}

/// A file of a release folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    /// Its name.
    pub name: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// A manifest and the assets that it describes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// What the release is; not signed yet.
    pub manifest: Manifest,
    /// Everything but `manifest.json`.
    pub assets: Vec<Asset>,
}

impl Release {
    /// Makes a release of `files`. The pack of `header`, if any, is replaced.
    pub fn assemble(header: Header, layout: Layout, files: Vec<Input>) -> Result<Self, ReleaseError> {
        Self::assemble_form(header, layout, files, None)
    }

    /// The same; `compiled` is the version of `.mpy` files of which this is the compiled form of a release.
    pub fn assemble_form(
        mut header: Header,
        layout: Layout,
        mut files: Vec<Input>,
        compiled: Option<u8>,
    ) -> Result<Self, ReleaseError> {
        for hook in [&header.hooks.post_update, &header.hooks.rollback].into_iter().flatten() {
            if !files.iter().any(|file| file.path == *hook) {
                return Err(ReleaseError::Hook(hook.clone()));
            }
        }
        if let Some(file) = files.iter().find(|file| file.bytes.len() as u64 > limits::FILE) {
            let (path, size) = (file.path.clone(), file.bytes.len() as u64);
            return Err(ReleaseError::FileSize { path, size });
        }
        let size = files.iter().map(|file| file.bytes.len() as u64).sum();
        if size > LARGEST {
            return Err(ReleaseError::TooMuch { size });
        }
        files.sort_by_cached_key(|file| manifest::sort_key(&file.path));
        check_twins(&files)?;
        let (entries, assets) = match layout {
            Layout::Plain => plain(files, compiled),
            Layout::Pack { compress } => {
                let project = header.project.as_deref().ok_or(ReleaseError::NoProject)?;
                let name = names::pack(project, &header.version, compiled);
                let (entries, bytes) = packed(&files, compress)?;
                header.pack = Some(Pack { asset: name.clone(), size: bytes.len() as u64 });
                (entries, vec![Asset { name, bytes }])
            }
        };
        let manifest = Manifest { header, files: entries, signature: None };
        // Whatever breaks a rule is found here and not on a board.
        manifest.to_bytes()?;
        Ok(Self { manifest, assets })
    }
}

/// Of files in their order: no two alike but for letter case, and none where another has a folder.
fn check_twins(files: &[Input]) -> Result<(), ReleaseError> {
    for pair in files.windows(2) {
        let [one, two] = [&pair[0], &pair[1]].map(|file| manifest::sort_key(&file.path));
        if two.strip_prefix(&*one).is_some_and(|rest| rest.is_empty() || rest[0] == 0) {
            return Err(ReleaseError::Twins(pair[0].path.clone(), pair[1].path.clone()));
        }
    }
    Ok(())
}

fn entry(file: &Input, place: Place) -> FileEntry {
    FileEntry {
        path: file.path.clone(),
        size: file.bytes.len() as u64,
        sha256: sha256(&file.bytes),
        crc32: crc32(&file.bytes),
        place,
        keep: file.keep,
        more: More::new(),
    }
}

fn plain(files: Vec<Input>, compiled: Option<u8>) -> (Vec<FileEntry>, Vec<Asset>) {
    // Assets of the two forms lie beside each other.
    let form = compiled.map(|version| format!("mpy-{version}/")).unwrap_or_default();
    let paths: Vec<String> = files.iter().map(|file| format!("{form}{}", file.path)).collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let names = path::asset_names(&paths);
    let named = files.into_iter().zip(names);
    named
        .map(|(file, name)| {
            let entry = entry(&file, Place::Asset { name: name.clone() });
            (entry, Asset { name, bytes: file.bytes })
        })
        .unzip()
}

fn packed(files: &[Input], compress: bool) -> Result<(Vec<FileEntry>, Vec<u8>), PackError> {
    // On all cores; the order is that of the files, whichever is done first.
    let made = files.par_iter().map(|file| {
        let stored = pack::compress(&file.bytes, compress)?;
        Ok((entry(file, Place::Packed { offset: 0, length: stored.len() as u64 }), stored))
    });
    let made: Vec<(FileEntry, Vec<u8>)> = made.collect::<Result<_, PackError>>()?;
    let mut bytes = Vec::with_capacity(made.iter().map(|(_, stored)| stored.len()).sum());
    let mut entries = Vec::with_capacity(made.len());
    for (mut entry, stored) in made {
        if let Place::Packed { offset, .. } = &mut entry.place {
            *offset = bytes.len() as u64;
        }
        bytes.extend(stored);
        entries.push(entry);
    }
    Ok((entries, bytes))
}
