//! The files of a release, checked one after the other, never more than one in memory.

use mpota_format::digest::{crc32, sha256};
use mpota_format::manifest::{FileEntry, Manifest, Place};
use mpota_format::pack::{self, PackError};
use thiserror::Error;

use crate::remote::source::{Source, SourceError};

/// As many bytes are unpacked from any pack.
const ALWAYS: u64 = 1 << 30;
/// Beyond [`ALWAYS`], so many bytes are unpacked for each byte of the pack. Text gives 3 to 10. A pack of a few megabytes
/// can be a thousand times as much unpacked, and its manifest may name files by the ten thousand.
const TIMES: u64 = 64;

/// Bytes of all files and of the pack, if that is more than anybody unpacks. It holds for the files up to each one: a pack
/// that ends before it should gives no more either.
pub(crate) fn unpacks_too_far(manifest: &Manifest) -> Option<(u64, u64)> {
    let pack = manifest.header.pack.as_ref()?;
    let (mut unpacked, mut packed) = (0_u64, 0_u64);
    let too_far = manifest.files.iter().any(|file| {
        let Place::Packed { length, .. } = file.place else { return false };
        unpacked = unpacked.saturating_add(file.size);
        packed = packed.saturating_add(length);
        unpacked > packed.saturating_mul(TIMES).max(ALWAYS)
    });
    too_far.then(|| (size(manifest), pack.size))
}

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
    /// All files together are much more than their pack.
    #[error("the files take {size} bytes unpacked, of a pack of {pack}: nothing was unpacked")]
    TooMuch {
        /// How many bytes.
        size: u64,
        /// Bytes of the pack.
        pack: u64,
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
    if let Some((size, pack)) = unpacks_too_far(manifest) {
        return tell(Finding::Release(Fault::TooMuch { size, pack }));
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

#[cfg(test)]
mod tests {
    use mpota_format::manifest::{Header, More, Pack};
    use mpota_format::version::Version;

    use super::*;

    /// A manifest of files with these sizes and these lengths in the pack.
    fn manifest(files: &[(u64, u64)]) -> Manifest {
        let mut header = Header::new(Version::parse("v1.0.0").unwrap());
        let size = files.iter().map(|(_, length)| length).sum();
        header.pack = Some(Pack { asset: "a.pack".to_owned(), size });
        let (place, more) = (|length| Place::Packed { offset: 0, length }, More::new());
        let file = |(size, length): &(u64, u64)| FileEntry {
            path: String::new(),
            size: *size,
            sha256: [0; 32],
            crc32: 0,
            place: place(*length),
            keep: false,
            more: more.clone(),
        };
        Manifest { header, files: files.iter().map(file).collect(), signature: None }
    }

    #[test]
    fn what_is_much_larger_than_its_pack_is_too_much_and_what_is_only_large_is_not() {
        let gib = ALWAYS;
        let cases: [(&[(u64, u64)], bool); 7] = [
            (&[(gib, 1)], false),
            (&[(gib + 1, 1)], true),
            (&[(4 * gib, gib / 16)], false),
            (&[(4 * gib + 1, gib / 16)], true),
            (&[(100 * gib, 100 * gib)], false),
            // The pack may end behind the first file, whatever is promised.
            (&[(2 * gib, 1), (gib, gib)], true),
            (&[(gib, gib), (2 * gib, 1)], false),
        ];
        for (files, too_far) in cases {
            let found = unpacks_too_far(&manifest(files));
            assert_eq!(found.is_some(), too_far, "{files:?}: {found:?}");
        }
        println!("  cases {}: packs and what they unpack to", cases.len());
        let mut plain = manifest(&[(gib + 1, 1)]);
        plain.header.pack = None;
        assert_eq!(unpacks_too_far(&plain), None);
    }
}
