//! The encoding of SSH: strings with their length before them.

use super::SigError;

/// Puts a string behind `out`.
pub(super) fn string(out: &mut Vec<u8>, bytes: &[u8]) {
    // Everything that is written here is far below 4 GB.
    out.extend(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    out.extend(bytes);
}

/// Reads a blob from its beginning to its end.
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(blob: &'a [u8]) -> Self {
        Self(blob)
    }

    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], SigError> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(SigError::Form)?;
        self.0 = rest;
        Ok(taken)
    }

    pub(super) fn string(&mut self) -> Result<&'a [u8], SigError> {
        let (length, rest) = self.0.split_first_chunk::<4>().ok_or(SigError::Form)?;
        self.0 = rest;
        self.take(u32::from_be_bytes(*length) as usize)
    }

    pub(super) fn end(&self) -> Result<(), SigError> {
        if self.0.is_empty() { Ok(()) } else { Err(SigError::Form) }
    }
}
