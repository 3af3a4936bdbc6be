//! What holds for any manifest, any bytes and any file.

#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::collections::BTreeMap;

use mpota_format::journal::{Record, State};
use mpota_format::manifest::{
    FileEntry, Header, Hooks, Manifest, More, MoreItem, MoreValue, Pack, Place, Requires, sort_files,
    sort_key,
};
use mpota_format::pack::{compress, decompress};
use mpota_format::path::{asset_names, check_path};
use mpota_format::sshsig::{PublicKey, check};
use mpota_format::version::Version;
use proptest::collection::{btree_map, hash_set, vec};
use proptest::option;
use proptest::prelude::*;

type Content = (u64, [u8; 32], u32, u64, bool, More);

fn path() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9ü€😀._ -]{1,12}(/[a-zA-Z0-9._-]{1,8}){0,3}"
        .prop_filter("a valid path", |path| check_path(path).is_ok())
}

fn content() -> impl Strategy<Value = Content> {
    (0..=16_777_216_u64, any::<[u8; 32]>(), any::<u32>(), 0..=100_u64, any::<bool>(), more(2))
}

/// Files that can be together: no two alike, none inside another.
fn files() -> impl Strategy<Value = BTreeMap<String, Content>> {
    btree_map(path(), content(), 1..20).prop_map(|mut files| {
        let mut last: Option<Vec<u8>> = None;
        let mut paths: Vec<String> = files.keys().cloned().collect();
        paths.sort_by_key(|path| sort_key(path));
        for path in paths {
            let key = sort_key(&path);
            if last.as_ref().is_some_and(|last| key == *last || key.starts_with(&[&last[..], &[0]].concat()))
            {
                files.remove(&path);
            } else {
                last = Some(key);
            }
        }
        files
    })
}

/// At most so many members, so that a line has room for them.
fn more(most: usize) -> impl Strategy<Value = More> {
    let text = "[ !#-\\[\\]-~]{0,12}".prop_map(MoreItem::Text);
    let item = prop_oneof![text, (0..=9_999_999_999_u64).prop_map(MoreItem::Number)].boxed();
    let value =
        prop_oneof![item.clone().prop_map(MoreValue::One), vec(item, 1..4).prop_map(MoreValue::Many),];
    btree_map("[a-z0-9_-]{1,8}", value, 0..=most)
}

fn header() -> impl Strategy<Value = Header> {
    let requires = (
        option::of("[0-9]\\.(0|[1-9][0-9]{0,8})"),
        hash_set("[a-z0-9._-]{1,16}", 0..=8),
        option::of("[1-9](\\.[0-9])?"),
        hash_set("[ !#-\\[\\]-~]{1,16}", 0..=8),
    );
    let version = "v?[1-9]{0,8}[0-9]\\.[0-9]\\.[0-9](-[a-z][a-z0-9-]{0,5}(\\.[0-9])?)?(\\+[0-9a-z]{1,9})?";
    (option::of("[a-z.]{1,32}/[A-Z_-]{1,32}"), version, option::of(1..=9_999_999_999_u64), requires, more(2))
        .prop_filter_map(
            "a version",
            |(project, version, created, (micropython, platform, mpy, board), more)| {
                let (platform, board) = (platform.into_iter().collect(), board.into_iter().collect());
                let requires = Requires { micropython, platform, mpy, board };
                let version = Version::parse(&version).ok()?;
                Some(Header { project, created, requires, more, ..Header::new(version) })
            },
        )
}

prop_compose! {
    fn manifest()(
        mut header in header(),
        files in files(),
        packed in any::<bool>(),
        hooks in any::<(Option<proptest::sample::Index>, Option<proptest::sample::Index>)>(),
        signature in option::of("([A-Za-z0-9+/]{4}){1,124}"),
    ) -> Manifest {
        let mut files: Vec<FileEntry> = files.into_iter().map(|(path, (size, sha256, crc32, percent, keep, more))| {
            let place = Place::Packed { offset: 0, length: size * percent / 100 };
            FileEntry { path, size, sha256, crc32, place, keep, more }
        }).collect();
        sort_files(&mut files);
        let names = asset_names(&files.iter().map(|file| &file.path).collect::<Vec<_>>());
        let mut end = 0;
        for (file, name) in files.iter_mut().zip(names) {
            match &mut file.place {
                Place::Packed { offset, length } if packed => {
                    *offset = end;
                    end += *length;
                }
                place => *place = Place::Asset { name },
            }
        }
        header.pack = packed.then(|| Pack { asset: "app.pack".into(), size: end });
        let mut hook = |index: Option<proptest::sample::Index>| index.map(|index| {
            let file = index.get_mut(&mut files);
            file.keep = false;
            file.path.clone()
        });
        header.hooks = Hooks { post_update: hook(hooks.0), rollback: hook(hooks.1) };
        Manifest { header, files, signature }
    }
}

