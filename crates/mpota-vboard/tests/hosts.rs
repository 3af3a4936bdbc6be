//! Boards that read releases from hosts that are not GitHub, as `docs/hosts.md` says.

#![allow(clippy::unwrap_used, reason = "what cannot go on here is a failed test")]

mod common;

use common::{World, confirmed, run, tiny, version};
use mpota_vboard::repository;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// A web server with a copy of the releases.
struct Host {
    program: Child,
    address: String,
    folder: TempDir,
}

impl Host {
    fn start(kind: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let script = repository().join("crates/mpota-vboard/tests/clients/host.py");
        let mut python = Command::new("python3");
        python.arg(script).arg(folder.path()).arg(kind).stdout(Stdio::piped());
        let mut program = python.spawn().unwrap();
        let mut port = String::new();
        BufReader::new(program.stdout.as_mut().unwrap()).read_line(&mut port).unwrap();
        let address = format!("http://127.0.0.1:{}", port.trim());
        Self { program, address, folder }
    }

    /// Copies a release to where its tag is, or a channel, or `latest`.
    fn copy(&self, world: &World, tag: &str, place: &str, only_manifest: bool) {
        let to = self.folder.path().join("octo/weather/releases").join(place);
        std::fs::create_dir_all(&to).unwrap();
        for file in std::fs::read_dir(world.bench.release_dir(tag)).unwrap().flatten() {
            if !only_manifest || file.file_name() == "manifest.json" {
                std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
            }
        }
    }

    fn files(&self) -> usize {
        fn count(folder: &Path) -> usize {
            let entries = std::fs::read_dir(folder).unwrap().flatten();
            entries.map(|e| if e.path().is_dir() { count(&e.path()) } else { 1 }).sum()
        }
        count(self.folder.path())
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

/// What a board with these settings has in the end.
fn ends_with(host: &Host, settings: &[(&str, &str)]) -> ((String, bool), String) {
    let mut world = World::new();
    world.set("base_url", &format!("'{}'", host.address));
    for (key, value) in settings {
        world.set(key, value);
    }
    let board = world.board();
    let ran = run(&board);
    (version(&board), ran.output)
}

#[test]
fn a_copy_on_a_plain_web_server_will_do() {
    let world = World::new();
    for tag in ["v1.1.0", "v1.2.0", "v1.3.0-beta.1"] {
        world.publish(tag, tiny(tag));
    }
    let host = Host::start("plain");
    for tag in ["v1.1.0", "v1.2.0", "v1.3.0-beta.1"] {
        host.copy(&world, tag, &format!("download/{tag}"), false);
    }
    host.copy(&world, "v1.2.0", "latest/download", true);
    host.copy(&world, "v1.3.0-beta.1", "download/beta", true);
    assert_eq!(host.files(), 8);
    let cases: [(&[(&str, &str)], &str); 3] =
        [(&[], "v1.2.0"), (&[("tag", "'v1.1.0'")], "v1.1.0"), (&[("channel", "'beta'")], "v1.3.0-beta.1")];
    for (settings, wanted) in cases {
        let (has, output) = ends_with(&host, settings);
        assert_eq!(has, confirmed(wanted), "{settings:?}: {output}");
    }
    println!("  cases {}: ways to find a release on a plain web server", cases.len());
}

#[test]
fn a_host_without_an_address_for_the_latest_release_has_tags_and_channels() {
    let world = World::new();
    let host = Host::start("gitea");
    for tag in ["v1.1.0", "v1.2.0"] {
        world.publish(tag, tiny(tag));
        host.copy(&world, tag, &format!("download/{tag}"), false);
    }
    host.copy(&world, "v1.2.0", "download/newest", true);
    host.copy(&world, "v1.2.0", "download/latest", true);
    let found = [
        (("tag", "'v1.1.0'"), "v1.1.0"),
        (("channel", "'newest'"), "v1.2.0"),
        (("latest", "'download/latest'"), "v1.2.0"),
    ];
    for (settings, wanted) in found {
        let (has, output) = ends_with(&host, &[settings]);
        assert_eq!(has, confirmed(wanted), "{settings:?}: {output}");
    }
    // The address of the latest one is GitHub's alone, and its name is no channel's: the board stays as
    // it is, and says why.
    let refused = [(vec![], "not found: manifest.json"), (vec![("channel", "'latest'")], "channel: ")];
    for (settings, said) in refused {
        let (has, output) = ends_with(&host, &settings);
        assert_eq!(has.0, "v1.0.0", "{settings:?}");
        assert!(output.contains(said), "{output}");
    }
    println!("  cases 5: ways to find a release where `latest` has no address of its own");
}
