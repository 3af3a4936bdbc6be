//! What the manifest of a release says, and who signed it.

use std::fs::File;
use std::io::Read as _;

use mpota_format::limits;
use mpota_format::manifest::{Code, Manifest};
use mpota_format::sshsig::{self, PublicKey, SigError};

use crate::app::App;
use crate::catalog::Release;

/// The name of the manifest among the assets.
const MANIFEST: &str = "manifest.json";

/// What is known of a release.
pub(crate) enum Facts {
    /// It has no manifest: no board takes it.
    None,
    /// It has one that cannot be read; why.
    Broken(String),
    /// It has one.
    Fine(Box<Manifest>, Signed),
}

/// Who signed it.
pub(crate) enum Signed {
    /// Nobody.
    No,
    /// A key that the server was given.
    Trusted { fingerprint: String, comment: String },
    /// A key; whose is not known here.
    By { fingerprint: String, compared: bool },
    /// No board takes the signature; why.
    Refused(String),
}

/// Reads a release's manifest.
pub(crate) fn read(app: &App, release: &Release) -> Facts {
    let Some(bytes) = release.asset(MANIFEST).and_then(|asset| bytes(&asset.path)) else {
        return Facts::None;
    };
    match Manifest::parse(&bytes) {
        Ok(manifest) => Facts::Fine(Box::new(manifest), signed(&bytes, &app.trusted)),
        Err(error) if matches!(error.kind(), Code::Needs | Code::FormatVersion) => {
            Facts::Broken(format!("it is for a later mpota: {error}"))
        }
        Err(error) => Facts::Broken(error.to_string()),
    }
}

/// The version that a manifest is of.
pub(crate) fn version(release: &Release) -> Option<String> {
    let bytes = bytes(&release.asset(MANIFEST)?.path)?;
    Some(Manifest::parse(&bytes).ok()?.header.version.to_string())
}

fn bytes(path: &std::path::Path) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    // One byte more than allowed: the reader says that it is too large.
    File::open(path).ok()?.take(limits::MANIFEST as u64 + 1).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

fn signed(manifest: &[u8], trusted: &[PublicKey]) -> Signed {
    if let Ok(key) = sshsig::check(manifest, trusted) {
        return Signed::Trusted { fingerprint: key.fingerprint, comment: key.comment };
    }
    match sshsig::signer(manifest) {
        Ok(key) => Signed::By { fingerprint: key.fingerprint(), compared: !trusted.is_empty() },
        Err(SigError::Unsigned) => Signed::No,
        Err(error) => Signed::Refused(error.to_string()),
    }
}
