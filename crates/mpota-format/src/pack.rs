//! One file in a pack: compressed by itself, or stored.
//!
//! A board gives the window of the stream's header its memory, so it is kept at 1 KB here. Streams of others may
//! have up to [`limits::WINDOW`].

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::TINFL_FLAG_PARSE_ZLIB_HEADER;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress as inflate};
use thiserror::Error;

use crate::limits;

/// The window that is written: 2 to this power, in bytes.
const WINDOW_BITS: u8 = 10;
const CHUNK: usize = 64 * 1024;

/// Why a file cannot be packed, or why its bytes in the pack are wrong.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum PackError {
    /// The file has more bytes than a board takes.
    #[error("a file of {0} bytes, {max} are allowed", max = limits::FILE)]
    TooLarge(u64),
    /// The bytes in the pack are more than those of the file.
    #[error("{length} bytes in the pack for a file of {size} bytes")]
    Longer {
        /// Bytes in the pack.
        length: u64,
        /// Bytes of the file.
        size: u64,
    },
    /// The bytes in the pack do not begin as a zlib stream does.
    #[error("not a zlib stream")]
    NotZlib,
    /// The stream needs a larger window than a board gives it; its size in bytes.
    #[error("compressed with a window of {0} bytes, {max} are allowed", max = limits::WINDOW)]
    Window(usize),
    /// The stream needs a preset dictionary.
    #[error("compressed with a preset dictionary")]
    Dictionary,
    /// The stream is damaged or reaches behind its own window.
    #[error("the compressed file is damaged")]
    Damaged,
    /// The stream gives another number of bytes than the file has.
    #[error("the compressed file does not give {0} bytes")]
    Size(u64),
    /// The stream is over before its bytes are.
    #[error("{0} bytes are left over behind the compressed file")]
    LeftOver(u64),
    /// The compressor failed, which it never should.
    #[error("the compressor failed: {0}")]
    Compressor(String),
}

/// The bytes of a pack for a file with this `content`: compressed if that is wanted and makes it shorter, else as it is.
///
/// The same content always gives the same bytes.
///
/// # Errors
/// The content is larger than a file may be.
pub fn compress(content: &[u8], compress: bool) -> Result<Vec<u8>, PackError> {
    if content.len() as u64 > limits::FILE {
        return Err(PackError::TooLarge(content.len() as u64));
    }
    if compress {
        let stream = zlib(content)?;
        if stream.len() < content.len() {
            return Ok(stream);
        }
    }
    Ok(content.to_vec())
}

