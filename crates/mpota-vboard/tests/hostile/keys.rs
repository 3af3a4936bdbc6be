//! Signatures over whatever bytes a test has, well-formed or not.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ed25519_dalek::{Signer as _, SigningKey};
use mpota_format::digest::sha256;

pub struct Key(SigningKey);

fn string(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend((bytes.len() as u32).to_be_bytes());
    out.extend(bytes);
}

/// The bytes of a manifest that a signature covers, whether it has one or not.
fn part(manifest: &[u8]) -> Vec<u8> {
    let cut = |end: &[u8]| manifest.windows(end.len()).rposition(|w| w == end);
    let end = cut(b"\n],\n").or_else(|| cut(b"\n]}\n")).map_or(manifest.len(), |i| i + 1);
    [&manifest[..end], b"],\n"].concat()
}

impl Key {
    pub fn new(seed: u8) -> Self {
        Self(SigningKey::from_bytes(&[seed; 32]))
    }

    fn blob(&self) -> Vec<u8> {
        let mut out = Vec::new();
        string(&mut out, b"ssh-ed25519");
        string(&mut out, self.0.verifying_key().as_bytes());
        out
    }

    /// As it stands in CONFIG.
    pub fn line(&self) -> String {
        format!("ssh-ed25519 {}", BASE64_STANDARD.encode(self.blob()))
    }

    pub fn sign(&self, manifest: &[u8]) -> Vec<u8> {
        self.sign_for("mpota", manifest)
    }

    /// The manifest with this key's signature, made for a namespace.
    pub fn sign_for(&self, namespace: &str, manifest: &[u8]) -> Vec<u8> {
        self.sign_and_change(namespace, manifest, |signature| signature.to_vec())
    }

    /// The same with something else in place of the 64 bytes of R and S.
    pub fn sign_and_change(
        &self,
        namespace: &str,
        manifest: &[u8],
        change: impl FnOnce([u8; 64]) -> Vec<u8>,
    ) -> Vec<u8> {
        self.sign_part(namespace, part(manifest), change)
    }

    /// A rollout with this key's signature; the text is as it is without one.
    pub fn sign_rollout(&self, namespace: &str, text: &str) -> Vec<u8> {
        let part = format!("{},\n", text.strip_suffix("}\n").expect("an unsigned rollout"));
        self.sign_part(namespace, part.into_bytes(), |signature| signature.to_vec())
    }

    fn sign_part(
        &self,
        namespace: &str,
        mut part: Vec<u8>,
        change: impl FnOnce([u8; 64]) -> Vec<u8>,
    ) -> Vec<u8> {
        let mut message = b"SSHSIG".to_vec();
        let mut blob = b"SSHSIG\0\0\0\x01".to_vec();
        string(&mut blob, &self.blob());
        for field in [namespace.as_bytes(), b"", b"sha256"] {
            string(&mut message, field);
            string(&mut blob, field);
        }
        string(&mut message, &sha256(&part));
        let mut inner = Vec::new();
        string(&mut inner, b"ssh-ed25519");
        string(&mut inner, &change(self.0.sign(&message).to_bytes()));
        string(&mut blob, &inner);
        part.extend(format!("\"signature\":\"{}\"}}\n", BASE64_STANDARD.encode(blob)).bytes());
        part
    }
}
