//! Keys for tests, and signatures by them. Not secret, and good for nothing else.

use ed25519_dalek::{Signer as _, SigningKey};
use mpota_format::digest::sha256;

/// TEST KEY: whoever reads this has it. It is made from a text, so that no key file lies anywhere.
pub fn test_key(number: u8) -> SigningKey {
    SigningKey::from_bytes(&sha256(format!("mpota TEST KEY {number}, NOT SECRET").as_bytes()))
}

/// A string as SSH encodes it.
pub fn ssh(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u32).to_be_bytes(), bytes].concat()
}

/// A key or a signature with its type.
pub fn typed(kind: &str, bytes: &[u8]) -> Vec<u8> {
    [ssh(kind.as_bytes()), ssh(bytes)].concat()
}

/// The fields of an SSH signature, each of which a test may make wrong.
pub struct Blob {
    pub magic: &'static [u8],
    pub version: u32,
    pub key: Vec<u8>,
    pub namespace: &'static [u8],
    pub reserved: &'static [u8],
    pub hash: &'static [u8],
    pub signature: Vec<u8>,
}

impl Blob {
    /// A right signature by `key` over a message of this hash.
    pub fn new(key: &SigningKey, digest: &[u8]) -> Self {
        let mut blob = Self {
            magic: b"SSHSIG",
            version: 1,
            key: typed("ssh-ed25519", key.verifying_key().as_bytes()),
            namespace: b"mpota",
            reserved: b"",
            hash: b"sha256",
            signature: Vec::new(),
        };
        blob.sign(key, digest);
        blob
    }

    /// What is signed: the fields as they are now, and the hash of the message.
    pub fn block(&self, digest: &[u8]) -> Vec<u8> {
        let fields = [self.namespace, self.reserved, self.hash, digest].map(ssh).concat();
        [self.magic, &fields[..]].concat()
    }

    /// Signs the fields as they are now.
    pub fn sign(&mut self, key: &SigningKey, digest: &[u8]) {
        self.signature = typed("ssh-ed25519", &key.sign(&self.block(digest)).to_bytes());
    }

    /// The whole blob.
    pub fn bytes(&self) -> Vec<u8> {
        let fields = [&self.key[..], self.namespace, self.reserved, self.hash, &self.signature];
        [self.magic, &self.version.to_be_bytes(), &fields.map(ssh).concat()].concat()
    }
}
