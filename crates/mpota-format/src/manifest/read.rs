//! Bytes to a manifest, in one pass, line by line.

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::error::{Code, ManifestError};
use super::header::{asset, header_line};
use super::more::more;
use super::{FileEntry, Header, Manifest, More, Pack, Place, sort_key};
use crate::limits;
use crate::line::{Line, Wrong};
use crate::path::check_path;

const START: &[u8] = b"{\"mpota\":";

impl Manifest {
    /// Reads a manifest, whole and strictly.
    ///
    /// # Errors
    /// The first rule of the spec that it breaks.
    pub fn parse(bytes: &[u8]) -> Result<Self, ManifestError> {
        if bytes.len() > limits::MANIFEST {
            let detail = format!("the manifest has {} bytes, {} are allowed", bytes.len(), limits::MANIFEST);
            return Err(ManifestError::new(Code::TooLarge, 1, detail));
        }
        let mut lines = Lines { rest: bytes, number: 0 };
        let header = header(&mut lines)?;
        let files = files(&mut lines, header.pack.as_ref())?;
        let signature = ending(&mut lines)?;
        for hook in [&header.hooks.post_update, &header.hooks.rollback].into_iter().flatten() {
            let why = match files.iter().find(|file| file.path == *hook) {
                None => "is not a file of the release",
                Some(file) if file.keep => "is kept: it would be the board's own and not the release's",
                Some(_) => continue,
            };
            return Err(ManifestError::new(Code::Hook, 1, format!("the hook `{hook}` {why}")));
        }
        Ok(Self { header, files, signature })
    }
}

/// What is left of a manifest, and the number of the line that was read last.
struct Lines<'a> {
    rest: &'a [u8],
    number: usize,
}

impl<'a> Lines<'a> {
    /// The next line without its `\n`, which must come within `limit` bytes; there must be one.
    fn next(&mut self, limit: usize) -> Result<&'a [u8], ManifestError> {
        self.number += 1;
        if self.rest.is_empty() {
            return Err(self.refuse(Code::Ending, "the manifest stops early"));
        }
        let end = self.rest.iter().take(limit).position(|&b| b == b'\n');
        let end = end.ok_or_else(|| {
            let detail = format!("no end of the line within {limit} bytes");
            self.refuse(Code::LineTooLong, detail)
        })?;
        let line = &self.rest[..end];
        self.rest = &self.rest[end + 1..];
        Ok(line)
    }

    fn refuse(&self, code: Code, detail: impl Into<String>) -> ManifestError {
        ManifestError::new(code, self.number, detail)
    }
}

fn header(lines: &mut Lines<'_>) -> Result<Header, ManifestError> {
    let refuse = |code, detail: String| Err(ManifestError::new(code, 1, detail));
    let Some(after) = lines.rest.strip_prefix(START) else {
        return refuse(Code::NotAManifest, "it does not begin with `{\"mpota\":`".into());
    };
    let within = &after[..after.len().min(limits::HEADER_LINE + 1 - START.len())];
    let number = within.split(|&b| b == b',').next().unwrap_or_default();
    if !number.is_empty() && number.iter().all(u8::is_ascii_digit) && number != b"1" {
        let detail = format!("format {}: it is made by a newer mpota", String::from_utf8_lossy(number));
        return refuse(Code::FormatVersion, detail);
    }
    header_line(lines.next(limits::HEADER_LINE)?)
}

