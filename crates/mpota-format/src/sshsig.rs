//! SSH signatures (`ssh-keygen -Y sign`, PROTOCOL.sshsig) by Ed25519 keys over manifests.

mod wire;

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use ed25519_dalek::{Signature, VerifyingKey};
use thiserror::Error;

use crate::digest::sha256;
use crate::manifest::{signature_of, signed_part};
use wire::{Reader, string};

/// The namespace of signatures over manifests.
pub const NAMESPACE: &str = "mpota";
/// The hash that signatures are made over.
pub const HASH: &str = "sha256";

/// How an unsigned manifest ends.
const UNSIGNED: &[u8] = b"\n]}\n";
const MAGIC: &[u8] = b"SSHSIG";
const KEY_TYPE: &str = "ssh-ed25519";

/// Why a signature is refused: the spec's table, in the order in which it is checked.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SigError {
    /// The manifest has no signature.
    #[error("the release is not signed")]
    Unsigned,
    /// The blob is not a signature of version 1.
    #[error("the signature is damaged: it is not an SSH signature of version 1")]
    Form,
    /// Another kind of key.
    #[error("the release is signed with another kind of key than Ed25519")]
    KeyType,
    /// Made for another purpose.
    #[error("the signature was made in another namespace than `mpota`")]
    Namespace,
    /// Made over another hash.
    #[error("the signature was made over another hash than SHA-256")]
    Hash,
    /// None of the trusted keys.
    #[error("the release is signed with a key that is not trusted")]
    UnknownKey,
    /// Not a signature over this manifest.
    #[error("the signature does not fit this manifest")]
    Bad,
}

impl SigError {
    /// The code of the spec's table.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Unsigned => "unsigned",
            Self::Form => "sig-form",
            Self::KeyType => "sig-key-type",
            Self::Namespace => "sig-namespace",
            Self::Hash => "sig-hash",
            Self::UnknownKey => "sig-unknown-key",
            Self::Bad => "sig-bad",
        }
    }
}

/// Why a line is not a public key.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyError {
    /// Another kind of key, or no key at all.
    #[error("not a line of the form `ssh-ed25519 AAAA... comment`")]
    Type,
    /// The part after the type is not that of an Ed25519 key.
    #[error("the `ssh-ed25519` key is damaged")]
    Damaged,
}

/// An Ed25519 public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    /// Its bytes.
    pub key: [u8; 32],
    /// Whose it is, in words; may be empty.
    pub comment: String,
}

impl PublicKey {
    /// Reads a line of `authorized_keys` or of a `.pub` file, without options before the key.
    ///
    /// # Errors
    /// It is not a line with an Ed25519 key.
    pub fn parse_line(line: &str) -> Result<Self, KeyError> {
        let (key_type, rest) = line.trim().split_once([' ', '\t']).ok_or(KeyError::Type)?;
        if key_type != KEY_TYPE {
            return Err(KeyError::Type);
        }
        let rest = rest.trim_start();
        let (base64, comment) = rest.split_once([' ', '\t']).unwrap_or((rest, ""));
        let blob = STANDARD.decode(base64).map_err(|_| KeyError::Damaged)?;
        let key = ed25519_of(&blob).map_err(|_| KeyError::Damaged)?;
        Ok(Self { key, comment: comment.trim().to_owned() })
    }

    /// The key as SSH encodes it.
    #[must_use]
    pub fn to_blob(&self) -> Vec<u8> {
        key_blob(&self.key)
    }

    /// `SHA256:…`, as `ssh-keygen -l` shows it.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        format!("SHA256:{}", STANDARD_NO_PAD.encode(sha256(&self.to_blob())))
    }
}

impl fmt::Display for PublicKey {
    /// The line that [`PublicKey::parse_line`] reads.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{KEY_TYPE} {}", STANDARD.encode(self.to_blob()))?;
        if self.comment.is_empty() { Ok(()) } else { write!(f, " {}", self.comment) }
    }
}

/// Whose signature a manifest has.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Checked {
    /// The key's fingerprint, `SHA256:…`.
    pub fingerprint: String,
    /// The trusted key's comment; may be empty.
    pub comment: String,
}

/// Checks that a manifest is signed with one of the `trusted` keys.
///
/// It looks at the last two lines only: whether the rest is a manifest is for
/// [`Manifest::parse`](crate::manifest::Manifest::parse) to say, before this.
///
/// # Errors
/// The first row of the spec's table that applies.
pub fn check(manifest_bytes: &[u8], trusted: &[PublicKey]) -> Result<Checked, SigError> {
    if manifest_bytes.ends_with(UNSIGNED) {
        return Err(SigError::Unsigned);
    }
    let base64 = signature_of(manifest_bytes).ok_or(SigError::Form)?;
    check_in(NAMESPACE, signed_part(manifest_bytes), base64, trusted)
}

/// Checks that `base64` is a signature of this namespace over `message` by one of the `trusted` keys.
pub(crate) fn check_in(
    namespace: &str,
    message: &[u8],
    base64: &str,
    trusted: &[PublicKey],
) -> Result<Checked, SigError> {
    let blob = STANDARD.decode(base64).map_err(|_| SigError::Form)?;
    let parts = parse(&blob)?;
    if parts.namespace != namespace.as_bytes() {
        return Err(SigError::Namespace);
    }
    if parts.hash != HASH.as_bytes() {
        return Err(SigError::Hash);
    }
    let key = trusted.iter().find(|key| key.key == parts.key).ok_or(SigError::UnknownKey)?;
    if !verify(&parts.key, &signing_block_in(namespace, message), &parts.signature) {
        return Err(SigError::Bad);
    }
    Ok(Checked { fingerprint: key.fingerprint(), comment: key.comment.clone() })
}

