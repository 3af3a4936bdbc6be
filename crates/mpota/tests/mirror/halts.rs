//! A version that is stopped at the source is stopped in the mirror, whatever else cannot be done.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::source::{Fault, Source};
use crate::world::{RELEASES, World, run};

/// The rollout of v1.1.0 in a mirror.
fn rollout_in(place: &Path) -> PathBuf {
    place.join(RELEASES).join("download/rollout/v1.1.0.json")
}

/// v1.1.0 is mirrored and rolled out to all; then it is halted, and there are v1.0.0 and v1.2.0 too.
fn halted() -> (World, Source, TempDir) {
    let (world, folder) = (World::new(&["v1.1.0"]), TempDir::new().unwrap());
    world.rollout_to("v1.1.0", 1, 100);
    let source = Source::of(&world);
    run(&mut source.command(&world, folder.path())).ok();
    world.publish("v1.0.0");
    world.publish("v1.2.0");
    world.halt("v1.1.0", 2);
    (world, source, folder)
}

fn is_halted(place: &Path) -> bool {
    fs::read_to_string(rollout_in(place)).unwrap().contains(r#""halted":true"#)
}

#[test]
fn a_version_that_cannot_be_read_keeps_nothing_else_from_the_mirror() {
    let unread = "wrong[mirror::unread]: v1.0.0: ";
    let cases = [
        ("v1.0.0/manifest.json", Fault::Starter, ""),
        ("v1.0.0/weather-v1.0.0.pack", Fault::Starter, "wrong[mirror::not_good]: v1.0.0: "),
        ("v1.0.0/manifest.json", Fault::Status(404), unread),
        ("v1.0.0/manifest.json", Fault::Status(403), unread),
        ("v1.0.0/weather-v1.0.0.pack", Fault::Status(500), unread),
        ("v1.0.0/weather-v1.0.0.pack", Fault::Cut, unread),
        ("rollout/v1.2.0.json", Fault::Status(500), "wrong[mirror::unread]: rollout/v1.2.0.json: "),
        ("beta/manifest.json", Fault::Status(404), "wrong[mirror::unread]: beta: "),
    ];
    for (file, fault, words) in cases {
        let (world, source, folder) = halted();
        world.rollout("v1.2.0", 1);
        world.channel("beta", "v1.2.0");
        source.fail(file, fault);
        let said = run(source.command(&world, folder.path()).args(["--keep", "9"]));
        assert_eq!(said.code, i32::from(!words.is_empty()), "{file} {fault:?}: {}", said.err);
        assert!(said.err.contains(words), "{file} {fault:?}: {}", said.err);
        assert!(is_halted(folder.path()), "{file} {fault:?}: {}", said.err);
        assert!(said.out.contains("latest v1.2.0"), "{file} {fault:?}: {}", said.out);
        let there = folder.path().join(RELEASES).join("download/v1.0.0/manifest.json").exists();
        assert_eq!(there, !file.starts_with("v1.0.0"), "{file} {fault:?}");
    }
    println!("  cases {}: files that cannot be read", cases.len());
}

#[test]
fn a_halt_comes_before_what_ends_the_round() {
    let cases = [
        ("latest", Fault::Status(500), "error[server::status]"),
        ("v1.0.0/manifest.json", Fault::Status(401), "error[server::status]"),
        ("v1.0.0/manifest.json", Fault::Status(429), "error[server::limit]"),
    ];
    for (file, fault, words) in cases {
        let (world, source, folder) = halted();
        source.fail(file, fault);
        run(&mut source.command(&world, folder.path())).refused(&[words]);
        assert!(is_halted(folder.path()), "{file} {fault:?}");
    }
    println!("  cases {}: ends of a round", cases.len());
}

#[test]
fn a_project_without_versions_keeps_no_halt_of_another_one_from_the_mirror() {
    let (world, _, folder) = halted();
    let other = world.bench.releases().join("octo/before/rollout");
    fs::create_dir_all(&other).unwrap();
    fs::write(other.join("v1.0.0.json"), "{}").unwrap();
    let said = run(&mut world.command(folder.path().to_str().unwrap()));
    said.refused(&["error[mirror::empty]", "octo/before"]);
    assert!(is_halted(folder.path()));
}
