//! One zlib stream, both ways.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::TINFL_FLAG_PARSE_ZLIB_HEADER;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress as inflate};

use super::PackError;
use crate::limits;

const CHUNK: usize = 64 * 1024;

/// Makes streams one after the other, in the same memory.
pub(super) struct Compressor {
    zlib: Compress,
}

impl Compressor {
    /// Streams with a window of 2 to the power of `bits` bytes.
    pub fn new(bits: u8) -> Self {
        Self { zlib: Compress::new_with_window_bits(Compression::best(), true, bits) }
    }

    /// A stream of `content`.
    pub fn compress(&mut self, content: &[u8]) -> Result<Vec<u8>, PackError> {
        let zlib = &mut self.zlib;
        zlib.reset();
        let mut out = Vec::with_capacity(content.len() / 2 + 64);
        loop {
            let rest = &content[zlib.total_in() as usize..];
            let status = zlib.compress_vec(rest, &mut out, FlushCompress::Finish);
            match status.map_err(|error| PackError::Compressor(error.to_string()))? {
                Status::StreamEnd => return Ok(out),
                Status::Ok | Status::BufError => out.reserve(CHUNK),
            }
        }
    }
}

/// The `size` bytes that a stream gives, which ends where `stored` does.
pub(super) fn decompress(stored: &[u8], size: u64) -> Result<Vec<u8>, PackError> {
    let length = stored.len() as u64;
    let window = window(stored)?;
    let mut zlib = Decompress::new(true);
    let mut out = Vec::new();
    loop {
        let (read, written) = (zlib.total_in(), zlib.total_out());
        out.reserve_exact(CHUNK.min((size - written) as usize + 1)); // one more, to see that it is too long
        let status = zlib
            .decompress_vec(&stored[read as usize..], &mut out, FlushDecompress::None)
            .map_err(|_| PackError::Damaged)?;
        if zlib.total_out() > size {
            return Err(PackError::Size(size));
        }
        if status == Status::StreamEnd {
            break;
        }
        if zlib.total_out() == written && zlib.total_in() == read {
            return Err(PackError::Damaged); // it wants more input, and there is none
        }
    }
    if zlib.total_out() != size {
        return Err(PackError::Size(size));
    }
    if zlib.total_in() != length {
        return Err(PackError::LeftOver(length - zlib.total_in()));
    }
    if stays_in(window, stored) { Ok(out) } else { Err(PackError::Damaged) }
}

/// Whether a board that has no more than this window, a power of two, can decompress a whole zlib stream.
///
/// The decoder above always has 32 KB and does not see when a stream reaches further back than its header says. This
/// one gets a ring of that size and nothing else.
fn stays_in(window: usize, stored: &[u8]) -> bool {
    let mut ring = vec![0; window];
    let mut decoder = DecompressorOxide::new();
    let (mut read, mut at) = (0, 0);
    loop {
        let flags = TINFL_FLAG_PARSE_ZLIB_HEADER;
        let (status, used, written) = inflate(&mut decoder, &stored[read..], &mut ring, at, flags);
        (read, at) = (read + used, (at + written) % window);
        match status {
            TINFLStatus::HasMoreOutput => {}
            status => return status == TINFLStatus::Done,
        }
    }
}

/// The window that the header of a zlib stream asks for, in bytes.
fn window(stored: &[u8]) -> Result<usize, PackError> {
    let &[cmf, flg, ..] = stored else {
        return Err(PackError::NotZlib);
    };
    let window = 256 << (cmf >> 4);
    if cmf & 15 != 8 || window > 32768 || u16::from_be_bytes([cmf, flg]) % 31 != 0 {
        return Err(PackError::NotZlib);
    }
    if window > limits::WINDOW {
        return Err(PackError::Window(window));
    }
    if flg & 0x20 != 0 {
        return Err(PackError::Dictionary);
    }
    Ok(window)
}
