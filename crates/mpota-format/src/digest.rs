//! SHA-256 and CRC32, over slices and piece by piece.

use std::fmt::Write as _;

use sha2::Digest as _;

/// The SHA-256 of `data`.
#[must_use]
pub fn sha256(data: &[u8]) -> [u8; 32] {
    sha2::Sha256::digest(data).into()
}

/// The CRC32 of `data`, as zlib and PNG have it.
#[must_use]
pub fn crc32(data: &[u8]) -> u32 {
    crc32fast::hash(data)
}

/// Lower-case hex, two digits a byte.
#[must_use]
pub fn hex(data: &[u8]) -> String {
    data.iter().fold(String::with_capacity(data.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}"); // writing to a String does not fail
        text
    })
}

/// A SHA-256 and a CRC32 over the same bytes, given piece by piece.
#[derive(Clone, Debug, Default)]
pub struct Digests {
    sha256: sha2::Sha256,
    crc32: crc32fast::Hasher,
    size: u64,
}

impl Digests {
    /// Nothing hashed yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Hashes the next piece.
    pub fn update(&mut self, data: &[u8]) {
        self.sha256.update(data);
        self.crc32.update(data);
        self.size += data.len() as u64;
    }

    /// How many bytes were given so far.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The SHA-256 and the CRC32 of all pieces.
    #[must_use]
    pub fn finish(self) -> ([u8; 32], u32) {
        (self.sha256.finalize().into(), self.crc32.finalize())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_of_the_standards() {
        assert_eq!(hex(&sha256(b"abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn pieces_hash_like_the_whole() {
        let mut digests = Digests::new();
        digests.update(b"1234");
        digests.update(b"");
        digests.update(b"56789");
        assert_eq!(digests.size(), 9);
        assert_eq!(digests.finish(), (sha256(b"123456789"), 0xcbf4_3926));
    }
}
