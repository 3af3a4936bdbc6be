//! The files of a release, checked one after the other, never more than one in memory.

use mpota_format::digest::{crc32, sha256};
use mpota_format::manifest::{FileEntry, Manifest, Place};
use mpota_format::pack::{self, PackError};
use thiserror::Error;

use crate::remote::source::{Source, SourceError};

/// Most bytes of all files of a release together: a gigabyte, more than the flash of any board. A pack of a
/// few megabytes can be a thousand times as much unpacked, and its manifest may name files by the ten
/// thousand.
pub const LARGEST: u64 = 1 << 30;

/// What is wrong with a file of a release, or with the pack.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Fault {
    /// The asset is not there.
    #[error("{0} is not there")]
    Missing(String),
    /// The asset ends early.
    #[error("{asset} ends after {found} bytes, it should have {wanted}")]
    Short {
        /// Its name.
        asset: String,
        /// How many bytes it has.
        found: u64,
        /// How many it should have.
        wanted: u64,
    },
    /// The asset goes on.
    #[error("{asset} has more than the {wanted} bytes that it should have")]
    Long {
        /// Its name.
        asset: String,
        /// How many bytes it should have.
        wanted: u64,
    },
    /// It cannot be decompressed.
    #[error("it is damaged in the pack: {0}")]
    Packed(#[from] PackError),
    /// All files together are more than any board holds.
    #[error("the files take {size} bytes unpacked, {max} are allowed: nothing was unpacked", max = LARGEST)]
    TooMuch {
        /// How many bytes.
        size: u64,
    },
    /// Its content is another one.
    #[error("its SHA-256 is not the one in the manifest")]
    Sha256,
    /// Its content is the right one, and the manifest still says something else.
    #[error("its CRC32 is not the one in the manifest")]
    Crc32,
}

impl Fault {
    /// A short name of the fault, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing(_) => "missing",
            Self::Short { .. } => "short",
            Self::Long { .. } => "long",
            Self::Packed(_) => "packed",
            Self::TooMuch { .. } => "too-much",
            Self::Sha256 => "sha256",
            Self::Crc32 => "crc32",
        }
    }
}

/// What a check tells while it goes.
#[derive(Debug)]
#[non_exhaustive]
pub enum Finding<'a> {
    /// This file is right, and this is its content.
    Good(&'a FileEntry, Vec<u8>),
    /// This file is not right.
    Bad(&'a FileEntry, Fault),
    /// The pack is not right.
    Pack(Fault),
    /// The release is not right as a whole: no file was looked at.
    Release(Fault),
}

/// Reads every file of the release. Stops at the first error of `tell`.
pub fn check<E: From<SourceError>>(
    source: &dyn Source,
    manifest: &Manifest,
    tell: &mut dyn FnMut(Finding<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let size = size(manifest);
    if size > LARGEST {
        return tell(Finding::Release(Fault::TooMuch { size }));
    }
    if manifest.header.pack.is_some() {
        return check_pack(source, manifest, tell);
    }
    for file in &manifest.files {
        let Place::Asset { name } = &file.place else { continue };
        tell(match read_asset(source, name, file.size)? {
            Ok(bytes) => compare(file, bytes),
            Err(fault) => Finding::Bad(file, fault),
        })?;
    }
    Ok(())
}

/// Bytes of all files on a board, as the manifest says: no file that is unpacked gets larger.
pub fn size(manifest: &Manifest) -> u64 {
    manifest.files.iter().map(|file| file.size).fold(0, u64::saturating_add)
}

/// An asset that must have exactly `wanted` bytes.
fn read_asset(source: &dyn Source, name: &str, wanted: u64) -> Result<Result<Vec<u8>, Fault>, SourceError> {
    let mut asset = match source.open(name) {
        Ok(asset) => asset,
        Err(SourceError::Missing(_)) => return Ok(Err(Fault::Missing(name.to_owned()))),
        Err(error) => return Err(error),
    };
    let bytes = asset.take(wanted.saturating_add(1))?;
    let (found, name) = (bytes.len() as u64, name.to_owned());
    Ok(match found {
        _ if found > wanted => Err(Fault::Long { asset: name, wanted }),
        _ if found < wanted => Err(Fault::Short { asset: name, found, wanted }),
        _ => Ok(bytes),
    })
}

fn check_pack<E: From<SourceError>>(
    source: &dyn Source,
    manifest: &Manifest,
    tell: &mut dyn FnMut(Finding<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let Some(pack) = &manifest.header.pack else { return Ok(()) };
    let mut asset = match source.open(&pack.asset) {
        Ok(asset) => asset,
        Err(SourceError::Missing(_)) => {
            let fault = Fault::Missing(pack.asset.clone());
            for file in &manifest.files {
                tell(Finding::Bad(file, fault.clone()))?;
            }
            return tell(Finding::Pack(fault));
        }
        Err(error) => return Err(error.into()),
    };
    // The manifest's rules put the files one behind the other: the pack is read in one go.
    let mut found = 0;
    for file in &manifest.files {
        let Place::Packed { length, .. } = file.place else { continue };
        let stored = asset.take(length)?;
        found += stored.len() as u64;
        let short = || Fault::Short { asset: pack.asset.clone(), found, wanted: pack.size };
        tell(if stored.len() as u64 != length {
            Finding::Bad(file, short())
        } else {
            match pack::decompress(&stored, file.size) {
                Ok(bytes) => compare(file, bytes),
                Err(error) => Finding::Bad(file, error.into()),
            }
        })?;
    }
    let (asset_name, wanted) = (pack.asset.clone(), pack.size);
    if found < wanted {
        tell(Finding::Pack(Fault::Short { asset: asset_name, found, wanted }))
    } else if !asset.take(1)?.is_empty() {
        tell(Finding::Pack(Fault::Long { asset: asset_name, wanted }))
    } else {
        Ok(())
    }
}

fn compare(file: &FileEntry, bytes: Vec<u8>) -> Finding<'_> {
    if sha256(&bytes) != file.sha256 {
        Finding::Bad(file, Fault::Sha256)
    } else if crc32(&bytes) != file.crc32 {
        Finding::Bad(file, Fault::Crc32)
    } else {
        Finding::Good(file, bytes)
    }
}
