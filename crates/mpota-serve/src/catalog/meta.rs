//! `release.json`: what GitHub knows about a release besides its files.
//!
//! Written by hand it may hold any of the fields; a server that may write
//! fills in the rest the first time that it changes the release. What it does
//! not know it leaves as it is.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::Path;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The file's name in a release's folder; never an asset.
pub(crate) const FILE: &str = "release.json";
/// More than GitHub takes for a release's text.
const MOST_BYTES: u64 = 1024 * 1024;

/// Everything in it is optional.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Meta {
    pub id: Option<u64>,
    /// Where a tag cannot be a folder's name.
    pub tag_name: Option<String>,
    pub target_commitish: Option<String>,
    pub name: Option<String>,
    pub body: Option<String>,
    pub draft: bool,
    pub prerelease: Option<bool>,
    pub make_latest: Option<MakeLatest>,
    /// Of all that ask to be the latest, the one with the highest number is:
    /// one release can take over without the others being rewritten.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latest_order: Option<u64>,
    pub created_at: Option<String>,
    pub published_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<String>,
    /// Neither assets nor tag change any more.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub immutable: bool,
    /// By the name of the file.
    pub assets: BTreeMap<String, AssetMeta>,
    /// What somebody else put there.
    #[serde(flatten)]
    pub others: BTreeMap<String, serde_json::Value>,
}

/// What may be said about one asset.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct AssetMeta {
    pub id: Option<u64>,
    /// Where the asset's name cannot be the file's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub label: Option<String>,
    pub content_type: Option<String>,
    /// `uploaded`, or `starter` for an upload that came to nothing: it has no
    /// file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// `sha256:...`, as long as the file has this stamp.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stamp: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<String>,
    #[serde(flatten)]
    pub others: BTreeMap<String, serde_json::Value>,
}

/// The state of an asset without content.
pub(crate) const STARTER: &str = "starter";

/// GitHub's own words are strings; a plain `true` or `false` is taken too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "serde_json::Value")]
pub(crate) enum MakeLatest {
    #[serde(rename = "true")]
    Yes,
    #[serde(rename = "false")]
    No,
    #[serde(rename = "legacy")]
    Legacy,
}

impl TryFrom<serde_json::Value> for MakeLatest {
    type Error = String;

    fn try_from(value: serde_json::Value) -> Result<Self, String> {
        match value.to_string().trim_matches('"') {
            "true" => Ok(Self::Yes),
            "false" => Ok(Self::No),
            "legacy" => Ok(Self::Legacy),
            other => Err(format!("make_latest is {other}, not true, false or legacy")),
        }
    }
}

impl Meta {
    /// The release's `release.json`.
    pub fn read(folder: &Path) -> Result<Self, String> {
        let path = folder.join(FILE);
        let said = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let file = fs::File::open(&path).map_err(|error| said(&error))?;
        let mut text = Vec::new();
        file.take(MOST_BYTES + 1).read_to_end(&mut text).map_err(|error| said(&error))?;
        if text.len() as u64 > MOST_BYTES {
            return Err(said(&"larger than 1 MB"));
        }
        // An object and nothing else: a list would pass for one without a key.
        let object: serde_json::Map<_, _> = serde_json::from_slice(&text).map_err(|error| said(&error))?;
        let meta: Self = serde_json::from_value(object.into()).map_err(|error| said(&error))?;
        for moment in [&meta.created_at, &meta.published_at].into_iter().flatten() {
            OffsetDateTime::parse(moment, &Rfc3339).map_err(|error| said(&format!("{moment}: {error}")))?;
        }
        Ok(meta)
    }
}
