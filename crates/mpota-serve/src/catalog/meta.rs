//! `release.json`: what GitHub knows about a release besides its files.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::Path;

use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The file's name in a release's folder; never an asset.
pub(crate) const FILE: &str = "release.json";
/// More than GitHub takes for a release's text.
const MOST_BYTES: u64 = 1024 * 1024;

/// Everything in it is optional.
#[derive(Debug, Default, Clone, Deserialize)]
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
    pub created_at: Option<String>,
    pub published_at: Option<String>,
    pub assets: BTreeMap<String, AssetMeta>,
}

/// What may be said about one asset.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(crate) struct AssetMeta {
    pub id: Option<u64>,
    pub label: Option<String>,
    pub content_type: Option<String>,
}

/// GitHub's own words are strings; a plain `true` or `false` is taken too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "serde_json::Value")]
pub(crate) enum MakeLatest {
    Yes,
    No,
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