fn zlib(content: &[u8]) -> Result<Vec<u8>, PackError> {
    let mut zlib = Compress::new_with_window_bits(Compression::best(), true, WINDOW_BITS);
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

/// The file of `size` bytes that lies in a pack as the bytes `stored`.
///
/// It takes what a board takes: all of `stored` is used, and no byte comes from further back than the window that the
/// stream's header asks for. No more than `size` bytes and one are ever held.
///
/// # Errors
/// The bytes are not those of a file with this size.
pub fn decompress(stored: &[u8], size: u64) -> Result<Vec<u8>, PackError> {
    let length = stored.len() as u64;
    if size > limits::FILE {
        return Err(PackError::TooLarge(size));
    }
    if length > size {
        return Err(PackError::Longer { length, size });
    }
    if length == size {
        return Ok(stored.to_vec());
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A zlib stream with a window of the caller's choice.
    fn stream(content: &[u8], bits: u8) -> Vec<u8> {
        let mut zlib = Compress::new_with_window_bits(Compression::best(), true, bits);
        let mut out = Vec::with_capacity(2 * content.len() + 100);
        assert_eq!(zlib.compress_vec(content, &mut out, FlushCompress::Finish).unwrap(), Status::StreamEnd);
        out
    }

    /// The two bytes that a zlib stream begins with.
    fn zlib_header(cmf: u8, flags: u8) -> [u8; 2] {
        let check = 31 - u16::from_be_bytes([cmf, flags]) % 31;
        [cmf, flags + check as u8]
    }

    fn noise(length: usize) -> Vec<u8> {
        (0_u32..).flat_map(|i| crate::digest::sha256(&i.to_le_bytes())).take(length).collect()
    }

    #[test]
    fn what_shrinks_is_a_zlib_stream_with_a_window_of_one_kilobyte() {
        let content = b"print('hello')\n".repeat(1000);
        let stored = compress(&content, true).unwrap();
        assert_eq!(stored[0], 0x28);
        assert!(stored.len() < 200);
        assert_eq!(decompress(&stored, content.len() as u64).unwrap(), content);
        assert_eq!(compress(&content, true).unwrap(), stored);
    }

    #[test]
    fn what_does_not_shrink_or_need_not_is_stored() {
        for content in [&b""[..], b"x", &noise(5000)] {
            assert_eq!(compress(content, true).unwrap(), content);
            assert_eq!(decompress(content, content.len() as u64).unwrap(), content);
        }
        let content = vec![0; 1000];
        assert_eq!(compress(&content, false).unwrap(), content);
    }

    #[test]
    fn large_files_come_back() {
        let content: Vec<u8> = noise(1000).repeat(300);
        assert_eq!(decompress(&compress(&content, true).unwrap(), content.len() as u64).unwrap(), content);
    }

    #[test]
    fn windows_up_to_four_kilobytes_are_taken() {
        let content = noise(300).repeat(20);
        for bits in 9..=12 {
            assert_eq!(decompress(&stream(&content, bits), 6000).unwrap(), content, "{bits}");
        }
        for bits in 13..=15 {
            assert_eq!(decompress(&stream(&content, bits), 6000), Err(PackError::Window(1 << bits)));
        }
    }

    #[test]
    fn reaching_behind_the_window_is_damage() {
        let content = [&noise(1100)[..], &noise(1100)].concat();
        let mut bytes = stream(&content, 12);
        assert!(bytes.len() < 1500);
        assert_eq!(decompress(&bytes, 2200).unwrap(), content);
        bytes[..2].copy_from_slice(&zlib_header(0x28, 0));
        assert_eq!(decompress(&bytes, 2200), Err(PackError::Damaged));
        bytes[..2].copy_from_slice(&zlib_header(0x38, 0));
        assert_eq!(decompress(&bytes, 2200).unwrap(), content);
    }

    #[test]
    fn what_is_no_zlib_stream_is_refused() {
        let good = stream(&[7; 1000], 10);
        let with = |header: [u8; 2]| [&header[..], &good[2..]].concat();
        assert_eq!(decompress(&with(zlib_header(0x28, 0)), 1000).unwrap(), [7; 1000]);
        assert_eq!(decompress(&with(zlib_header(0x28, 0x20)), 1000), Err(PackError::Dictionary));
        for header in [zlib_header(0x27, 0), zlib_header(0x88, 0), [0x28, 0], *b"PK", [0x1f, 0x8b]] {
            assert_eq!(decompress(&with(header), 1000), Err(PackError::NotZlib), "{header:x?}");
        }
        assert_eq!(decompress(&[], 1), Err(PackError::NotZlib));
        assert_eq!(decompress(&[0x28], 2), Err(PackError::NotZlib));
        assert_eq!(decompress(&zlib_header(0x28, 0), 3), Err(PackError::Damaged));
    }

    #[test]
    fn length_and_size_must_be_exact() {
        let good = stream(&[7; 1000], 10);
        for size in [0, 1, good.len() as u64 - 1] {
            assert_eq!(decompress(&good, size), Err(PackError::Longer { length: good.len() as u64, size }));
        }
        for size in [good.len() as u64 + 1, 999, 1001, limits::FILE] {
            assert_eq!(decompress(&good, size), Err(PackError::Size(size)));
        }
        assert_eq!(decompress(&[&good[..], b"x"].concat(), 1000), Err(PackError::LeftOver(1)));
        for length in 2..good.len() {
            assert_eq!(decompress(&good[..length], 1000), Err(PackError::Damaged), "{length}");
        }
        let mut bad = good.clone();
        *bad.last_mut().unwrap() ^= 1;
        assert_eq!(decompress(&bad, 1000), Err(PackError::Damaged));
    }

    #[test]
    fn files_beyond_the_limit_are_refused() {
        assert_eq!(decompress(b"x", limits::FILE + 1), Err(PackError::TooLarge(limits::FILE + 1)));
        let content = vec![0; limits::FILE as usize + 1];
        assert_eq!(compress(&content, true), Err(PackError::TooLarge(limits::FILE + 1)));
    }
}
