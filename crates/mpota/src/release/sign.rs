//! Signatures on manifests and rollouts: made here, or by `ssh-keygen -Y sign`.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use miette::Diagnostic;
use mpota_format::manifest::{Manifest, ManifestError};
use mpota_format::rollout::{self, Rollout, RolloutError};
use mpota_format::sshsig::{self, PublicKey, SigError};
use thiserror::Error;

use crate::files::{self, FileError};
use crate::release::dist::{self, DistError};
use crate::release::keygen;
use crate::release::keys::{KeyError, SigningKey};

/// Why a manifest or a rollout could not be signed.
#[derive(Debug, Error, Diagnostic)]
#[non_exhaustive]
pub enum SignError {
    /// The manifest cannot be read.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Dist(#[from] DistError),
    /// The manifest breaks a rule.
    #[error("the manifest cannot be signed")]
    #[diagnostic(
        code(sign::manifest),
        help("no board takes it as it is: build it again with `mpota build` or `mpota manifest`")
    )]
    Manifest(#[from] ManifestError),
    /// The rollout breaks a rule.
    #[error("the rollout cannot be written")]
    #[diagnostic(
        code(rollout::invalid),
        help(
            "fewer stages or boards: a rollout has at most 8 stages and 32 boards, on one line of 1,024 bytes"
        )
    )]
    Rollout(#[source] RolloutError),
    /// The key cannot be used.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Key(#[from] KeyError),
    /// A file cannot be read or written.
    #[error(transparent)]
    #[diagnostic(transparent)]
    File(#[from] FileError),
    /// A file without the lines of an SSH signature.
    #[error("{} is not an armoured SSH signature", .0.display())]
    #[diagnostic(code(sign::armour))]
    #[diagnostic(help(
        "it is the .sig file that `ssh-keygen -Y sign -n mpota -O hashalg=sha256 -f KEY PART` writes"
    ))]
    Armour(PathBuf),
    /// What was made with the key is not a signature that a board accepts.
    #[error("what was signed with {fingerprint} is no signature for boards")]
    #[diagnostic(code(sign::refused))]
    Refused {
        /// Of the key.
        fingerprint: String,
        /// Why not.
        #[source]
        source: SigError,
        /// What to do about it.
        #[help]
        hint: &'static str,
    },
    /// The signature is not one that a board accepts.
    #[error("{} cannot sign this release", path.display())]
    #[diagnostic(code(sign::failed))]
    Signature {
        /// Which file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: SigError,
        /// What to do about it.
        #[help]
        hint: String,
    },
}

/// Signs a manifest, replacing the signature that it has.
pub fn sign(manifest: &mut Manifest, key: &SigningKey) -> Result<(), SignError> {
    let part = manifest.signed_bytes()?;
    manifest.signature = Some(BASE64_STANDARD.encode(key.sign(sshsig::NAMESPACE, &part)?));
    // What does not fit into a manifest is found here, and what no board would take: who signed may
    // have been another program.
    let bytes = manifest.to_bytes()?;
    sshsig::check(&bytes, std::slice::from_ref(key.public())).map(drop).map_err(|source| SignError::Refused {
        fingerprint: key.fingerprint(),
        hint: program_hint(source),
        source,
    })
}

/// Signs a rollout, replacing the signature that it has.
pub fn sign_rollout(rollout: &mut Rollout, key: &SigningKey) -> Result<(), SignError> {
    let part = rollout.signed_bytes().map_err(SignError::Rollout)?;
    rollout.signature = Some(BASE64_STANDARD.encode(key.sign(rollout::NAMESPACE, &part)?));
    let bytes = rollout.to_bytes().map_err(SignError::Rollout)?;
    let refused =
        |source| SignError::Refused { fingerprint: key.fingerprint(), hint: program_hint(source), source };
    match rollout::signer(&bytes).map_err(refused)? {
        signer if signer.key == key.public().key => Ok(()),
        _ => Err(refused(SigError::UnknownKey)),
    }
}

/// The manifest of a release folder, or the file itself.
pub fn manifest_path(target: &Path) -> PathBuf {
    if target.is_dir() { target.join(dist::MANIFEST) } else { target.to_owned() }
}

/// Signs the manifests in a release folder, or the manifest at this path.
pub fn sign_file(target: &Path, key: &SigningKey) -> Result<(), SignError> {
    let mut manifests = if target.is_dir() {
        let named = dist::read_manifests(target)?;
        named.into_iter().map(|(name, manifest)| (target.join(name), manifest)).collect()
    } else {
        vec![(target.to_owned(), dist::read_manifest(target)?)]
    };
    // All or none: a passphrase or an agent may fail on the way.
    for (_, manifest) in &mut manifests {
        sign(manifest, key)?;
    }
    for (path, manifest) in &manifests {
        files::replace(path, &manifest.to_bytes()?)?;
    }
    Ok(())
}

/// The bytes that a signature of this manifest covers.
pub fn signed_part(target: &Path) -> Result<Vec<u8>, SignError> {
    Ok(dist::read_manifest(&manifest_path(target))?.signed_bytes()?)
}

/// Puts a signature that `ssh-keygen -Y sign` made into the manifest. Gives its key back.
pub fn attach(target: &Path, signature: &Path) -> Result<PublicKey, SignError> {
    let path = manifest_path(target);
    let mut manifest = dist::read_manifest(&path)?;
    let armour = files::read_text(signature, 1 << 16)?;
    let blob = keygen::unarmour(&armour).ok_or_else(|| SignError::Armour(signature.to_owned()))?;
    let refused =
        |source| SignError::Signature { path: signature.to_owned(), hint: hint(source, target), source };
    let base64 = BASE64_STANDARD.encode(blob);
    // Said before the manifest's own rules: an RSA signature does not even fit into its line.
    check_form(&manifest.signed_bytes()?, &base64).map_err(refused)?;
    manifest.signature = Some(base64);
    let bytes = manifest.to_bytes()?;
    let key = sshsig::signer(&bytes).map_err(refused)?;
    files::replace(&path, &bytes)?;
    Ok(key)
}

/// All but whose signature it is, and over what.
fn check_form(part: &[u8], base64: &str) -> Result<(), SigError> {
    let signed = [part, format!("\"signature\":\"{base64}\"}}\n").as_bytes()].concat();
    match sshsig::check(&signed, &[]) {
        Err(SigError::UnknownKey) | Ok(_) => Ok(()),
        Err(error) => Err(error),
    }
}

/// What helps when ssh-keygen made something else than it was asked for.
fn program_hint(error: SigError) -> &'static str {
    match error {
        SigError::UnknownKey => "ssh-keygen signed with another key: is the .pub file the one of this key?",
        _ => "is the ssh-keygen on your PATH OpenSSH's own, 8.9 or later? `ssh -V` tells",
    }
}

/// What helps against a refused signature.
pub(crate) fn hint(error: SigError, target: &Path) -> String {
    let target = target.display();
    match error.code() {
        "sig-hash" => "boards have SHA-256 only, and ssh-keygen takes SHA-512 by itself: ssh-keygen -Y sign -n mpota -O hashalg=sha256 -f KEY PART".into(),
        "sig-namespace" => "sign with the namespace mpota: ssh-keygen -Y sign -n mpota -O hashalg=sha256 -f KEY PART".into(),
        "sig-key-type" => "boards check Ed25519 only: make a key with `mpota key new` or `ssh-keygen -t ed25519`".into(),
        _ => format!("sign what `mpota sign {target} --signed-part` writes out, byte for byte"),
    }
}
