//! A version that is stopped at the source is stopped in the mirror, whatever else cannot be done.

use std::fs;
use std::path::{Path, PathBuf};

use mpota_vboard::bench::App;
use tempfile::TempDir;

use crate::source::{Fault, Source};
use crate::world::{RELEASES, World, files, run};

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

/// What becomes of v1.1.0 at the source.
type Fate = fn(&World);

const GONE: Fate = |world| fs::remove_dir_all(world.release("v1.1.0")).unwrap();

const REBUILT: Fate = |world| {
    GONE(world);
    world.publish_as("v1.1.0", App::tiny("v1.1.0").unwrap().with("more.py", "X = 1\n"), true);
};

#[test]
fn a_halt_is_brought_whatever_has_become_of_its_version() {
    for (fate, code, words) in [(GONE, 0, ""), (REBUILT, 1, "wrong[mirror::changed]: v1.1.0")] {
        let (world, _, folder) = halted();
        let place = folder.path().to_str().unwrap();
        fate(&world);
        let manifest = folder.path().join(RELEASES).join("download/v1.1.0/manifest.json");
        let before = fs::read(&manifest).unwrap();
        let said = run(&mut world.command(place));
        assert_eq!(said.code, code, "{}", said.err);
        assert!(said.err.contains(words) && !said.err.contains("mirror::names"), "{}", said.err);
        assert!(is_halted(folder.path()), "{}", said.err);
        assert!(fs::read(&manifest).unwrap() == before, "the version has changed");
        // Again: it is there.
        let said = run(&mut world.command(place));
        assert!(said.err.contains("rollout/v1.1.0.json is there"), "{}", said.err);
    }
    println!("  cases 2: versions that are not what they were");
}

#[test]
fn only_a_halt_that_boards_accept_is_brought_for_a_version_that_is_not_what_it_was() {
    type Next = fn(&World);
    let nexts: [(Next, &str); 4] = [
        (|world| world.rollout_to("v1.1.0", 6, 100), "wrong[mirror::names]: rollout/v1.1.0.json"),
        (|world| world.halt_by_other("v1.1.0", 6), "wrong[mirror::rollout]: rollout/v1.1.0.json"),
        (|world| world.halt("v1.1.0", 4), "wrong[mirror::older]: rollout/v1.1.0.json"),
        (|world| world.halt("v1.1.0", 5), "wrong[mirror::older]: rollout/v1.1.0.json"),
    ];
    for fate in [GONE, REBUILT] {
        for (next, words) in &nexts {
            let (world, _, folder) = halted();
            let place = folder.path().to_str().unwrap();
            world.rollout_to("v1.1.0", 5, 25);
            run(&mut world.command(place)).ok();
            let before = fs::read(rollout_in(folder.path())).unwrap();
            fate(&world);
            next(&world);
            let said = run(&mut world.command(place));
            assert_eq!(said.code, 1, "{words}: {}", said.err);
            assert_eq!(said.err.matches(words).count(), 1, "{words}: {}", said.err);
            assert!(fs::read(rollout_in(folder.path())).unwrap() == before, "{words}");
        }
    }
    // What the mirror has never had is no concern of it.
    let (world, _, folder) = halted();
    world.halt("v0.9.0", 1);
    run(&mut world.command(folder.path().to_str().unwrap())).ok();
    assert!(!rollout_in(folder.path()).with_file_name("v0.9.0.json").exists());
    println!("  cases {}: rollouts that are not brought", 2 * nexts.len() + 1);
}

#[test]
fn a_rollout_that_the_source_has_no_more_is_removed_so_that_boards_wait() {
    let fates: [(&str, Fate); 3] = [
        ("deleted", |world| fs::remove_file(world.release("rollout").join("v1.1.0.json")).unwrap()),
        ("an exchange that was stopped", |world| {
            let path = world.release("rollout").join("v1.1.0.json");
            fs::rename(&path, path.with_extension("json.next")).unwrap();
        }),
        ("no rollouts at all", |world| fs::remove_dir_all(world.release("rollout")).unwrap()),
    ];
    for (what, fate) in fates {
        let (world, _, folder) = halted();
        let place = folder.path().to_str().unwrap();
        let notes = rollout_in(folder.path()).with_file_name("notes.json");
        fs::write(&notes, "mine").unwrap();
        fate(&world);
        let said = run(world.command(place).arg("--dry-run")).ok();
        assert!(said.err.contains("v1.1.0.json is not at the source any more: would be removed"), "{what}");
        assert!(rollout_in(folder.path()).exists(), "{what}");
        let said = run(world.command(place).args(["--quiet", "--json"])).ok();
        assert!(said.err.contains("warning[mirror::withheld]: rollout/v1.1.0.json"), "{what}: {}", said.err);
        let told: serde_json::Value = serde_json::from_str(&said.out).unwrap();
        assert_eq!(told["projects"][0]["withheld"], serde_json::json!(["v1.1.0.json"]), "{what}");
        // The version stays, as what is not the mirror's does.
        let there = files(&folder.path().join(RELEASES));
        assert!(there.contains_key("download/v1.1.0/manifest.json"), "{what}");
        assert!(notes.exists() && !rollout_in(folder.path()).exists(), "{what}");
        // Once is enough, and what comes back is brought.
        let said = run(&mut world.command(place)).ok();
        assert!(!said.err.contains("mirror::withheld"), "{what}: {}", said.err);
        world.rollout_to("v1.1.0", 3, 5);
        run(&mut world.command(place)).ok();
        assert!(rollout_in(folder.path()).exists(), "{what}");
    }
    // It is listed, and boards at the source find none: that is a fault as well.
    let (world, source, folder) = halted();
    source.fail("rollout/v1.1.0.json", Fault::Status(404));
    let said = run(&mut source.command(&world, folder.path()));
    let words = ["warning[mirror::withheld]", "wrong[mirror::unread]: rollout/v1.1.0.json"];
    assert!(said.code == 1 && words.iter().all(|word| said.err.contains(word)), "{}", said.err);
    assert!(!rollout_in(folder.path()).exists());
    // A server that cannot answer just now has said nothing of the rollout.
    let (world, source, folder) = halted();
    source.fail("rollout/v1.1.0.json", Fault::Status(500));
    let said = run(&mut source.command(&world, folder.path()));
    assert!(said.code == 1 && !said.err.contains("mirror::withheld"), "{}", said.err);
    assert!(rollout_in(folder.path()).exists());
    println!("  cases {}: rollouts that are gone", fates.len() + 2);
}
