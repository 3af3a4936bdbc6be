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
        all.push_str(&format!("{} {} {} {}\n", file.path, file.size, place, u8::from(file.keep)));
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

/// Whether the spec lets a board say this of a manifest of which Rust says that: a board may take what Rust refuses for
/// its form or for a shared asset, or stop at another rule. It never ends in an error of another kind.
#[must_use]
pub fn may_differ(rust: &str, board: &str, manifest: &[u8]) -> bool {
    let header = manifest.split(|&b| b == b'\n').next().unwrap_or_default();
    let pack: &[u8] = b",\"pack\":{"; // where the header has the right form, this is the key and nothing else
    let shared = || !header.windows(pack.len()).any(|bytes| bytes == pack);
    let lax = rust == "header" || rust == "entry" || (rust == "layout" && shared());
    // What a board takes for deep nesting, wherever the brackets stand.
    let brackets = |line: &[u8]| line.iter().filter(|b| matches!(b, b'[' | b'{')).count() > 140;
    if (board == "header" || board == "entry") && manifest.split(|&b| b == b'\n').any(brackets) {
        return true;
    }
    let code = !board.is_empty() && board.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
    lax && (code || board.starts_with("valid "))
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
                "valid {} {} {} {} {} {} {} {} {} {} {} {} {} {:08x}",
                record.seq,
                record.state,
                record.boots,
                record.wakes,
                record.tries,
                record.most,
                record.secs,
                record.wait,
                record.again,
                record.since,
                u8::from(record.hook),
                u8::from(record.repair),
                u8::from(record.early),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_board_may_differ_where_only_the_form_is_wrong_and_nowhere_else() {
        let packed = b"{\"mpota\":1,\"version\":\"v1.0.0\",\"pack\":{\"asset\":\"a\",\"size\":0},\"files\":[\n\"pack\":{";
        let plain = b"{\"mpota\":1,\"version\":\"v1.0.0\",\"more\":{\"pack\":1},\"files\":[\n,\"pack\":{";
        let mut count = 0;
        for (rust, board, in_pack, in_assets) in [
            ("header", "valid v1.0.0 - 1 0 0 00000000", true, true),
            ("header", "path-order", true, true),
            ("entry", "valid v1.0.0 - 1 0 0 00000000", true, true),
            ("entry", "sig-bad", true, true),
            ("layout", "valid v1.0.0 - 1 0 0 00000000", false, true),
            ("layout", "ending", false, true),
            ("header", "raises KeyError: x", false, false),
            ("entry", "hangs for 30 s", false, false),
            ("entry", "ends the interpreter", false, false),
            ("entry", "two passes differ", false, false),
            ("header", "", false, false),
            ("needs", "valid v1.0.0 - 1 0 0 00000000", false, false),
            ("needs", "header", false, false),
            ("path", "valid v1.0.0 - 1 0 0 00000000", false, false),
            ("signature", "ending", false, false),
            ("sig-bad", "valid v1.0.0 - 1 0 0 00000000", false, false),
            ("valid v1.0.0 - 1 0 0 00000000", "header", false, false),
            ("valid v1.0.0 - 1 0 0 00000000", "valid v1.0.0 - 2 0 0 00000000", false, false),
        ] {
            assert_eq!(may_differ(rust, board, packed), in_pack, "{rust}, {board}");
            assert_eq!(may_differ(rust, board, plain), in_assets, "{rust}, {board}");
            count += 2;
        }
        let nested = [&packed[..], b"[".repeat(141).as_slice()].concat();
        assert!(may_differ("hook", "header", &nested) && !may_differ("hook", "header", packed));
        assert!(!may_differ("hook", "path", &nested));
        count += 3;
        println!("  cases {count}: what a board may say instead");
    }
}
