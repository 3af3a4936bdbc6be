//! What a mirror does not take over.

use std::fs;

use mpota_vboard::bench::App;
use tempfile::TempDir;

use crate::common::Said;
use crate::world::{RELEASES, World, files, run};

/// v1.0.0 is mirrored, then something happens, and v1.1.0 and `latest` do not get through. What is right does.
fn stays(world: &World, folder: &TempDir, code: &str, words: &str) -> Said {
    let place = folder.path().to_str().unwrap();
    let latest = folder.path().join(RELEASES).join("latest/download/manifest.json");
    let before = fs::read(&latest).unwrap();
    let said = run(&mut world.command(place));
    assert_eq!(said.code, 1, "{}", said.err);
    for word in [&format!("wrong[{code}]"), words, "error[mirror::refused]"] {
        assert!(said.err.contains(word), "no {word:?} in {}", said.err);
    }
    assert!(fs::read(&latest).unwrap() == before, "latest has moved");
    said
}

fn mirrored(versions: &[&str]) -> (World, TempDir) {
    let (world, folder) = (World::new(versions), TempDir::new().unwrap());
    run(&mut world.command(folder.path().to_str().unwrap())).ok();
    (world, folder)
}

#[test]
fn a_release_that_verify_would_not_call_good_is_not_taken_over() {
    type Break = fn(&World);
    let breaks: [(&str, Break); 6] = [
        ("not signed", |world| world.publish_as("v1.1.0", App::tiny("v1.1.0").unwrap(), false)),
        ("v1.1.0: weather-v1.1.0.pack", |world| {
            world.publish("v1.1.0");
            let pack = world.release("v1.1.0").join("weather-v1.1.0.pack");
            let mut bytes = fs::read(&pack).unwrap();
            bytes[50] ^= 1;
            fs::write(pack, bytes).unwrap();
        }),
        ("is not there", |world| {
            world.publish("v1.1.0");
            fs::remove_file(world.release("v1.1.0").join("weather-v1.1.0.pack")).unwrap();
        }),
        ("says version v1.1.0", |world| {
            world.publish("v1.1.0");
            fs::rename(world.release("v1.1.0"), world.release("v1.2.0")).unwrap();
        }),
        ("manifest.json", |world| {
            world.publish("v1.1.0");
            fs::write(world.release("v1.1.0").join("manifest.json"), "<html>").unwrap();
        }),
        ("it is for other/app", |world| {
            world.publish("v1.1.0");
            let path = world.release("v1.1.0").join("manifest.json");
            let text = fs::read_to_string(&path).unwrap();
            fs::write(path, text.replacen("octo/weather", "other/app", 1)).unwrap();
        }),
    ];
    for (words, make) in &breaks {
        let (world, folder) = mirrored(&["v1.0.0"]);
        let before = files(folder.path());
        make(&world);
        // The pack's fault is told by the file in it.
        let words = words.split(':').next().unwrap();
        stays(&world, &folder, "mirror::not_good", words);
        assert!(files(folder.path()) == before, "{words}: something of it was sent");
    }
    println!("  cases {}: releases that are not good", breaks.len());
}

#[test]
fn latest_channels_and_rollouts_go_back_only_when_told() {
    let (world, folder) = (World::new(&["v1.0.0", "v1.1.0"]), TempDir::new().unwrap());
    world.channel("beta", "v1.1.0");
    world.rollout("v1.0.0", 9);
    let place = folder.path().to_str().unwrap();
    run(&mut world.command(place)).ok();
    let before = files(folder.path());
    fs::remove_dir_all(world.release("v1.1.0")).unwrap();
    world.channel("beta", "v1.0.0");
    world.rollout("v1.0.0", 8);
    let said = stays(&world, &folder, "mirror::older", "the bucket has v1.1.0, which is newer than v1.0.0");
    assert_eq!(said.err.matches("wrong[mirror::older]").count(), 3, "{}", said.err);
    assert!(files(folder.path()) == before);
    // The same number with another content is no newer one.
    world.rollout_to("v1.0.0", 9, 9);
    stays(&world, &folder, "mirror::older", "the bucket has number 9, and this one is 9");
    run(world.command(place).arg("--allow-older")).ok();
    let manifest = fs::read(world.release("v1.0.0").join("manifest.json")).unwrap();
    for place in ["latest/download", "download/beta"] {
        let there = folder.path().join(RELEASES).join(place).join("manifest.json");
        assert!(fs::read(there).unwrap() == manifest, "{place}");
    }
    println!("  cases 4: what would go back");
}

#[test]
fn a_version_that_boards_may_have_never_changes() {
    let (world, folder) = mirrored(&["v1.0.0"]);
    let before = files(folder.path());
    fs::remove_dir_all(world.release("v1.0.0")).unwrap();
    world.publish_as("v1.0.0", App::tiny("v1.0.0").unwrap().with("more.py", "X = 1\n"), true);
    stays(&world, &folder, "mirror::changed", "another manifest");
    assert!(files(folder.path()) == before);
}

#[test]
fn what_names_a_version_that_is_not_all_there_is_not_taken_over() {
    let (world, folder) = mirrored(&["v1.0.0"]);
    world.publish("v1.1.0");
    world.channel("beta", "v1.1.0");
    world.rollout("v1.1.0", 1);
    fs::write(world.release("v1.1.0").join("weather-v1.1.0.pack"), "broken").unwrap();
    let said = stays(&world, &folder, "mirror::names", "v1.1.0 is not all there");
    assert_eq!(said.err.matches("wrong[mirror::names]").count(), 3, "{}", said.err);
    assert!(!files(folder.path()).keys().any(|key| key.contains("v1.1.0") || key.contains("beta")));
    // No rollouts at all, and those of another version.
    world.publish("v1.2.0");
    let form = r#"{"mpota-rollout":1,"project":"octo/weather","version":"v1.2.0","number":1,"until":9999999999,"stages":[[0,5]]}"#;
    let unsigned = format!("{form}\n");
    let other = unsigned.replace("octo", "evil");
    for text in ["{}", r#"{"version":"v1.0.0","number":1}"#, &unsigned, &other] {
        fs::write(world.release("rollout").join("v1.2.0.json"), text).unwrap();
        let place = folder.path().to_str().unwrap();
        let said = run(&mut world.command(place));
        assert!(said.code == 1 && said.err.contains("wrong[mirror::rollout]"), "{}", said.err);
    }
    println!("  cases 7: names of versions that are not there, and rollouts that are none");
}

#[test]
fn what_is_no_source_and_no_destination_is_said() {
    let world = World::new(&["v1.0.0"]);
    let empty = TempDir::new().unwrap();
    run(&mut world.command("s3://key:hunter2@bucket"))
        .refused(&["error[mirror::credentials]", "environment"]);
    run(&mut world.command("ftp://host/a")).refused(&["error[mirror::destination]", "s3://bucket/prefix"]);
    let place = empty.path().join("m");
    let mut command = crate::common::mpota();
    run(command.arg("mirror").arg(empty.path()).arg(&place)).refused(&["error[mirror::empty]"]);
    let mut command = crate::common::mpota();
    run(command.args(["mirror", "no/such/thing"]).arg(&place)).refused(&["error[mirror::source]"]);
    println!("  cases 4: command lines");
}
