//! mip puts the updater on a board from a repository, and an update runs with it: MicroPython's own, and the one
//! of mpremote, which runs on the computer.
//!
//! What `github:OWNER/REPO/device` means to mip is an address on GitHub's host for raw files. Here that host is
//! this test: of each address that mip has made, the host alone is exchanged.
//!
//! The mip of Debian's MicroPython is that of firmware before 1.25, and takes the addresses of files as they
//! stand in the list. Ours are relative, as nobody knows where a copy of this repository will lie: what the mip
//! of newer firmware, and mpremote's, makes of them is done here for it. Without that it refuses.

#![allow(clippy::unwrap_used, reason = "these are tests")]

mod common;

use common::{World, confirmed, run, tiny};
use mpota_vboard::bench::{Agent, compiled_agent, config, write_file};
use mpota_vboard::{Board, MicroPython, Word, agent_files, clients, repository};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::{Arc, Mutex};

/// A branch or tag for which the host has this repository.
const REFS: [&str; 2] = ["HEAD", "v0.1.0"];

/// The host for raw files: its address, and what it was asked for.
fn raw_host() -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut first = String::new();
            reader.read_line(&mut first).unwrap();
            let mut line = String::new();
            while reader.read_line(&mut line).is_ok_and(|n| n > 2) {
                line.clear();
            }
            let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
            let answer = match raw_file(&path) {
                Some(body) => {
                    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
                    [head.into_bytes(), body].concat()
                }
                None => b"HTTP/1.1 404 Not Found\r\nContent-Length: 14\r\n\r\n404: Not Found".to_vec(),
            };
            log.lock().unwrap().push(path);
            let _ = stream.write_all(&answer);
        }
    });
    (address, asked)
}

/// `/octo/mpota/HEAD/device/ota_updater.py`, and nothing outside of the repository's files.
fn raw_file(path: &str) -> Option<Vec<u8>> {
    let mut parts = path.strip_prefix("/octo/mpota/")?.splitn(2, '/');
    let (reference, file) = (parts.next()?, parts.next()?);
    let inside = REFS.contains(&reference) && file.starts_with("device/") && !file.contains("..");
    std::fs::read(repository().join(file)).ok().filter(|_| inside)
}

/// Which mip.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Mip {
    /// MicroPython's, told what a relative address is.
    Board,
    /// The same as it is.
    Older,
    /// That of mpremote; the board behind it is a folder.
    Mpremote,
}

/// Have it install `what` of this version into an empty folder: whether it has, and what it printed.
fn mip(which: Mip, word: Word, folder: &Path, host: SocketAddr, what: &str, version: &str) -> (bool, String) {
    let (mut command, code) = match which {
        Mip::Mpremote => (clients::mpremote().unwrap(), include_str!("mip/remote.py")),
        _ => (MicroPython::find(word).unwrap().command("1M"), include_str!("mip/board.py")),
    };
    let values = [
        ("HOST", format!("http://{host}")),
        ("WHAT", what.to_owned()),
        ("VERSION", version.to_owned()),
        ("RELATIVE", String::from(if which == Mip::Board { "yes" } else { "" })),
    ];
    let values: String = values.iter().map(|(name, value)| format!("{name} = {value:?}\n")).collect();
    let out = command.current_dir(folder).arg("-c").arg(values + code).output().unwrap();
    let said = String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr);
    (out.status.success(), said)
}

/// The files below a folder, by path.
fn files(folder: &Path, prefix: &str, found: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        match entry.path().is_dir() {
            true => files(&entry.path(), &(name + "/"), found),
            false => drop(found.insert(name, std::fs::read(entry.path()).unwrap())),
        }
    }
}

/// A board with v1.0.0 whose updater is what lies in `lib`.
fn board(world: &World, lib: &BTreeMap<String, Vec<u8>>) -> Board {
    let settings = config(&[("base_url", &format!("'{}'", world.server.base_url()))]);
    let own = [("secrets.py", settings.as_bytes())];
    let folder = world.bench.board_folder("v1.0.0", Agent::Py, &own).unwrap();
    for (name, _) in agent_files().unwrap() {
        std::fs::remove_file(folder.join("lib").join(name)).unwrap();
    }
    for (name, content) in lib {
        write_file(&folder.join("lib").join(name), content).unwrap();
    }
    Board::new(&world.micropython, world.file_system, &folder).unwrap()
}

#[test]
fn mip_installs_the_updater_in_both_forms_and_it_updates() {
    let (sources, compiled) = (agent_files().unwrap(), compiled_agent().unwrap());
    let (host, asked) = raw_host();
    let mut ran = 0;
    for (which, word) in
        [(Mip::Board, Word::Bits64), (Mip::Board, Word::Bits32), (Mip::Mpremote, Word::Bits64)]
    {
        for (what, version, wanted) in [("device", "", &sources), ("device/compiled", "v0.1.0", compiled)] {
            let dir = tempfile::tempdir().unwrap();
            asked.lock().unwrap().clear();
            let address = format!("github:octo/mpota/{what}");
            let (ok, said) = mip(which, word, dir.path(), host, &address, version);
            assert!(ok, "{which:?} {what}: {said}");
            let mut found = BTreeMap::new();
            files(&dir.path().join("lib"), "", &mut found);
            let wanted: BTreeMap<_, _> = wanted.iter().cloned().collect();
            assert!(found == wanted, "{which:?} {what}: {:?}, {said}", found.keys());
            // The list and each file once, of the version that was named.
            let asked = asked.lock().unwrap().clone();
            let folder = format!("/octo/mpota/{}/{what}/", if version.is_empty() { "HEAD" } else { version });
            assert_eq!(asked[0], format!("{folder}package.json"));
            assert_eq!(asked.len(), wanted.len() + 1);
            assert!(asked.iter().all(|path| path.starts_with(&folder)), "{asked:?}");

            let world = World { micropython: MicroPython::find(word).unwrap(), ..World::new() };
            world.publish("v1.1.0", tiny("v1.1.0"));
            let board = board(&world, &found);
            assert!(run(&board).output.contains("v1.1.0 is installed"), "{which:?} {what}");
            assert_eq!(common::version(&board), confirmed("v1.1.0"));
            ran += 1;
        }
    }
    println!("  cases {ran}: installations by mip, with an update");
    assert_eq!(ran, 6);
}

#[test]
fn mip_tells_what_it_cannot_install() {
    let (host, _) = raw_host();
    let cases = [
        // A version that is not there.
        (Mip::Board, "v9", "not found"),
        (Mip::Mpremote, "v9", "not found"),
        // Firmware before 1.25.
        (Mip::Older, "v0.1.0", "ValueError"),
    ];
    for (which, version, word) in cases {
        let dir = tempfile::tempdir().unwrap();
        let (_, said) = mip(which, Word::Bits64, dir.path(), host, "github:octo/mpota/device", version);
        assert!(said.contains(word), "{which:?}: {said}");
        let mut found = BTreeMap::new();
        files(dir.path(), "", &mut found);
        assert!(found.is_empty(), "{which:?}: {:?}", found.keys());
    }
    println!("  cases {}: what mip cannot install", cases.len());
}
