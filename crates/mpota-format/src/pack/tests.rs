use flate2::{Compress, Compression, FlushCompress, Status};

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
fn what_shrinks_is_a_zlib_stream_with_the_smallest_window_that_costs_little() {
    // The distance at which the content repeats, and the first byte of the stream: it names the window.
    let cases = [(15, 0x18), (200, 0x18), (300, 0x28), (700, 0x28), (1200, 0x38), (1700, 0x38), (2500, 0x48)];
    for (distance, first) in cases {
        let content: Vec<u8> = noise(distance).into_iter().cycle().take(12_000).collect();
        let stored = compress(&content, true).unwrap();
        assert_eq!(stored[0], first, "{distance}");
        assert_eq!(decompress(&stored, 12_000).unwrap(), content);
        assert_eq!(compress(&content, true).unwrap(), stored);
    }
    println!("  cases {}: windows", cases.len());
}

#[test]
fn a_smaller_window_may_cost_three_percent_and_no_more() {
    let lengths =
        |content: &[u8]| WINDOWS.map(|bits| compress_with(content, bits, None).unwrap().unwrap().bytes.len());
    let mut chosen = [0; 4];
    for seen_again in 0..120 {
        // Noise, and a little of it once more from further and further away.
        let mut content = noise(9000);
        for i in 0..seen_again {
            let (to, from) = (2600 + 20 * i, 2600 + 20 * i - [200, 700, 1500, 2500][seen_again % 4]);
            content.copy_within(from..from + 20, to);
        }
        content.extend([7; 3000]); // which every window makes short
        let lengths = lengths(&content);
        let best = *lengths.iter().min().unwrap();
        let stored = compress(&content, true).unwrap();
        if best >= content.len() {
            assert_eq!(stored, content);
            continue;
        }
        let at = WINDOWS.iter().position(|bits| stored[0] == (bits - 8) << 4 | 8).unwrap();
        assert_eq!(stored.len(), lengths[at]);
        assert!(stored.len() * 100 <= best * 103);
        let smaller = &lengths[..at];
        assert!(smaller.iter().all(|&length| length * 100 > best * 103 || length >= content.len()));
        chosen[at] += 1;
    }
    assert!(chosen.iter().all(|&count| count > 0), "{chosen:?}");
    println!("  cases {}: the choice of a window", chosen.iter().sum::<usize>());
}

/// The choice among the results of all windows, each made by a compressor of its own.
fn of_all_windows(content: &[u8]) -> Vec<u8> {
    let with = |bits| {
        let Some(size) = piece_size(content.len()) else { return stream(content, bits) };
        let (mut index, mut pieces) = (Vec::new(), Vec::new());
        for piece in content.chunks(size) {
            let stream = stream(piece, bits);
            let stored = if stream.len() < piece.len() { &stream[..] } else { piece };
            index.extend((stored.len() as u16).to_be_bytes());
            pieces.extend_from_slice(stored);
        }
        [index, pieces].concat()
    };
    let results = WINDOWS.map(with);
    let best = results.iter().map(Vec::len).min().unwrap();
    let good = |bytes: &Vec<u8>| bytes.len() < content.len() && bytes.len() * 100 <= best * (100 + WORTH);
    results.into_iter().find(good).unwrap_or_else(|| content.to_vec())
}

#[test]
fn windows_that_are_not_tried_would_not_have_been_chosen() {
    let cases = std::cell::Cell::new(0);
    let same = |content: &[u8]| {
        assert!(compress(content, true).unwrap() == of_all_windows(content), "{} bytes", content.len());
        cases.set(cases.get() + 1);
    };
    let device = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../device");
    let mut folders = vec![device];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path()) {
            match entry.is_dir() {
                true => folders.push(entry),
                false => same(&std::fs::read(entry).unwrap()),
            }
        }
    }
    assert!(cases.get() > 100, "the files of the updater, its tests among them");
    for size in [0, 1, 20, 300, 5_000, 16_384, 16_385, 40_000, 100_000] {
        for distance in [1, 30, 400, 900, 1_500, 3_000, 6_000] {
            // Text that repeats, noise that repeats, and both in turns.
            let text: Vec<u8> = (0..size).map(|i| b"import time, machine\n"[i % distance % 21]).collect();
            let noise: Vec<u8> = noise(distance).into_iter().cycle().take(size).collect();
            let both: Vec<u8> =
                text.chunks(700).zip(noise.chunks(700)).flat_map(|(a, b)| [a, b].concat()).collect();
            [text, noise, both].iter().for_each(|content| same(content));
        }
    }
    println!("  cases {}: contents packed as if all windows had been tried", cases.get());
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

/// The lengths in the index of a file in pieces.
fn index(stored: &[u8], count: usize) -> Vec<usize> {
    stored[..2 * count].chunks(2).map(|pair| usize::from(pair[0]) << 8 | usize::from(pair[1])).collect()
}

