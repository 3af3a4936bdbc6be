//! One file in a pack: compressed, or stored.
//!
//! A file of more than [`limits::PIECE`] bytes is compressed in pieces that can each be unpacked alone: an index of
//! their lengths, then the pieces.

mod stream;

use thiserror::Error;

use crate::limits;

/// The windows that are written: 2 to this power, in bytes.
const WINDOWS: [u8; 4] = [9, 10, 11, 12];
/// How much longer, in percent, a file may get for the sake of a smaller window.
const WORTH: usize = 3;

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
    /// The bytes in the pack are too few for the index of so many pieces.
    #[error("the index of {0} pieces is cut")]
    Index(usize),
    /// A piece has no bytes, or more than its content.
    #[error("piece {number} has {length} bytes in the pack for {size} bytes of the file")]
    Length {
        /// Which one, from 1.
        number: usize,
        /// Bytes in the pack.
        length: usize,
        /// Bytes of the file in it.
        size: usize,
    },
    /// The bytes in the pack end within a piece; its number, from 1.
    #[error("piece {0} is cut")]
    Cut(usize),
    /// A piece is wrong by itself.
    #[error("piece {number}: {source}")]
    Piece {
        /// Which one, from 1.
        number: usize,
        /// What is wrong with it.
        source: Box<PackError>,
    },
    /// The compressor failed, which it never should.
    #[error("the compressor failed: {0}")]
    Compressor(String),
}

/// Bytes of a file of `size` bytes in each of its pieces but the last; `None` where it is too small to have any.
#[must_use]
pub fn piece_size(size: usize) -> Option<usize> {
    let piece = if size > limits::LARGE { limits::LARGE_PIECE } else { limits::PIECE };
    (size > limits::PIECE).then_some(piece)
}

/// The bytes of a pack for a file with this `content`: compressed if that is wanted and makes it shorter, else as it is.
///
/// The same content always gives the same bytes. The window is the smallest that costs little: a board sets that much
/// memory aside.
///
/// # Errors
/// The content is larger than a file may be.
pub fn compress(content: &[u8], compress: bool) -> Result<Vec<u8>, PackError> {
    if content.len() as u64 > limits::FILE {
        return Err(PackError::TooLarge(content.len() as u64));
    }
    let mut good = None;
    let mut widest: Option<Vec<usize>> = None;
    let mut best = content.len();
    // The largest window first: it gives the shortest result, and what is not shorter with it is stored.
    for bits in WINDOWS.into_iter().rev().filter(|_| compress) {
        let Some(made) = compress_with(content, bits, widest.as_deref())? else { break };
        best = best.min(made.bytes.len());
        if made.bytes.len() >= content.len() || made.bytes.len() * 100 > best * (100 + WORTH) {
            break;
        }
        good = Some(made.bytes);
        widest.get_or_insert(made.lengths);
    }
    Ok(good.unwrap_or_else(|| content.to_vec()))
}

/// A file as it was compressed with one window.
struct Made {
    bytes: Vec<u8>,
    /// Of each piece.
    lengths: Vec<usize>,
}

/// One stream, or index and pieces; not shorter than `content` where it cannot be compressed. `None` if it becomes clear on
/// the way that it costs too much: `widest` are the lengths of the pieces with the largest window.
fn compress_with(content: &[u8], bits: u8, widest: Option<&[usize]>) -> Result<Option<Made>, PackError> {
    let mut compressor = stream::Compressor::new(bits);
    let Some(size) = piece_size(content.len()) else {
        let bytes = compressor.compress(content)?;
        return Ok(Some(Made { lengths: vec![bytes.len()], bytes }));
    };
    let mut lengths = Vec::with_capacity(content.len().div_ceil(size));
    let (mut index, mut pieces) = (Vec::new(), Vec::with_capacity(content.len() / 2));
    for piece in content.chunks(size) {
        let stream = compressor.compress(piece)?;
        let stored = if stream.len() < piece.len() { &stream[..] } else { piece };
        index.extend((stored.len() as u16).to_be_bytes()); // at most 32,768
        pieces.extend_from_slice(stored);
        lengths.push(stored.len());
        if widest.is_some_and(|widest| is_hopeless(pieces.len(), lengths.len(), widest)) {
            return Ok(None);
        }
    }
    Ok(Some(Made { bytes: [index, pieces].concat(), lengths }))
}

/// Whether a window costs too much if the pieces behind the first `count`, which take `length` bytes, are at best a
/// hundredth shorter than with the largest one. A smaller window hardly ever gives a shorter piece.
fn is_hopeless(length: usize, count: usize, widest: &[usize]) -> bool {
    let sum = |lengths: &[usize]| lengths.iter().sum::<usize>();
    length * 100 + sum(&widest[count..]) * 99 > sum(widest) * (100 + WORTH) + 200 * widest.len()
}

/// The file of `size` bytes that lies in a pack as the bytes `stored`.
///
/// It takes what a board takes: all of `stored` is used, and no byte comes from further back than the window that a
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
    match piece_size(size as usize) {
        None => stream::decompress(stored, size),
        Some(piece) => decompress_pieces(stored, size as usize, piece),
    }
}

fn decompress_pieces(stored: &[u8], size: usize, piece: usize) -> Result<Vec<u8>, PackError> {
    let count = size.div_ceil(piece);
    let (index, mut rest) = stored.split_at_checked(2 * count).ok_or(PackError::Index(count))?;
    let mut out = Vec::new();
    for (number, length) in (1..).zip(index.chunks_exact(2)) {
        let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
        let size = piece.min(size - out.len());
        if length == 0 || length > size {
            return Err(PackError::Length { number, length, size });
        }
        let (bytes, behind) = rest.split_at_checked(length).ok_or(PackError::Cut(number))?;
        rest = behind;
        if length == size {
            out.extend_from_slice(bytes);
        } else {
            let wrong = |source| PackError::Piece { number, source: Box::new(source) };
            out.extend(stream::decompress(bytes, size as u64).map_err(wrong)?);
        }
    }
    if rest.is_empty() { Ok(out) } else { Err(PackError::LeftOver(rest.len() as u64)) }
}

#[cfg(test)]
mod tests;
