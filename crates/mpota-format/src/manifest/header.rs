//! The first line of a manifest, read from left to right.

use serde_json::{Map, Value, json};

use super::compiled;
use super::error::{Code, ManifestError};
use super::marked;
use super::more::{is_key, is_plain, more};
use super::{Header, Hooks, KNOWN, More, Pack, Requires};
use crate::limits;
use crate::line::{Line, Wrong};
use crate::path::{check_path, is_asset_name, is_name, is_project};
use crate::version::Version;

const CREATED: std::ops::RangeInclusive<u64> = 1..=limits::NUMBER;
const REQUIRES: [&str; 4] = ["micropython", "platform", "mpy", "board"];

impl From<Wrong> for ManifestError {
    /// Where nothing else is said it is the form of the header.
    fn from(wrong: Wrong) -> Self {
        Self::new(Code::Header, 1, wrong)
    }
}

/// Reads a header line that is given without its `\n`.
pub(super) fn header_line(bytes: &[u8]) -> Result<Header, ManifestError> {
    let mut line = Line::new(bytes)?;
    line.expect("{\"mpota\":1")?;
    let project = if line.maybe(",\"project\":") { Some(project(&mut line)?) } else { None };
    line.expect(",\"version\":")?;
    let version = line.string()?;
    let created = if line.maybe(",\"created\":") { Some(created(&mut line)?) } else { None };
    let needs = if line.maybe(",\"needs\":") { list(&mut line, "word", is_word)? } else { Vec::new() };
    let unknown: Vec<String> = needs.iter().filter(|word| !KNOWN.contains(&word.as_str())).cloned().collect();
    if !unknown.is_empty() {
        return Err(newer(bytes, &version, &needs, unknown));
    }
    let requires = if line.maybe(",\"requires\":") {
        let (requires, unknown) = requires(&mut line)?;
        if let Some(key) = unknown {
            return Err(newer(bytes, &version, &needs, vec![format!("requires.{key}")]));
        }
        requires
    } else {
        Requires::default()
    };
    let pack = if line.maybe(",\"pack\":") { Some(pack(&mut line)?) } else { None };
    let hooks = if line.maybe(",\"hooks\":") { hooks(&mut line)? } else { Hooks::default() };
    let more = if line.maybe(",\"more\":") { more(&mut line)? } else { More::new() };
    compiled::loaders(&more)?;
    marked::rollout(&more)?;
    line.expect(",\"files\":[")?;
    line.end()?;
    let version = tag(&version)?;
    for hook in [&hooks.post_update, &hooks.rollback].into_iter().flatten() {
        check_path(hook)
            .map_err(|error| ManifestError::new(Code::Hook, 1, format!("the hook {hook:?}: {error}")))?;
    }
    Ok(Header { project, version, created, needs, requires, pack, hooks, more })
}

fn tag(version: &str) -> Result<Version, ManifestError> {
    Version::parse(version).map_err(|error| ManifestError::new(Code::Version, 1, error.to_string()))
}

/// The refusal of a release that needs what nobody here knows. How the rest of its line is to be read is not known
/// either: it has to be JSON, and to say nothing else of what was read already.
fn newer(bytes: &[u8], version: &str, needs: &[String], unknown: Vec<String>) -> ManifestError {
    let Ok(keys) = serde_json::from_slice::<Map<String, Value>>(&[bytes, b"]}"].concat()) else {
        return Wrong::from("the line is not JSON").into();
    };
    let words = (!needs.is_empty()).then(|| json!(needs));
    let required = unknown.iter().filter_map(|word| word.strip_prefix("requires."));
    let required: Vec<bool> =
        required.map(|key| keys.get("requires").is_some_and(|given| given.get(key).is_some())).collect();
    if keys.get("version") != Some(&json!(version))
        || keys.get("needs") != words.as_ref()
        || required.contains(&false)
    {
        return Wrong::from("a key comes twice").into();
    }
    tag(version).err().unwrap_or_else(|| ManifestError::needs(unknown))
}

