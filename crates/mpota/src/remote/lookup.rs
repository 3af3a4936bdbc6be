//! Finds the manifest of a release, and where its assets are.

use mpota_format::limits;
use mpota_format::manifest::Manifest;
use mpota_format::rollout::TAG;
use mpota_format::version::is_channel;

use crate::release::dist::MANIFEST;
use crate::release::verify::{VerifyError, VerifyOptions};
use crate::remote::access::Access;
use crate::remote::api::Api;
use crate::remote::source::{Asset, Folder, Source, SourceError, Web};
use crate::remote::target::Target;
use crate::remote::token::{Place, Token};

/// A manifest, and where its assets are.
pub(crate) struct Found {
    /// Where it was read, for people.
    pub place: String,
    /// As it was read.
    pub bytes: Vec<u8>,
    /// The tag under which it was found, where that is known.
    pub tag: Option<String>,
    /// Where the token came from, if it took one.
    pub token: Option<&'static str>,
    source: Option<Box<dyn Source>>,
    /// A server that answers GitHub's paths, and the project there.
    project: Option<(Web, String)>,
}

impl Found {
    fn new((place, bytes): (String, Vec<u8>), source: Option<Box<dyn Source>>) -> Self {
        Self { place, bytes, tag: None, token: None, source, project: None }
    }

    /// The manifest itself.
    pub fn parse(&self) -> Result<Manifest, VerifyError> {
        let refused = |source| VerifyError::manifest(self.place.clone(), source);
        Manifest::parse(&self.bytes).map_err(refused)
    }

    /// For a project the assets are asked for by the version: the latest one may change meanwhile.
    pub fn assets(self, manifest: &Manifest) -> Option<Box<dyn Source>> {
        match self.project {
            None => self.source,
            Some((web, base)) => {
                let version = &manifest.header.version;
                Some(Box::new(web.at(&format!("{base}/releases/download/{version}"))))
            }
        }
    }
}

/// Looks at `target` with the settings of `options`.
pub(crate) fn find(target: &Target, options: &VerifyOptions) -> Result<Found, VerifyError> {
    match target {
        Target::Folder(path) => in_source(Box::new(Folder(path.clone()))),
        Target::Url(url) => in_source(Box::new(Web::new(url, options.access.ca.as_deref())?)),
        Target::Project { project, tag } => in_project(project, tag.as_deref(), options),
        Target::Manifest(path) => {
            let folder = path.parent().unwrap_or(path).to_owned();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            Ok(Found::new(read_manifest(&Folder(folder), &name)?, None))
        }
    }
}

fn in_source(source: Box<dyn Source>) -> Result<Found, VerifyError> {
    Ok(Found::new(read_manifest(source.as_ref(), MANIFEST)?, Some(source)))
}

/// As a board without a token does; where there is nothing to see, with a token.
fn in_project(project: &str, tag: Option<&str>, options: &VerifyOptions) -> Result<Found, VerifyError> {
    let base = format!("{}/{project}", options.access.base_url.trim_end_matches('/'));
    let folder = match tag {
        Some(tag) => format!("{base}/releases/download/{tag}"),
        None => format!("{base}/releases/latest/download"),
    };
    let web = Web::new(&folder, options.access.ca.as_deref())?;
    match read_manifest(&web, MANIFEST) {
        Ok(read) => Ok(Found { project: Some((web, base)), ..Found::new(read, None) }),
        Err(VerifyError::NoRelease(why)) => {
            with_token(project, tag, options)?.ok_or(VerifyError::NoRelease(why))
        }
        Err(error) => Err(error),
    }
}

/// `None` where there is no token.
fn with_token(
    project: &str,
    tag: Option<&str>,
    options: &VerifyOptions,
) -> Result<Option<Found>, VerifyError> {
    let place = Place::new(&options.access.base_url, project);
    let Some(token) = place.as_ref().and_then(options.access.token) else { return Ok(None) };
    let from = token.from();
    let missing = |place| VerifyError::NotForToken { place, from };
    let api = match Api::find(&options.access, project, tag, token) {
        Err(SourceError::Missing(place)) => return Err(missing(place)),
        other => other?,
    };
    let read = match read_manifest(&api, MANIFEST) {
        Err(VerifyError::NoRelease(place)) => return Err(missing(place)),
        other => other?,
    };
    let mut api = api;
    if tag.is_some_and(is_channel) {
        // The files are in the version's own release.
        let manifest =
            Manifest::parse(&read.1).map_err(|source| VerifyError::manifest(read.0.clone(), source))?;
        match api.at(manifest.header.version.as_str()) {
            Err(SourceError::Missing(place)) => return Err(missing(place)),
            other => other?,
        }
    }
    let tag = Some(api.tag.clone());
    Ok(Some(Found { tag, token: Some(from), ..Found::new(read, Some(Box::new(api))) }))
}

/// The rollout with this name as a board reads it, and where; with a token where it is not to be seen without.
pub(crate) fn rollout(
    access: &Access,
    project: &str,
    name: &str,
    token: fn(&Place) -> Option<Token>,
) -> Result<Option<(String, Vec<u8>)>, SourceError> {
    let base = access.base_url.trim_end_matches('/');
    let web = Web::new(&format!("{base}/{project}/releases/download/{TAG}"), access.ca.as_deref())?;
    // One byte more than allowed is enough to be refused.
    let read = |source: &dyn Source| match source.open(name).and_then(Asset::for_boards) {
        Err(SourceError::Missing(_)) => Ok(None),
        Err(error) => Err(error),
        Ok(mut asset) => Ok(Some((asset.place().to_owned(), asset.take(limits::ROLLOUT as u64 + 1)?))),
    };
    if let Some(found) = read(&web)? {
        return Ok(Some(found));
    }
    let place = Place::new(&access.base_url, project);
    let Some(token) = place.as_ref().and_then(token) else { return Ok(None) };
    match Api::find(access, project, Some(TAG), token) {
        Err(SourceError::Missing(_)) => Ok(None),
        other => read(&other?),
    }
}

fn read_manifest(source: &dyn Source, name: &str) -> Result<(String, Vec<u8>), VerifyError> {
    let mut asset = match source.open(name) {
        Err(SourceError::Missing(place)) => {
            return Err(VerifyError::NoRelease(format!("{place} is not there")));
        }
        other => other?,
    };
    // One byte more than allowed is enough to be refused.
    let bytes = asset.take(limits::MANIFEST as u64 + 1)?;
    Ok((asset.place().to_owned(), bytes))
}