fn files(lines: &mut Lines<'_>, pack: Option<&Pack>) -> Result<Vec<FileEntry>, ManifestError> {
    let mut files = Vec::new();
    let mut last: Option<Vec<u8>> = None;
    let mut end = 0;
    let mut assets = HashSet::new();
    loop {
        let line = lines.next(limits::FILE_LINE)?;
        let (line, more) = line.strip_suffix(b",").map_or((line, false), |line| (line, true));
        if files.is_empty() && line.starts_with(b"]") {
            return Err(lines.refuse(Code::Entry, "a manifest has at least one file"));
        }
        let file = file_line(line, pack.is_some()).map_err(|wrong| lines.refuse(Code::Entry, wrong))?;
        check_path(&file.path)
            .map_err(|error| lines.refuse(Code::Path, format!("{:?}: {error}", file.path)))?;
        let key = sort_key(&file.path);
        if let Some(last) = &last {
            check_order(last, &key)
                .map_err(|wrong| lines.refuse(Code::PathOrder, format!("{:?} {wrong}", file.path)))?;
        }
        last = Some(key);
        match &file.place {
            Place::Packed { offset, length } => {
                if *offset != end {
                    let detail = format!("the offset is {offset} where the one before ends at {end}");
                    return Err(lines.refuse(Code::Layout, detail));
                }
                if *length > file.size {
                    let detail = format!("{length} bytes in the pack for a file of {} bytes", file.size);
                    return Err(lines.refuse(Code::Layout, detail));
                }
                end += length;
            }
            Place::Asset { name } => {
                if !assets.insert(name.clone()) {
                    return Err(lines.refuse(Code::Layout, format!("the asset `{name}` comes twice")));
                }
            }
        }
        files.push(file);
        if !more {
            break;
        }
    }
    if let Some(pack) = pack.filter(|pack| pack.size != end) {
        let detail = format!("the files end at {end}, the pack at {}", pack.size);
        return Err(lines.refuse(Code::Layout, detail));
    }
    Ok(files)
}

/// Whether the file with the key `key` may follow the one with the key `last`.
fn check_order(last: &[u8], key: &[u8]) -> Result<(), &'static str> {
    if key == last {
        return Err("is the path before it, if letter case is ignored");
    }
    if key < last {
        return Err("is out of order");
    }
    if key.strip_prefix(last).is_some_and(|rest| rest.starts_with(&[0])) {
        return Err("lies inside the path before it, which is a file");
    }
    Ok(())
}

fn file_line(bytes: &[u8], packed: bool) -> Result<FileEntry, Wrong> {
    let mut line = Line::new(bytes)?;
    let mut sha256 = [0; 32];
    let mut crc32 = [0; 4];
    line.expect("{\"path\":")?;
    let path = line.string()?;
    line.expect(",\"size\":")?;
    let size = line.number()?;
    if size > limits::FILE {
        return Err(format!("a file of more than {} bytes", limits::FILE));
    }
    line.expect(",\"sha256\":")?;
    line.hex(&mut sha256)?;
    line.expect(",\"crc32\":")?;
    line.hex(&mut crc32)?;
    let place = if packed {
        line.expect(",\"offset\":")?;
        let offset = line.number()?;
        line.expect(",\"length\":")?;
        Place::Packed { offset, length: line.number()? }
    } else {
        line.expect(",\"asset\":")?;
        Place::Asset { name: asset(&mut line)? }
    };
    let keep = line.maybe(",\"keep\":true");
    let more = if line.maybe(",\"more\":") { more(&mut line)? } else { More::new() };
    line.expect("}")?;
    line.end()?;
    Ok(FileEntry { path, size, sha256, crc32: u32::from_be_bytes(crc32), place, keep, more })
}

fn ending(lines: &mut Lines<'_>) -> Result<Option<String>, ManifestError> {
    lines.number += 1;
    let signature = if let Some(rest) = lines.rest.strip_prefix(b"]}\n") {
        lines.rest = rest;
        None
    } else if let Some(rest) = lines.rest.strip_prefix(b"],\n") {
        lines.rest = rest;
        let line = lines.next(limits::SIGNATURE_LINE)?;
        let detail = "the line is not `\"signature\":\"...\"}` with base64 in it";
        Some(signature_line(line).ok_or_else(|| lines.refuse(Code::Signature, detail))?.to_owned())
    } else {
        return Err(lines.refuse(Code::Ending, "neither `]}` nor `],` after the last file"));
    };
    if !lines.rest.is_empty() {
        lines.number += 1;
        return Err(lines.refuse(Code::Ending, "something follows the end"));
    }
    Ok(signature)
}

/// The base64 of a signature line that is given without its `\n`.
pub(crate) fn signature_line(line: &[u8]) -> Option<&str> {
    let base64 = line.strip_prefix(b"\"signature\":\"")?.strip_suffix(b"\"}")?;
    let blob = STANDARD.decode(base64).ok()?;
    if blob.is_empty() { None } else { std::str::from_utf8(base64).ok() }
}
