//! Makes a mutation fit again where one wrong number would hide all that comes behind it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, SigningKey};
use mpota_format::digest::{crc32, sha256};
use mpota_format::manifest::{signed_part, sort_key};
use mpota_format::rollout;
use mpota_format::sshsig::{blob, blob_in, signing_block, signing_block_in};

/// TEST KEY: the first of `spec/vectors/signature/keys`. Whoever reads this has it.
#[must_use]
pub fn test_key() -> SigningKey {
    SigningKey::from_bytes(&sha256(b"mpota TEST KEY 1, NOT SECRET"))
}

/// Signs what lies before the last line, whatever it is, with [`test_key`].
#[must_use]
pub fn sign(manifest: &[u8]) -> Vec<u8> {
    let mut out = match manifest.strip_suffix(b"]}\n") {
        Some(body) => [body, b"],\n"].concat(),
        None => signed_part(manifest).to_vec(),
    };
    let key = test_key();
    let signature = key.sign(&signing_block(&out)).to_bytes();
    let text = STANDARD.encode(blob(key.verifying_key().as_bytes(), &signature));
    out.extend(format!("\"signature\":\"{text}\"}}\n").bytes());
    out
}

/// Signs the first line, whatever it is, with [`test_key`].
#[must_use]
pub fn sign_rollout(rollout: &[u8]) -> Vec<u8> {
    let first = rollout::signed_part(rollout);
    let body = first.strip_suffix(b",\n").or_else(|| first.strip_suffix(b"}\n")).unwrap_or(rollout);
    let mut out = [body, b",\n"].concat();
    let key = test_key();
    let signature = key.sign(&signing_block_in(rollout::NAMESPACE, &out)).to_bytes();
    let blob = blob_in(rollout::NAMESPACE, key.verifying_key().as_bytes(), &signature);
    out.extend(format!("\"signature\":\"{}\"}}\n", STANDARD.encode(blob)).bytes());
    out
}

/// Puts the file lines into their order, one for each path, with the commas where they belong, and lays them out.
#[must_use]
pub fn tidy(manifest: &[u8]) -> Vec<u8> {
    const FILE: &[u8] = b"{\"path\":\"";
    let path = |line: &[u8]| sort_key(&String::from_utf8_lossy(&line[FILE.len()..]).replacen('"', "/", 1));
    let lines: Vec<&[u8]> = manifest.split_inclusive(|&b| b == b'\n').collect();
    let file = |line: &&[u8]| line.starts_with(FILE);
    let Some(at) = lines.iter().position(file) else { return manifest.to_vec() };
    let mut files: Vec<&[u8]> = lines.iter().copied().filter(file).collect();
    files.sort_by_key(|line| path(line));
    files.dedup_by_key(|line| path(line).split(|&b| b == 0).next().map(<[u8]>::to_vec));
    let bare = files.iter().map(|line| line.strip_suffix(b"\n").unwrap_or(line));
    let files =
        bare.map(|line| line.strip_suffix(b",").unwrap_or(line)).collect::<Vec<_>>().join(&b",\n"[..]);
    let rest: Vec<&[u8]> = lines[at..].iter().copied().filter(|line| !file(line)).collect();
    lay_out(&[&lines[..at].concat(), &files[..], b"\n", &rest.concat()].concat())
}

/// Lets the files lie one behind the other again, and the pack end with the last.
fn lay_out(manifest: &[u8]) -> Vec<u8> {
    let mut end: u64 = 0;
    let mut lines: Vec<Vec<u8>> = Vec::new();
    for line in manifest.split_inclusive(|&b| b == b'\n') {
        let placed = set_number(line, b"\"offset\":", end);
        end = end.saturating_add(number(&placed, b"\"length\":").unwrap_or(0));
        lines.push(placed);
    }
    if let Some(first) = lines.first_mut() {
        *first = set_number(first, b"\"size\":", end);
    }
    lines.concat()
}

/// Puts the checksum before the text of a journal record.
#[must_use]
pub fn sum(record: &[u8]) -> Vec<u8> {
    let text = record.get(9..).unwrap_or_default();
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    [format!("{:08x} ", crc32(text)).as_bytes(), text, b"\n"].concat()
}

/// Where the digits behind `key` are.
fn digits(line: &[u8], key: &[u8]) -> Option<std::ops::Range<usize>> {
    let from = line.windows(key.len()).position(|part| part == key)? + key.len();
    let count = line[from..].iter().take_while(|b| b.is_ascii_digit()).count();
    (count > 0).then_some(from..from + count)
}

fn number(line: &[u8], key: &[u8]) -> Option<u64> {
    String::from_utf8_lossy(&line[digits(line, key)?]).parse().ok()
}

fn set_number(line: &[u8], key: &[u8], value: u64) -> Vec<u8> {
    let mut line = line.to_vec();
    if let Some(range) = digits(&line, key) {
        line.splice(range, value.to_string().bytes());
    }
    line
}
