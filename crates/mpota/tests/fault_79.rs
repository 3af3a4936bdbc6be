//! Fault 79: a release whose files unpack to gigabytes, from a pack that is far smaller, is refused before the first of them is unpacked, and a
//! manifest that lies about a size does not make more than that size.

#![allow(clippy::unwrap_used, reason = "what cannot go on here is a failed test")]

mod common;

use std::fs;
use std::path::Path;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use common::App;
use mpota_format::digest::{crc32, sha256};
use mpota_format::limits;
use mpota_format::manifest::{FileEntry, Header, Manifest, More, Pack, Place};
use mpota_format::pack;
use mpota_format::version::Version;

/// The largest file that there may be, of zeros, with its bytes in a pack: a thousandth of it.
fn bomb(size: u64) -> (Vec<u8>, FileEntry) {
    let content = vec![0; size as usize];
    let stored = pack::compress(&content, true).unwrap();
    let place = Place::Packed { offset: 0, length: stored.len() as u64 };
    let (sha256, crc32) = (sha256(&content), crc32(&content));
    (stored, FileEntry { path: String::new(), size, sha256, crc32, place, keep: false, more: More::new() })
}

/// A release of so many files like that.
fn release(app: &App, folder: &str, count: usize, size: u64) {
    static LARGEST: OnceLock<(Vec<u8>, FileEntry)> = OnceLock::new();
    let (stored, entry) =
        if size == limits::FILE { LARGEST.get_or_init(|| bomb(size)).clone() } else { bomb(size) };
    let mut files = Vec::new();
    let mut packed = Vec::with_capacity(stored.len() * count);
    for number in 0..count {
        let place = Place::Packed { offset: packed.len() as u64, length: stored.len() as u64 };
        files.push(FileEntry { path: format!("{number:05}"), place, ..entry.clone() });
        packed.extend_from_slice(&stored);
    }
    write(app, folder, files, &packed);
}

fn write(app: &App, folder: &str, files: Vec<FileEntry>, packed: &[u8]) {
    let mut header = Header::new(Version::parse("v1.0.0").unwrap());
    header.project = Some("octo/weather".to_owned());
    header.pack = Some(Pack { asset: "weather-v1.0.0.pack".to_owned(), size: packed.len() as u64 });
    let manifest = Manifest { header, files, signature: None };
    app.write(&format!("{folder}/manifest.json"), manifest.to_bytes().unwrap());
    app.write(&format!("{folder}/weather-v1.0.0.pack"), packed);
}

/// The most memory that a command takes, in kilobytes, and what it said.
fn measured(app: &App, arguments: &str) -> (u64, common::Said) {
    let code = "import resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
open('peak', 'w').write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
sys.exit(code)";
    let mut command = std::process::Command::new("python3");
    command.args(["-c", code, env!("CARGO_BIN_EXE_mpota")]).args(arguments.split_whitespace());
    let output = command.current_dir(app.path("")).output().expect("python3");
    (app.text("peak").parse().unwrap(), output.into())
}

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none())
}

#[test]
#[cfg(target_os = "linux")]
fn fault_79_gigabytes_in_a_small_pack_are_refused_before_they_are_unpacked() {
    let app = App::new();
    app.write("programs/mpremote", "");
    // 65 files of 16 MB, in a pack of 2 MB; and 20,000 files of 64 KB.
    let mut ran = 0;
    for (folder, count, size) in [("large", 65, limits::FILE), ("many", 20_000, 65_536)] {
        release(&app, folder, count, size);
        let bytes = (count as u64 * size).to_string();
        for command in ["verify NAME", "publish NAME --repo octo/weather", "install --dist NAME --dir board"]
        {
            let begun = Instant::now();
            let (peak, said) = measured(&app, &command.replace("NAME", folder));
            let said = if command.starts_with("install") { said.refused(&[&bytes]) } else { said };
            assert!(said.code == 1 && said.err.contains(&bytes), "{command}: {}", said.err);
            assert!(said.err.contains("bytes unpacked"), "{command}: {}", said.err);
            assert!(begun.elapsed() < Duration::from_secs(20), "{command}");
            assert!(peak < 64 << 10, "{command}: {peak} KB");
            assert!(is_empty(&app.path("board")));
            println!("  {command} {folder}: {peak} KB");
            ran += 1;
        }
    }
    println!("  cases {ran}: commands that refuse gigabytes");
}

#[test]
#[cfg(target_os = "linux")]
fn fault_79_the_memory_of_a_build_does_not_grow_with_its_files() {
    let app = App::new();
    app.write("mpota.toml", "project = \"octo/weather\"\ninclude = [\"**\"]\n");
    let mut peaks = Vec::new();
    for count in [24, 96] {
        for number in 0..count {
            app.write(&format!("data/{number}.bin"), vec![number as u8; 1 << 20]);
        }
        let (peak, said) = measured(&app, "build --version v1.0.0 --no-compress");
        said.ok();
        peaks.push(peak);
    }
    println!("  peaks of 24 and 96 files of 1 MB, in KB: {peaks:?}");
    assert!(peaks[1] < peaks[0] + (24 << 10) && peaks[1] < 96 << 10, "{peaks:?}");
}

#[test]
#[cfg(target_os = "linux")]
fn fault_79_the_memory_is_that_of_one_file_however_many_there_are() {
    let app = App::new();
    let mut peaks = Vec::new();
    for count in [1, 4] {
        release(&app, "some", count, limits::FILE);
        let (peak, said) = measured(&app, "verify some");
        said.ok();
        peaks.push(peak);
    }
    println!("  peaks of 1 and 4 files of 16 MB, in KB: {peaks:?}");
    assert!(peaks[1] < peaks[0] + (8 << 10) && peaks[1] < 96 << 10, "{peaks:?}");
}

#[test]
fn fault_79_a_size_that_lies_gives_no_more_than_itself() {
    let app = App::new();
    let (stored, entry) = bomb(16_384);
    // The stream gives 16,384 bytes; the manifest says less, down to its own length.
    let mut ran = 0;
    for size in [stored.len() as u64 + 1, 100, 16_383] {
        let file = FileEntry { path: "a".to_owned(), size, ..entry.clone() };
        write(&app, "lie", vec![file], &stored);
        app.run("verify lie").refused(&[&format!("does not give {size} bytes")]);
        ran += 1;
    }
    println!("  cases {ran}: sizes that lie");
}

#[test]
fn fault_79_a_release_that_no_board_by_its_port_can_hold_is_not_read_into_memory() {
    use mpota::board::wanted::{Sources, Wanted};
    let app = App::new();
    release(&app, "dist", 9, limits::FILE);
    let error = Wanted::release(&Sources { dist: app.path("dist"), app: app.path("") }, 0).unwrap_err();
    let said = error.to_string();
    assert!(said.contains("150994944 bytes unpacked") && said.contains("134217728 at most"), "{said}");
}