/// The key that a manifest is signed with, whoever trusts it, if the signature is good. Its comment is empty.
///
/// # Errors
/// As [`check`], but for the key.
pub fn signer(manifest_bytes: &[u8]) -> Result<PublicKey, SigError> {
    if manifest_bytes.ends_with(UNSIGNED) {
        return Err(SigError::Unsigned);
    }
    let base64 = signature_of(manifest_bytes).ok_or(SigError::Form)?;
    signer_in(NAMESPACE, signed_part(manifest_bytes), base64)
}

/// The key by which `base64` is a signature of this namespace over `message`. Its comment is empty.
pub(crate) fn signer_in(namespace: &str, message: &[u8], base64: &str) -> Result<PublicKey, SigError> {
    let blob = STANDARD.decode(base64).map_err(|_| SigError::Form)?;
    let key = PublicKey { key: parse(&blob)?.key, comment: String::new() };
    check_in(namespace, message, base64, std::slice::from_ref(&key))?;
    Ok(key)
}

/// The bytes that Ed25519 signs for a `message`, the signed part of a manifest.
#[must_use]
pub fn signing_block(message: &[u8]) -> Vec<u8> {
    signing_block_in(NAMESPACE, message)
}

/// The same in another namespace, such as [`crate::rollout::NAMESPACE`].
#[must_use]
pub fn signing_block_in(namespace: &str, message: &[u8]) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    for field in [namespace.as_bytes(), b"", HASH.as_bytes(), &sha256(message)] {
        string(&mut out, field);
    }
    out
}

/// The SSH signature that holds an Ed25519 `signature` over a [`signing_block`] by the key `public`.
///
/// In base64 with padding it is what stands in a manifest.
#[must_use]
pub fn blob(public: &[u8; 32], signature: &[u8; 64]) -> Vec<u8> {
    blob_in(NAMESPACE, public, signature)
}

/// The same in another namespace, such as [`crate::rollout::NAMESPACE`].
#[must_use]
pub fn blob_in(namespace: &str, public: &[u8; 32], signature: &[u8; 64]) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    out.extend(1_u32.to_be_bytes());
    string(&mut out, &key_blob(public));
    for field in [namespace.as_bytes(), b"", HASH.as_bytes()] {
        string(&mut out, field);
    }
    let mut inner = Vec::new();
    string(&mut inner, KEY_TYPE.as_bytes());
    string(&mut inner, signature);
    string(&mut out, &inner);
    out
}

fn key_blob(public: &[u8; 32]) -> Vec<u8> {
    let mut out = Vec::new();
    string(&mut out, KEY_TYPE.as_bytes());
    string(&mut out, public);
    out
}

struct Parts<'a> {
    key: [u8; 32],
    namespace: &'a [u8],
    hash: &'a [u8],
    signature: [u8; 64],
}

/// Takes a blob apart: `sig-form` and `sig-key-type`.
fn parse(blob: &[u8]) -> Result<Parts<'_>, SigError> {
    let mut reader = Reader::new(blob);
    if reader.take(MAGIC.len())? != MAGIC || reader.take(4)? != 1_u32.to_be_bytes() {
        return Err(SigError::Form);
    }
    let key = reader.string()?;
    let namespace = reader.string()?;
    let reserved = reader.string()?;
    let hash = reader.string()?;
    let signature = reader.string()?;
    reader.end()?;
    if !reserved.is_empty() {
        return Err(SigError::Form);
    }
    Ok(Parts { key: ed25519_of(key)?, namespace, hash, signature: ed25519_of(signature)? })
}

/// The N bytes of a key or signature that is wrapped with its type.
fn ed25519_of<const N: usize>(blob: &[u8]) -> Result<[u8; N], SigError> {
    let mut reader = Reader::new(blob);
    if reader.string()? != KEY_TYPE.as_bytes() {
        return Err(SigError::KeyType);
    }
    let bytes = reader.string()?;
    reader.end()?;
    bytes.try_into().map_err(|_| SigError::KeyType)
}

/// The strict check: `S < L`, `A` and `R` canonical and not of small order, the equation without the cofactor.
#[must_use]
pub fn verify(key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    let [r, _] = signature.as_chunks::<32>().0 else {
        return false;
    };
    let Ok(verifying) = VerifyingKey::from_bytes(key) else {
        return false;
    };
    is_canonical(key)
        && is_canonical(r)
        && verifying.verify_strict(message, &Signature::from_bytes(signature)).is_ok()
}

/// Whether the y of an encoded point is below p = 2^255 - 19.
///
/// The other encoding that is not canonical, x = 0 with a sign, is of small order.
fn is_canonical(point: &[u8; 32]) -> bool {
    let [low, middle @ .., high] = point;
    *low < 0xed || high & 0x7f != 0x7f || middle.iter().any(|&b| b != 0xff)
}

#[cfg(test)]
mod tests;