fn project(line: &mut Line<'_>) -> Result<String, Wrong> {
    let project = line.string()?;
    if is_project(&project) {
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

fn is_word(word: &str) -> bool {
    is_key(word) && !word.contains('_')
}

fn is_board(name: &str) -> bool {
    (1..=limits::BOARD).contains(&name.len()) && is_plain(name)
}

/// Reads an array of 1 to 16 different texts.
fn list(line: &mut Line<'_>, what: &str, is_one: impl Fn(&str) -> bool) -> Result<Vec<String>, Wrong> {
    let mut texts: Vec<String> = Vec::new();
    line.expect("[")?;
    loop {
        let text = line.string()?;
        if !is_one(&text) {
            return Err(format!("a {what} cannot be {text:?}"));
        }
        if texts.contains(&text) {
            return Err(format!("the {what} {text:?} comes twice"));
        }
        texts.push(text);
        if texts.len() > limits::LIST {
            return Err(format!("more than {} times a {what}", limits::LIST));
        }
        if line.maybe("]") {
            return Ok(texts);
        }
        line.expect(",")?;
    }
}

/// Reads the beginning of an object with these keys, of which every one may be missing: `key` reads the value of the
/// key with this index. Gives what must stand before a further key.
fn members(
    line: &mut Line<'_>,
    keys: &[&str],
    mut key: impl FnMut(&mut Line<'_>, usize) -> Result<(), Wrong>,
) -> Result<&'static str, Wrong> {
    line.expect("{")?;
    let mut comma = "";
    for (i, name) in keys.iter().enumerate() {
        if line.maybe(&format!("{comma}\"{name}\":")) {
            key(line, i)?;
            comma = ",";
        }
    }
    Ok(comma)
}

/// Reads the end of an object that has to have a key.
fn close(line: &mut Line<'_>, comma: &str, keys: &[&str]) -> Result<(), Wrong> {
    if comma.is_empty() {
        return Err(format!("an object with none of the keys {}", keys.join(", ")));
    }
    line.expect("}")
}

/// Reads what a board must have, up to the first key that is not known, if there is one.
fn requires(line: &mut Line<'_>) -> Result<(Requires, Option<String>), Wrong> {
    let mut out = Requires::default();
    let comma = members(line, &REQUIRES, |line, key| {
        match key {
            0 => out.micropython = Some(numbers(line.text()?, &[2, 3])?),
            1 => out.platform = list(line, "value of sys.platform", |name| is_name(name, limits::WORD))?,
            2 => out.mpy = Some(numbers(line.text()?, &[1, 2])?),
            _ => out.board = list(line, "board's name", is_board)?,
        }
        Ok(())
    })?;
    let unknown = unknown_key(line.clone(), comma);
    if unknown.is_none() {
        close(line, comma, &REQUIRES)?;
    }
    Ok((out, unknown))
}

/// The key that comes next, where it has the form of one and is none of those of `requires`.
fn unknown_key(mut line: Line<'_>, comma: &str) -> Option<String> {
    line.expect(comma).ok()?;
    let key = line.string().ok()?;
    line.expect(":").ok()?;
    (is_key(&key) && !REQUIRES.contains(&key.as_str())).then_some(key)
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

/// Reads the name of an asset.
pub(super) fn asset(line: &mut Line<'_>) -> Result<String, Wrong> {
    let name = line.string()?;
    if is_asset_name(&name) { Ok(name) } else { Err(format!("an asset cannot have the name {name:?}")) }
}

fn hooks(line: &mut Line<'_>) -> Result<Hooks, Wrong> {
    let mut out = Hooks::default();
    let keys = ["post_update", "rollback"];
    let comma = members(line, &keys, |line, key| {
        let path = Some(line.text()?);
        if key == 0 {
            out.post_update = path;
        } else {
            out.rollback = path;
        }
        Ok(())
    })?;
    close(line, comma, &keys)?;
    Ok(out)
}
