//! The pages of `mpota serve` in a headless Chromium. With `MPOTA_SHOTS` it leaves pictures in that folder.

#![allow(clippy::unwrap_used, reason = "these are tests")]

#[path = "clients/node.rs"]
mod node;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, SigningKey};
use mpota_format::digest::{crc32, sha256};
use mpota_format::manifest::{FileEntry, Header, Manifest, More, Pack, Place, sort_files};
use mpota_format::sshsig::{self, PublicKey};
use mpota_format::version::Version;
use mpota_serve::{Options, Server, WriteOptions};
use mpota_vboard::clients;
use std::path::Path;

const FILES: [(&str, u64); 7] = [
    ("boot.py", 412),
    ("main.py", 1_893),
    ("ota_keys", 104),
    ("config.json", 230),
    ("lib/sensors/bme280_with_a_rather_long_name_for_a_module_of_a_board.mpy", 6_210),
    ("lib/umqtt/simple.py", 5_904),
    ("static/index.html", 48_211),
];

fn key() -> (SigningKey, PublicKey) {
    let key = SigningKey::from_bytes(&[7; 32]);
    let public = PublicKey { key: key.verifying_key().to_bytes(), comment: "ana@workshop".into() };
    (key, public)
}

fn release(root: &Path, project: &str, version: &str, folder: &str, key: Option<&SigningKey>, meta: &str) {
    let mut files: Vec<FileEntry> = FILES
        .iter()
        .map(|&(path, size)| FileEntry {
            path: path.into(),
            size,
            sha256: sha256(format!("{path} {version}").as_bytes()),
            crc32: crc32(path.as_bytes()),
            place: Place::Packed { offset: 0, length: size / 2 },
            keep: path == "config.json",
            more: More::new(),
        })
        .collect();
    sort_files(&mut files);
    let mut end = 0;
    for file in &mut files {
        let length = file.size / 2;
        file.place = Place::Packed { offset: end, length };
        end += length;
    }
    let name = project.rsplit('/').next().unwrap();
    let asset = format!("{name}-{version}.pack");
    let mut header = Header::new(Version::parse(version).unwrap());
    header.project = Some(project.into());
    header.created = Some(1_795_000_000);
    header.requires.micropython = Some("1.21".into());
    header.requires.platform = vec!["rp2".into(), "esp32".into()];
    header.pack = Some(Pack { asset: asset.clone(), size: end });
    let mut manifest = Manifest { header, files, signature: None };
    if let Some(key) = key {
        let block = sshsig::signing_block(&manifest.signed_bytes().unwrap());
        let blob = sshsig::blob(&key.verifying_key().to_bytes(), &key.sign(&block).to_bytes());
        manifest.signature = Some(STANDARD.encode(blob));
    }
    let folder = root.join(project).join(folder);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("manifest.json"), manifest.to_bytes().unwrap()).unwrap();
    std::fs::write(folder.join("release.json"), meta).unwrap();
    if folder.ends_with(version) {
        std::fs::write(folder.join(asset), vec![0; usize::try_from(end).unwrap()]).unwrap();
    }
}

/// Projects as somebody has them, and as somebody would like to have them who means harm.
fn projects(root: &Path) {
    let (key, _) = key();
    let other = SigningKey::from_bytes(&[8; 32]);
    let dated = |day: u32, rest: &str| format!("{{\"created_at\":\"2026-11-{day:02}T08:30:00Z\"{rest}}}");
    let weather = "octo/weather";
    for (number, day) in (1..10).zip(1..) {
        release(
            root,
            weather,
            &format!("v1.{number}.0"),
            &format!("v1.{number}.0"),
            Some(&key),
            &dated(day, ""),
        );
    }
    let notes = r#","body":"Reads the wind sensor twice a minute.\n\n- takes the new sensor\n- **no** markup: <b>as it is</b>\n\nA long word: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa""#;
    release(root, weather, "v1.10.0", "v1.10.0", Some(&key), &dated(20, notes));
    release(root, weather, "v2.0.0-rc.1", "v2.0.0-rc.1", Some(&other), &dated(22, ""));
    release(root, weather, "v1.10.1", "v1.10.1", None, &dated(23, ",\"draft\":true"));
    release(root, weather, "v2.0.0-rc.1", "beta", Some(&other), &dated(22, ""));
    release(root, weather, "v1.10.0", "field-test", Some(&key), &dated(21, ""));
    release(root, "octo/clock", "v0.1.0", "v0.1.0", None, "{}");
    let odd = r#"{"tag_name":"<b>bold\u202e\u2066","name":"<script>alert(1)</script>","body":"\u202eturned\u0007",
        "assets":{"x.txt":{"name":"<img src=x onerror=alert(1)>","label":"\u200blabel"}}}"#;
    release(
        root,
        "a-rather-long-owner-of-projects/and-a-project-with-a-name-that-is-long-as-well",
        "v1.0.0",
        "odd",
        None,
        odd,
    );
    let odd = root.join("a-rather-long-owner-of-projects/and-a-project-with-a-name-that-is-long-as-well/odd");
    std::fs::write(odd.join("x.txt"), "x").unwrap();
}

#[test]
fn pages_hold_in_a_browser_narrow_and_wide_light_and_dark() {
    let browser = clients::chromium().unwrap();
    let folder = tempfile::TempDir::new().unwrap();
    projects(folder.path());
    let server = Server::start(Options {
        trusted: vec![key().1],
        write: Some(WriteOptions::new("a secret that nobody has")),
        ..Options::new(folder.path())
    })
    .unwrap();
    let long = "/a-rather-long-owner-of-projects/and-a-project-with-a-name-that-is-long-as-well";
    let pages = [
        "/".to_owned(),
        "/octo/weather".to_owned(),
        "/octo/weather/releases?per_page=5&page=2".to_owned(),
        "/octo/weather/releases/tag/v1.10.0".to_owned(),
        "/octo/weather/releases/tag/beta".to_owned(),
        format!("{long}/releases/tag/%3Cb%3Ebold%E2%80%AE%E2%81%A6"),
    ];
    let mut node = node::script("pages.mjs");
    node.env("BASE", server.base_url()).env("BROWSER", browser).env("PAGES", pages.join("\n"));
    let (cases, said) = node::cases(&mut node);
    assert!(cases > Some(pages.len() * 4 * 6), "{said}");
}
