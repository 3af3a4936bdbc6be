//! A release of files: they are read, and the bytes of its assets given away as they come. Only its manifest is held.

use miette::Diagnostic;
use mpota_format::digest::{crc32, sha256};
use mpota_format::manifest::{self, FileEntry, Header, Manifest, ManifestError, More, Pack, Place};
use mpota_format::pack::{self, PackError};
use mpota_format::{limits, path};
use thiserror::Error;

use crate::release::contents;
use crate::release::input::Input;
use crate::release::ordered::ordered;
use crate::remote::names;

/// Takes the bytes of an asset, some at a time.
pub(super) type Put<'a, E> = dyn FnMut(&str, &[u8]) -> Result<(), E> + Send + 'a;

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
    /// All files together are much more than their pack.
    #[error("the files have {size} bytes, and their pack {pack}: nobody would unpack it")]
    #[diagnostic(code(release::too_much))]
    #[diagnostic(help("exclude the large files that are nearly empty, or build with --no-compress"))]
    TooMuch {
        /// How large they are.
        size: u64,
        /// How large their pack is.
        pack: u64,
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

/// A file of a release, which is made of an input.
#[derive(Debug, Clone)]
pub struct Part<'a> {
    /// Its path on a board.
    pub path: String,
    /// What it is made of.
    pub input: &'a Input,
}

/// The inputs as they are.
pub fn parts(inputs: &[Input]) -> Vec<Part<'_>> {
    inputs.iter().map(|input| Part { path: input.path.clone(), input }).collect()
}

/// What is made.
#[derive(Debug, Clone)]
pub struct Form {
    /// What the manifest begins with. Its pack, if any, is replaced.
    pub header: Header,
    /// How its files are laid out.
    pub layout: Layout,
    /// The version of `.mpy` files of which this is the compiled form of a release.
    pub compiled: Option<u8>,
}

impl Form {
    /// Makes the manifest of `parts`. `read` gives their contents, on many threads; `put` gets the bytes of the assets,
    /// each to be written behind what it got before under the same name, and one asset after the other.
    pub fn assemble<E: From<ReleaseError> + Send>(
        self,
        mut parts: Vec<Part<'_>>,
        read: &(dyn Fn(&Part<'_>) -> Result<Vec<u8>, E> + Sync),
        put: &mut Put<'_, E>,
    ) -> Result<Manifest, E> {
        let Self { mut header, layout, compiled } = self;
        for hook in [&header.hooks.post_update, &header.hooks.rollback].into_iter().flatten() {
            if !parts.iter().any(|part| part.path == *hook) {
                return Err(ReleaseError::Hook(hook.clone()).into());
            }
        }
        parts.sort_by_cached_key(|part| manifest::sort_key(&part.path));
        check_twins(&parts)?;
        let files = match layout {
            Layout::Plain => plain(&parts, compiled, read, put)?,
            Layout::Pack { compress } => {
                let project = header.project.as_deref().ok_or(ReleaseError::NoProject)?;
                let asset = names::pack(project, &header.version, compiled);
                let (files, size) = packed(&parts, compress, read, &mut |bytes| put(&asset, bytes))?;
                header.pack = Some(Pack { asset, size });
                files
            }
        };
        let manifest = Manifest { header, files, signature: None };
        if let Some((size, pack)) = contents::unpacks_too_far(&manifest) {
            return Err(ReleaseError::TooMuch { size, pack }.into());
        }
        // Whatever breaks a rule is found here and not on a board.
        manifest.to_bytes().map_err(ReleaseError::from)?;
        Ok(manifest)
    }
}

/// Of files in their order: no two alike but for letter case, and none where another has a folder.
fn check_twins(parts: &[Part<'_>]) -> Result<(), ReleaseError> {
    for pair in parts.windows(2) {
        let [one, two] = [&pair[0], &pair[1]].map(|part| manifest::sort_key(&part.path));
        if two.strip_prefix(&*one).is_some_and(|rest| rest.is_empty() || rest[0] == 0) {
            return Err(ReleaseError::Twins(pair[0].path.clone(), pair[1].path.clone()));
        }
    }
    Ok(())
}

fn entry(part: &Part<'_>, bytes: &[u8], place: Place) -> Result<FileEntry, ReleaseError> {
    let (path, size) = (part.path.clone(), bytes.len() as u64);
    if size > limits::FILE {
        return Err(ReleaseError::FileSize { path, size });
    }
    let (sha256, crc32) = (sha256(bytes), crc32(bytes));
    Ok(FileEntry { path, size, sha256, crc32, place, keep: part.input.keep, more: More::new() })
}

fn size(part: &Part<'_>) -> u64 {
    part.input.facts.size
}

fn plain<E: From<ReleaseError> + Send>(
    parts: &[Part<'_>],
    compiled: Option<u8>,
    read: &(dyn Fn(&Part<'_>) -> Result<Vec<u8>, E> + Sync),
    put: &mut Put<'_, E>,
) -> Result<Vec<FileEntry>, E> {
    // Assets of the two forms lie beside each other.
    let form = compiled.map(|version| format!("mpy-{version}/")).unwrap_or_default();
    let paths: Vec<String> = parts.iter().map(|part| format!("{form}{}", part.path)).collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let named: Vec<_> = parts.iter().zip(path::asset_names(&paths)).collect();
    let mut files = Vec::with_capacity(parts.len());
    let work = |(part, name): &(&Part<'_>, String)| {
        let bytes = read(part)?;
        Ok((entry(part, &bytes, Place::Asset { name: name.clone() })?, bytes))
    };
    ordered(
        &named,
        |(part, _)| size(part),
        work,
        |(_, name), (entry, bytes)| {
            files.push(entry);
            put(name, &bytes)
        },
    )?;
    Ok(files)
}

/// The files, and how many bytes they take in the pack.
fn packed<E: From<ReleaseError> + Send>(
    parts: &[Part<'_>],
    compress: bool,
    read: &(dyn Fn(&Part<'_>) -> Result<Vec<u8>, E> + Sync),
    put: &mut (dyn FnMut(&[u8]) -> Result<(), E> + Send),
) -> Result<(Vec<FileEntry>, u64), E> {
    let mut files = Vec::with_capacity(parts.len());
    let mut offset = 0;
    // A pack of empty files is one, too.
    put(&[])?;
    let work = |part: &Part<'_>| {
        let bytes = read(part)?;
        let entry = entry(part, &bytes, Place::Packed { offset: 0, length: 0 })?;
        let stored = pack::compress(&bytes, compress).map_err(ReleaseError::from)?;
        Ok((entry, stored))
    };
    ordered(parts, size, work, |_, (mut entry, stored)| {
        let length = stored.len() as u64;
        entry.place = Place::Packed { offset, length };
        offset += length;
        files.push(entry);
        put(&stored)
    })?;
    Ok((files, offset))
}
