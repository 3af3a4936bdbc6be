//! Bytes to a rollout.

use super::{NAMESPACE, Rollout, RolloutError, Stage, signed_part};
use crate::limits;
use crate::line::{Line, Wrong};
use crate::manifest::signature_line;
use crate::path::{is_name, is_project};
use crate::sshsig::{self, PublicKey, SigError};
use crate::version::Version;

const START: &[u8] = b"{\"mpota-rollout\":";

/// What a reader knows when it asks for a rollout.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The tag of the version.
    pub version: &'a str,
    /// The project that the version is for.
    pub project: &'a str,
    /// Who may have signed; none: the signature is not looked at.
    pub keys: &'a [PublicKey],
    /// In seconds since 1970-01-01T00:00:00Z; 0 where there is no clock.
    pub now: u64,
    /// The highest number that was accepted for this version; 0 where there is none.
    pub number: u64,
}

/// Whether a board can have this id.
#[must_use]
pub fn is_id(id: &str) -> bool {
    is_name(id, limits::ID)
}

impl Rollout {
    /// Reads a rollout, whole and strictly, of whatever version and whoever signed it.
    ///
    /// # Errors
    /// The first rule of the spec that it breaks.
    pub fn parse(bytes: &[u8]) -> Result<Self, RolloutError> {
        let (found, signature) = whole(bytes)?;
        let wanted = || "a version".to_owned();
        let version = Version::parse(&found.version)
            .map_err(|_| RolloutError::Version { found: format!("{:?}", found.version), wanted: wanted() })?;
        if let Some(other) = found.project.as_ref().filter(|project| !is_project(project)) {
            let wanted = "a project of the form owner/name".to_owned();
            return Err(RolloutError::Project { found: format!("{other:?}"), wanted });
        }
        let Found { project, number, until, halted, stages, boards, .. } = found;
        Ok(Self { project, version, number, until, halted, stages, boards, signature })
    }

    /// Reads a rollout as a board does that knows what it asks for.
    ///
    /// # Errors
    /// The first rule of the spec that it breaks.
    pub fn read(bytes: &[u8], asked: &Asked<'_>) -> Result<Self, RolloutError> {
        let rollout = Self::parse(bytes)?;
        rollout.check(bytes, asked)?;
        Ok(rollout)
    }

    /// Whether it is what was asked for; `bytes` is what it was read from.
    fn check(&self, bytes: &[u8], asked: &Asked<'_>) -> Result<(), RolloutError> {
        if self.version.as_str() != asked.version {
            let (found, wanted) = (self.version.to_string(), asked.version.to_owned());
            return Err(RolloutError::Version { found, wanted });
        }
        let ours = match &self.project {
            Some(project) => project.eq_ignore_ascii_case(asked.project),
            None => asked.keys.is_empty(),
        };
        if !ours {
            let found = self.project.clone().unwrap_or_else(|| "no project".to_owned());
            return Err(RolloutError::Project { found, wanted: asked.project.to_owned() });
        }
        if asked.now > self.until {
            return Err(RolloutError::Expired { until: self.until, now: asked.now });
        }
        if self.number < asked.number {
            return Err(RolloutError::Older { found: self.number, seen: asked.number });
        }
        if !asked.keys.is_empty() {
            let signature = self.signature.as_deref().ok_or(SigError::Unsigned)?;
            sshsig::check_in(NAMESPACE, signed_part(bytes), signature, asked.keys)?;
        }
        Ok(())
    }
}

/// The values of a first line.
struct Found {
    project: Option<String>,
    version: String,
    number: u64,
    until: u64,
    halted: bool,
    stages: Vec<Stage>,
    boards: Vec<String>,
}

