//! What must hold for any bytes. A target panics where it does not.

mod rollout;
mod serve;

use std::sync::LazyLock;

use mpota_format::journal::{Record, newest};
use mpota_format::manifest::Manifest;
use mpota_format::pack::{PackError, compress, decompress};
use mpota_format::path::{asset_name, check_path, is_asset_name};
use mpota_format::report::Report;
use mpota_format::rollout::is_id;
use mpota_format::sshsig::{PublicKey, check};
use mpota_format::version::Version;
use mpota_format::{limits, manifest};

use crate::{repair, seeds};

pub use serve::serve;

/// Makes a mutation fit again.
pub type Repair = fn(&[u8]) -> Vec<u8>;

/// A target and what drives it.
#[derive(Clone, Copy)]
pub struct Target {
    /// Its name on the command line.
    pub name: &'static str,
    /// What is run for each input: whether it was accepted.
    pub run: fn(&[u8]) -> bool,
    /// Where mutations begin.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// The words of the format.
    pub words: &'static [&'static str],
    /// What makes half of the mutations fit again.
    pub repair: Option<Repair>,
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// All of them.
pub const ALL: [Target; 8] = [
    Target {
        name: "manifest",
        run: read_manifest,
        seeds: seeds::manifests,
        words: &seeds::MANIFEST,
        repair: Some(repair::tidy),
    },
    Target { name: "pack", run: unpack, seeds: seeds::packs, words: &[], repair: None },
    Target {
        name: "journal",
        run: read_record,
        seeds: seeds::records,
        words: &seeds::RECORD,
        repair: Some(repair::sum),
    },
    Target {
        name: "signature",
        run: read_signature,
        seeds: seeds::manifests,
        words: &seeds::MANIFEST,
        repair: Some(repair::sign),
    },
    Target {
        name: "rollout",
        run: rollout::read_rollout,
        seeds: seeds::rollouts,
        words: &seeds::ROLLOUT,
        repair: Some(repair::sign_rollout),
    },
    Target { name: "text", run: read_text, seeds: seeds::versions, words: &seeds::VERSION, repair: None },
    Target { name: "report", run: read_report, seeds: seeds::reports, words: &seeds::REPORT, repair: None },
    Target { name: "serve", run: serve, seeds: seeds::requests, words: &seeds::REQUEST, repair: None },
];

/// A manifest that is taken is written again to the same bytes, is JSON, and keeps to the limits.
fn read_manifest(bytes: &[u8]) -> bool {
    let Ok(read) = Manifest::parse(bytes) else { return false };
    assert!(
        read.to_bytes().is_ok_and(|again| again == bytes),
        "it is written in another way than it was read"
    );
    assert!(serde_json::from_slice::<serde_json::Value>(bytes).is_ok(), "it is not JSON");
    assert!(!read.files.is_empty() && read.header.needs.is_empty());
    let mut keys: Vec<_> = read.files.iter().map(|file| manifest::sort_key(&file.path)).collect();
    keys.dedup();
    assert!(keys.len() == read.files.len() && keys.is_sorted(), "two paths that a board takes for one");
    for file in &read.files {
        assert!(file.size <= limits::FILE && check_path(&file.path).is_ok());
    }
    if read.signature.is_some() {
        assert!(read.signed_bytes().is_ok_and(|signed| signed == manifest::signed_part(bytes)));
    }
    true
}

/// What is unpacked has the size that was claimed, and comes back when it is packed again. The first four bytes
/// claim the size.
fn unpack(bytes: &[u8]) -> bool {
    let Some((size, stored)) = bytes.split_first_chunk::<4>() else { return false };
    let size = u64::from(u32::from_le_bytes(*size));
    match decompress(stored, size) {
        Ok(content) => {
            assert_eq!(content.len() as u64, size, "another size than was claimed");
            assert!(size <= limits::FILE && stored.len() <= content.len());
            assert!(stored.len() < content.len() || stored == content, "stored, but changed");
            let again = compress(&content, true).unwrap_or_default();
            assert!(decompress(&again, size).is_ok_and(|same| same == content), "it does not come back");
            true
        }
        Err(PackError::Compressor(what)) => panic!("the compressor was asked to unpack: {what}"),
        Err(_) => false,
    }
}