#[test]
fn a_file_above_16_kilobytes_lies_in_pieces_that_can_each_be_unpacked_alone() {
    let sizes = [(16_385, 16_384), (16_640, 16_384), (40_000, 16_384), (65_536, 16_384), (8_388_609, 32_768)];
    for (size, piece) in sizes {
        let content: Vec<u8> = noise(1000).into_iter().cycle().take(size).collect();
        let stored = compress_with(&content, 11, None).unwrap().unwrap().bytes;
        assert_eq!(piece_size(size), Some(piece));
        let count = size.div_ceil(piece);
        let lengths = index(&stored, count);
        let mut at = 2 * count;
        for (content, length) in content.chunks(piece).zip(&lengths) {
            let bytes = &stored[at..at + length];
            let alone = if *length == content.len() {
                bytes.to_vec()
            } else {
                stream::decompress(bytes, content.len() as u64).unwrap()
            };
            assert!(alone == content);
            at += length;
        }
        assert_eq!(at, stored.len());
        assert!(decompress(&stored, size as u64).unwrap() == content, "{size}");
    }
    for (size, piece) in [(0, None), (16_384, None), (8_388_608, Some(16_384)), (16_777_216, Some(32_768))] {
        assert_eq!(piece_size(size), piece);
    }
    println!("  cases {}: sizes of files in pieces", sizes.len());
}

#[test]
fn pieces_that_do_not_shrink_are_stored_among_those_that_do() {
    let content = [&noise(16_384)[..], &[7; 16_384], &noise(100)].concat();
    let stored = compress(&content, true).unwrap();
    let lengths = index(&stored, 3);
    assert_eq!((lengths[0], lengths[2]), (16_384, 100));
    assert!(lengths[1] < 100);
    assert_eq!(stored[6..][..16_384], content[..16_384]);
    assert_eq!(decompress(&stored, content.len() as u64).unwrap(), content);
}

#[test]
fn where_pieces_do_not_pay_the_file_is_stored_whole() {
    let noise = noise(50_000);
    assert_eq!(compress(&noise, true).unwrap(), noise);
    assert_eq!(compress(&vec![0; 50_000], false).unwrap(), vec![0; 50_000]);
    // Noise, and a second piece that is worth its index from some length on.
    let mut paid = 0;
    for length in 1..60 {
        let content = [&noise[..16_384], &vec![7; length]].concat();
        let pays = 4 + stream::Compressor::new(9).compress(&content[16_384..]).unwrap().len() < length;
        let stored = compress(&content, true).unwrap();
        assert_eq!(stored != content, pays, "{length}");
        assert_eq!(decompress(&stored, content.len() as u64).unwrap(), content);
        paid += usize::from(pays);
    }
    assert!((30..50).contains(&paid), "{paid}");
    println!("  cases 59: pieces that pay, and that do not");
}

#[test]
fn a_wrong_index_or_piece_is_refused_by_its_number() {
    let content = [&noise(16_384)[..], &[7; 16_384], &[8; 100]].concat();
    let size = content.len() as u64;
    let good = compress(&content, true).unwrap();
    let lengths = index(&good, 3);
    let with = |at: usize, bytes: &[u8]| {
        let mut changed = good.clone();
        changed[at..at + bytes.len()].copy_from_slice(bytes);
        decompress(&changed, size)
    };
    assert_eq!(with(0, &good[..2]).unwrap(), content);
    let length = |number, length, size| Err(PackError::Length { number, length, size });
    assert_eq!(with(0, &[0, 0]), length(1, 0, 16_384));
    assert_eq!(with(0, &[0x40, 1]), length(1, 16_385, 16_384));
    assert_eq!(with(4, &[0, 0]), length(3, 0, 100));
    assert_eq!(with(4, &[0, 101]), length(3, 101, 100));
    let piece = |number, source: PackError| Err(PackError::Piece { number, source: Box::new(source) });
    // A stored piece that is said to be shorter is read as a stream.
    assert_eq!(with(0, &[0x3f, 0xff]), piece(1, PackError::NotZlib));
    assert_eq!(with(2, &(lengths[1] as u16 - 1).to_be_bytes()), piece(2, PackError::Damaged));
    assert_eq!(with(2, &(lengths[1] as u16 + 1).to_be_bytes()), piece(2, PackError::LeftOver(1)));
    assert_eq!(with(4, &(lengths[2] as u16 - 1).to_be_bytes()), piece(3, PackError::Damaged));
    assert_eq!(with(4, &(lengths[2] as u16 + 1).to_be_bytes()), Err(PackError::Cut(3)));
    assert_eq!(with(6 + 16_384, &zlib_header(0x58, 0)), piece(2, PackError::Window(8192)));
    assert_eq!(with(6 + 16_384, &zlib_header(0x18, 0x20)), piece(2, PackError::Dictionary));
    assert_eq!(decompress(&[&good[..], b"x"].concat(), size), Err(PackError::LeftOver(1)));
    assert_eq!(decompress(&good[..5], size), Err(PackError::Index(3)));
    assert_eq!(decompress(&good[..6], size), Err(PackError::Cut(1)));
    assert_eq!(decompress(&good[..good.len() - 1], size), Err(PackError::Cut(3)));
    // The pieces of a file of another size.
    assert_eq!(decompress(&good, size - 1), piece(3, PackError::Size(99)));
    // One stream for a file that must be in pieces.
    let one = stream(&content, 10);
    assert_eq!(decompress(&one, size), piece(1, PackError::NotZlib)); // its header reads as a length, 0x28cf
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
    for size in [good.len() as u64 + 1, 999, 1001, limits::PIECE as u64] {
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