fn record() -> impl Strategy<Value = Record> {
    let numbers = (1..=u64::MAX, 0..1000_u64, 0..1000_u64, any::<(bool, bool, bool)>());
    (0..State::ALL.len(), numbers, "[ -~]{0,60}", "v[0-9.]{0,20}").prop_map(
        |(state, (seq, boots, secs, flags), why, next)| {
            let mut record = Record::new(seq, State::ALL[state]);
            (record.hook, record.repair, record.early) = flags;
            (record.boots, record.secs) = (boots, secs);
            (record.why, record.next) = (why, next);
            record
        },
    )
}

proptest! {
    // A failure prints what it takes to see it again, and becomes a vector.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_again(manifest in manifest()) {
        let bytes = manifest.to_bytes().unwrap();
        let again = Manifest::parse(&bytes).unwrap();
        prop_assert_eq!(&again, &manifest);
        prop_assert_eq!(again.header.version.as_str(), manifest.header.version.as_str());
        let json: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        prop_assert_eq!(json["files"].as_array().map(Vec::len), Some(manifest.files.len()));
    }

    #[test]
    fn a_changed_manifest_is_refused_or_written_as_it_was_read(
        manifest in manifest(),
        changes in vec((any::<proptest::sample::Index>(), any::<u8>(), 0..3_u8), 1..4),
    ) {
        let mut bytes = manifest.to_bytes().unwrap();
        for (at, byte, how) in changes {
            let at = at.index(bytes.len());
            match how {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => drop(bytes.drain(at..=at)),
            }
        }
        if let Ok(manifest) = Manifest::parse(&bytes) {
            prop_assert_eq!(manifest.to_bytes().unwrap(), bytes);
        }
    }

    #[test]
    fn a_cut_manifest_is_refused(manifest in manifest(), at in any::<proptest::sample::Index>()) {
        let bytes = manifest.to_bytes().unwrap();
        prop_assert!(Manifest::parse(&bytes[..at.index(bytes.len())]).is_err());
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in vec(any::<u8>(), 0..600)) {
        let _ = Manifest::parse(&bytes);
        let _ = Record::parse(&bytes);
        let _ = check(&bytes, &[]);
        let _ = decompress(&bytes, 1000);
        let text = String::from_utf8_lossy(&bytes);
        let _ = (Version::parse(&text), check_path(&text), PublicKey::parse_line(&text));
    }

    #[test]
    fn a_packed_file_comes_back(content in vec(0..4_u8, 0..5000), wanted in any::<bool>()) {
        let stored = compress(&content, wanted).unwrap();
        prop_assert!(stored.len() <= content.len());
        prop_assert_eq!(decompress(&stored, content.len() as u64).unwrap(), content);
    }

    #[test]
    fn a_changed_packed_file_is_refused_or_has_its_size(
        content in vec(0..4_u8, 100..3000),
        at in any::<proptest::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut stored = compress(&content, true).unwrap();
        let at = at.index(stored.len());
        stored[at] = byte;
        // Not always with an error: Adler-32 is weak, which is why SHA-256 has the last word.
        if let Ok(found) = decompress(&stored, content.len() as u64) {
            prop_assert_eq!(found.len(), content.len());
        }
    }

    #[test]
    fn a_file_in_pieces_comes_back(
        seed in vec(0..9_u8, 1..3000),
        size in 16_000..70_000_usize,
        at in any::<proptest::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let content: Vec<u8> = seed.into_iter().cycle().take(size).collect();
        let mut stored = compress(&content, true).unwrap();
        prop_assert!(stored.len() < size);
        prop_assert!(decompress(&stored, size as u64).unwrap() == content);
        let at = at.index(stored.len());
        prop_assert!(decompress(&stored[..at], size as u64).is_err());
        stored[at] = byte;
        if let Ok(found) = decompress(&stored, size as u64) {
            prop_assert_eq!(found.len(), size);
        }
    }

    #[test]
    fn asset_names_are_valid_whatever_the_paths(paths in vec("[a-c./ü]{0,6}|.{0,130}", 0..30)) {
        let names = asset_names(&paths);
        prop_assert_eq!(names.len(), paths.len());
        prop_assert!(names.iter().all(|name| mpota_format::path::is_asset_name(name)));
        let lower: std::collections::HashSet<String> = names.iter().map(|name| name.to_ascii_lowercase()).collect();
        prop_assert_eq!(lower.len(), paths.len());
    }

    #[test]
    fn a_record_is_read_again(record in record()) {
        prop_assert_eq!(Record::parse(&record.to_bytes().unwrap()), Ok(record));
    }

    #[test]
    fn a_cut_or_changed_record_does_not_count(record in record(), at in any::<proptest::sample::Index>(), byte in any::<u8>()) {
        let bytes = record.to_bytes().unwrap();
        let at = at.index(bytes.len());
        prop_assert!(Record::parse(&bytes[..at]).is_err());
        let mut changed = bytes.clone();
        changed[at] = byte;
        prop_assert!(changed == bytes || Record::parse(&changed).is_err());
    }
}
