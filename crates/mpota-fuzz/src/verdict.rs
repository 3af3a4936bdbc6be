//! What the Rust readers say, each in one line that `vboard/fuzz_reader.py` must say too.

use mpota_format::digest::{crc32, sha256};
use mpota_format::journal::Record;
use mpota_format::manifest::{Manifest, Place};
use mpota_format::pack::decompress;
use mpota_format::sshsig::{PublicKey, check};
use mpota_format::version::Version;

/// The facts of a manifest, or the code of the rule that it breaks; with `keys` the signature too.
#[must_use]
pub fn manifest(bytes: &[u8], keys: Option<&[PublicKey]>) -> String {
    let manifest = match Manifest::parse(bytes) {
        Ok(manifest) => manifest,
        Err(error) => return error.code().to_owned(),
    };
    if let Some(keys) = keys
        && let Err(error) = check(bytes, keys)
    {
        return error.code().to_owned();
    }
    let mut all = String::new();
    for file in &manifest.files {
        let place = match &file.place {
            Place::Packed { offset, length } => format!("{offset} {length}"),
            Place::Asset { name } => name.clone(),
            _ => String::new(),
        };
        all.push_str(&format!("{} {} {}\n", file.path, file.size, place));
    }
    format!(
        "valid {} {} {} {} {} {:08x}",
        manifest.header.version,
        manifest.header.project.as_deref().unwrap_or("-"),
        manifest.files.len(),
        manifest.files.iter().map(|file| file.size).sum::<u64>(),
        u8::from(manifest.signature.is_some()),
        crc32(all.as_bytes()),
    )
}

/// What a journal record says, or that it does not count.
#[must_use]
pub fn record(bytes: &[u8]) -> String {
    Record::parse(bytes).map_or_else(
        |_| "none".to_owned(),
        |record| {
            let texts = [&record.version, &record.next, &record.plan, &record.bad, &record.why];
            let texts: String = texts.iter().map(|text| format!("{text}\n")).collect();
            format!(
                "valid {} {} {} {} {} {} {} {:08x}",
                record.seq,
                record.state,
                record.boots,
                record.tries,
                record.secs,
                u8::from(record.hook),
                u8::from(record.repair),
                crc32(texts.as_bytes())
            )
        },
    )
}

/// How two versions, with a line break between them, are ordered; `none` where one is no version.
#[must_use]
pub fn versions(bytes: &[u8]) -> String {
    let Ok(text) = std::str::from_utf8(bytes) else { return "none".to_owned() };
    let (a, b) = text.split_once('\n').unwrap_or((text, "1.0.0"));
    match (Version::parse(a), Version::parse(b)) {
        (Ok(a), Ok(b)) => format!("valid {} {}", a.cmp(&b) as i8, u8::from(a.is_prerelease())),
        (a, b) => format!("none {} {}", u8::from(a.is_ok()), u8::from(b.is_ok())),
    }
}

/// Whether a packed file, behind its size in four bytes, is taken, and the SHA-256 of what it holds.
#[must_use]
pub fn pack(bytes: &[u8]) -> (String, [u8; 32]) {
    let (size, stored) = bytes.split_first_chunk::<4>().unwrap_or((&[0; 4], &[]));
    decompress(stored, u64::from(u32::from_le_bytes(*size)))
        .map_or_else(|_| ("refused".to_owned(), [0; 32]), |content| ("valid".to_owned(), sha256(&content)))
}
