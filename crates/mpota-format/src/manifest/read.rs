//! Bytes to a manifest, in one pass, line by line.

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::error::{Code, ManifestError};
use super::line::{Line, Wrong};
use super::{FileEntry, Header, Hooks, Manifest, Pack, Place, Requires, sort_key};
use crate::limits;
use crate::path::{check_path, is_asset_name, is_name};
use crate::version::Version;

const START: &[u8] = b"{\"mpota\":";
const CREATED: std::ops::RangeInclusive<u64> = 1..=9_999_999_999;

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
            if !files.iter().any(|file| file.path == *hook) {
                let detail = format!("the hook `{hook}` is not a file of the release");
                return Err(ManifestError::new(Code::Hook, 1, detail));
            }
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
    header_line(lines.next(limits::HEADER_LINE)?).or_else(|Refusal(code, detail)| refuse(code, detail))
}

/// What is wrong with the header line; where nothing else is said it is its form.
struct Refusal(Code, String);

impl From<Wrong> for Refusal {
    fn from(wrong: Wrong) -> Self {
        Self(Code::Header, wrong)
    }
}

fn header_line(bytes: &[u8]) -> Result<Header, Refusal> {
    let mut line = Line::new(bytes)?;
    line.expect("{\"mpota\":1")?;
    let project = if line.maybe(",\"project\":") { Some(project(&mut line)?) } else { None };
    line.expect(",\"version\":")?;
    let version = line.string()?;
    let created = if line.maybe(",\"created\":") { Some(created(&mut line)?) } else { None };
    let requires = if line.maybe(",\"requires\":") { requires(&mut line)? } else { Requires::default() };
    let pack = if line.maybe(",\"pack\":") { Some(pack(&mut line)?) } else { None };
    let hooks = if line.maybe(",\"hooks\":") { hooks(&mut line)? } else { Hooks::default() };
    line.expect(",\"files\":[")?;
    line.end()?;
    let version = Version::parse(&version).map_err(|error| Refusal(Code::Version, error.to_string()))?;
    for hook in [&hooks.post_update, &hooks.rollback].into_iter().flatten() {
        check_path(hook).map_err(|error| Refusal(Code::Hook, format!("the hook {hook:?}: {error}")))?;
    }
    Ok(Header { project, version, created, requires, pack, hooks })
}

fn project(line: &mut Line<'_>) -> Result<String, Wrong> {
    let project = line.string()?;
    let named = |(owner, name)| is_name(owner, 64) && is_name(name, 64);
    if project.split_once('/').is_some_and(named) {
        Ok(project)
    } else {
        Err(format!("the project {project:?} is not of the form owner/name"))
    }
}

fn created(line: &mut Line<'_>) -> Result<u64, Wrong> {
    let created = line.number()?;
    if CREATED.contains(&created) {
        Ok(created)
    } else {
        Err(format!("`created` is not in {} to {}", CREATED.start(), CREATED.end()))
    }
}

/// Reads an object of which every key may be missing, but not all: `key` reads the value of the key with this index.
fn object(
    line: &mut Line<'_>,
    keys: &[&str],
    mut key: impl FnMut(&mut Line<'_>, usize) -> Result<(), Wrong>,
) -> Result<(), Wrong> {
    line.expect("{")?;
    let mut comma = "";
    for (i, name) in keys.iter().enumerate() {
        if line.maybe(&format!("{comma}\"{name}\":")) {
            key(line, i)?;
            comma = ",";
        }
    }
    if comma.is_empty() {
        return Err(format!("an object with none of the keys {}", keys.join(", ")));
    }
    line.expect("}")
}

fn requires(line: &mut Line<'_>) -> Result<Requires, Wrong> {
    let mut out = Requires::default();
    object(line, &["micropython", "platform", "mpy"], |line, key| {
        match key {
            0 => out.micropython = Some(numbers(line.text()?, &[2, 3])?),
            1 => out.platform = platforms(line)?,
            _ => out.mpy = Some(numbers(line.text()?, &[1, 2])?),
        }
        Ok(())
    })?;
    Ok(out)
}

/// A text of as many numbers as one of `counts` says, with a point between them.
fn numbers(text: String, counts: &[usize]) -> Result<String, Wrong> {
    let number = |part: &str| {
        (1..=limits::VERSION_DIGITS).contains(&part.len())
            && part.bytes().all(|b| b.is_ascii_digit())
            && (part == "0" || !part.starts_with('0'))
    };
    if counts.contains(&text.split('.').count()) && text.split('.').all(number) {
        Ok(text)
    } else {
        let counts: Vec<String> = counts.iter().map(ToString::to_string).collect();
        Err(format!("{text:?} is not {} numbers with a point between them", counts.join(" or ")))
    }
}

fn platforms(line: &mut Line<'_>) -> Result<Vec<String>, Wrong> {
    let mut names: Vec<String> = Vec::new();
    line.expect("[")?;
    loop {
        let name = line.string()?;
        if !is_name(&name, 32) {
            return Err(format!("{name:?} is not a value of sys.platform"));
        }
        if names.contains(&name) {
            return Err(format!("the platform {name:?} comes twice"));
        }
        names.push(name);
        if names.len() > 16 {
            return Err("more than 16 platforms".into());
        }
        if line.maybe("]") {
            return Ok(names);
        }
        line.expect(",")?;
    }
}

fn pack(line: &mut Line<'_>) -> Result<Pack, Wrong> {
    line.expect("{\"asset\":")?;
    let asset = asset(line)?;
    line.expect(",\"size\":")?;
    let size = line.number()?;
    if size > limits::PACK {
        return Err(format!("a pack of more than {} bytes", limits::PACK));
    }
    line.expect("}")?;
    Ok(Pack { asset, size })
}

fn asset(line: &mut Line<'_>) -> Result<String, Wrong> {
    let name = line.string()?;
    if is_asset_name(&name) { Ok(name) } else { Err(format!("an asset cannot have the name {name:?}")) }
}

fn hooks(line: &mut Line<'_>) -> Result<Hooks, Wrong> {
    let mut out = Hooks::default();
    object(line, &["post_update", "rollback"], |line, key| {
        let path = Some(line.text()?);
        if key == 0 {
            out.post_update = path;
        } else {
            out.rollback = path;
        }
        Ok(())
    })?;
    Ok(out)
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
        if files.len() > limits::FILES {
            return Err(lines.refuse(Code::TooManyFiles, format!("more than {} files", limits::FILES)));
        }
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
    line.expect("}")?;
    line.end()?;
    Ok(FileEntry { path, size, sha256, crc32: u32::from_be_bytes(crc32), place })
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
pub(super) fn signature_line(line: &[u8]) -> Option<&str> {
    let base64 = line.strip_prefix(b"\"signature\":\"")?.strip_suffix(b"\"}")?;
    let blob = STANDARD.decode(base64).ok()?;
    if blob.is_empty() { None } else { std::str::from_utf8(base64).ok() }
}