/// The first line's values and the signature.
fn whole(bytes: &[u8]) -> Result<(Found, Option<String>), RolloutError> {
    if bytes.len() > limits::ROLLOUT {
        return Err(RolloutError::TooLarge);
    }
    let after = bytes.strip_prefix(START).ok_or(RolloutError::NotARollout)?;
    let number = after.split(|&b| b == b',').next().unwrap_or_default();
    if !number.is_empty() && number.iter().all(u8::is_ascii_digit) && number != b"1" {
        return Err(RolloutError::FormatVersion(String::from_utf8_lossy(number).into_owned()));
    }
    let (first, rest) = line(bytes, 1, limits::HEADER_LINE)?;
    let (found, signed) = first_line(first).map_err(RolloutError::Form)?;
    let (signature, rest) = if signed {
        if rest.is_empty() {
            return Err(RolloutError::Ending("it ends where the signature must come"));
        }
        let (second, rest) = line(rest, 2, limits::SIGNATURE_LINE)?;
        (Some(signature_line(second).ok_or(RolloutError::Signature)?.to_owned()), rest)
    } else {
        (None, rest)
    };
    if rest.is_empty() {
        Ok((found, signature))
    } else {
        Err(RolloutError::Ending("something follows the end"))
    }
}

/// A line without its `\n`, which must come within `limit` bytes, and what follows it.
fn line(bytes: &[u8], number: u8, limit: usize) -> Result<(&[u8], &[u8]), RolloutError> {
    let end = bytes.iter().take(limit).position(|&b| b == b'\n');
    let end = end.ok_or(RolloutError::LineTooLong { line: number, limit })?;
    Ok((&bytes[..end], &bytes[end + 1..]))
}

/// The values of a first line that is given without its `\n`, and whether a signature follows.
fn first_line(bytes: &[u8]) -> Result<(Found, bool), Wrong> {
    let mut line = Line::new(bytes)?;
    line.expect("{\"mpota-rollout\":1")?;
    let project = if line.maybe(",\"project\":") { Some(line.string()?) } else { None };
    line.expect(",\"version\":")?;
    let version = line.string()?;
    line.expect(",\"number\":")?;
    let number = number(&mut line, "number", 1)?;
    line.expect(",\"until\":")?;
    let until = self::number(&mut line, "until", 1)?;
    let halted = line.maybe(",\"halted\":true");
    line.expect(",\"stages\":[")?;
    let stages = stages(&mut line)?;
    let boards = if line.maybe(",\"boards\":[") { boards(&mut line)? } else { Vec::new() };
    let signed = line.maybe(",");
    if !signed {
        line.expect("}")?;
    }
    line.end()?;
    Ok((Found { project, version, number, until, halted, stages, boards }, signed))
}

fn number(line: &mut Line<'_>, what: &str, least: u64) -> Result<u64, Wrong> {
    let number = line.number()?;
    let most = limits::NUMBER;
    if (least..=most).contains(&number) {
        Ok(number)
    } else {
        Err(format!("`{what}` is not in {least} to {most}"))
    }
}

fn stages(line: &mut Line<'_>) -> Result<Vec<Stage>, Wrong> {
    let mut stages: Vec<Stage> = Vec::new();
    loop {
        line.expect("[")?;
        let from = number(line, "stages", 0)?;
        line.expect(",")?;
        let percent = line.number()?;
        let percent = u8::try_from(percent).ok().filter(|percent| *percent <= 100);
        let percent = percent.ok_or("a share of more than 100 percent")?;
        line.expect("]")?;
        if stages.last().is_some_and(|last| last.from >= from) {
            return Err(format!("the stage from {from} on is out of order"));
        }
        stages.push(Stage { from, percent });
        if stages.len() > limits::STAGES {
            return Err(format!("more than {} stages", limits::STAGES));
        }
        if line.maybe("]") {
            return Ok(stages);
        }
        line.expect(",")?;
    }
}

fn boards(line: &mut Line<'_>) -> Result<Vec<String>, Wrong> {
    let mut boards: Vec<String> = Vec::new();
    loop {
        let id = line.string()?;
        if !is_id(&id) {
            return Err(format!("a board cannot have the id {id:?}"));
        }
        if boards.contains(&id) {
            return Err(format!("the board {id} comes twice"));
        }
        boards.push(id);
        if boards.len() > limits::BOARDS {
            return Err(format!("more than {} boards", limits::BOARDS));
        }
        if line.maybe("]") {
            return Ok(boards);
        }
        line.expect(",")?;
    }
}