/// What is taken of a board's report is short, is printable ASCII, and says the same when it is written again.
fn read_report(bytes: &[u8]) -> bool {
    let Ok(report) = Report::parse(bytes) else { return false };
    let Report { id, version, state, bad, why, micropython, board, flash, memory, boots } = report.clone();
    assert!(bytes.len() <= limits::REPORT && is_id(&id));
    for version in [&version, &bad].into_iter().flatten() {
        assert!(Version::parse(version).is_ok(), "{version:?}");
    }
    for text in [&version, &state, &bad, &why, &micropython, &board].into_iter().flatten() {
        assert!(text.len() <= limits::WHY && text.bytes().all(|b| (b' '..=b'~').contains(&b)), "{text:?}");
    }
    let mut again = serde_json::json!({
        "id": id, "version": version, "state": state, "bad": bad, "why": why, "micropython": micropython,
        "board": board, "flash": flash, "memory": memory, "boots": boots,
    });
    if let Some(keys) = again.as_object_mut() {
        keys.retain(|_, value| !value.is_null());
    }
    assert_eq!(Report::parse(again.to_string().as_bytes()), Ok(report));
    true
}

/// A record that counts is written again as one that says the same.
fn read_record(bytes: &[u8]) -> bool {
    let Ok(record) = Record::parse(bytes) else {
        assert_eq!(newest(Some(bytes), None), None);
        return false;
    };
    assert!(record.seq > 0);
    assert_eq!(newest(None, Some(bytes)).as_ref(), Some(&record));
    // What was shorter with keys left out may be too long with all of them.
    if let Ok(again) = record.to_bytes() {
        assert_eq!(Record::parse(&again), Ok(record), "it says something else when it is written again");
    }
    true
}

static KEYS: LazyLock<Vec<PublicKey>> =
    LazyLock::new(|| seeds::keys().lines().filter_map(|line| PublicKey::parse_line(line).ok()).collect());

/// A signature that is taken is by a trusted key, over these bytes and no others, and by no key that is not trusted.
fn read_signature(bytes: &[u8]) -> bool {
    assert_eq!(KEYS.len(), 2);
    let Ok(checked) = check(bytes, &KEYS) else { return false };
    let by = KEYS.iter().position(|key| key.fingerprint() == checked.fingerprint);
    let Some(by) = by else { panic!("by nobody who is trusted") };
    let own = std::slice::from_ref(&KEYS[by]);
    assert!(check(bytes, own).is_ok(), "not by the key that it names");
    assert!(check(bytes, &[]).is_err() && check(bytes, std::slice::from_ref(&KEYS[1 - by])).is_err());
    // One bit of what is signed, chosen by the bytes themselves.
    let signed = manifest::signed_part(bytes).len();
    let at = mpota_format::digest::crc32(bytes) as usize % (signed * 8);
    let mut other = bytes.to_vec();
    other[at / 8] ^= 1 << (at % 8);
    assert!(check(&other, &KEYS).is_err(), "bit {at} is not signed");
    true
}

/// Versions, paths, asset names and key lines: what is taken is said again.
fn read_text(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let mut taken = false;
    if let Ok(version) = Version::parse(&text) {
        assert_eq!(version.as_str(), text);
        assert_eq!(version.cmp(&version), std::cmp::Ordering::Equal);
        taken = true;
    }
    if check_path(&text).is_ok() {
        assert!(text.len() <= limits::PATH && text.split('/').all(|part| !["", ".", ".."].contains(&part)));
    }
    assert!(is_asset_name(&asset_name(&text)));
    if let Ok(key) = PublicKey::parse_line(&text) {
        assert_eq!(PublicKey::parse_line(&key.to_string()), Ok(key));
        taken = true;
    }
    taken
}
