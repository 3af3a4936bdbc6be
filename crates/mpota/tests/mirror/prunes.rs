//! What is removed from a mirror, and what is not.

use std::fs;

use tempfile::TempDir;

use crate::world::{RELEASES, World, files, run};

#[test]
fn what_a_round_has_brought_is_not_removed_by_it() {
    let (world, folder) = (World::new(&["v1.1.0", "v1.2.0", "v1.3.0"]), TempDir::new().unwrap());
    let place = folder.path().to_str().unwrap();
    run(world.command(place).args(["--keep", "2"])).ok();
    // The bucket has a newer one than the source: two of each are three in all.
    fs::remove_dir_all(world.release("v1.3.0")).unwrap();
    for round in 1..=2 {
        let command = &mut world.command(place);
        let said = run(command.args(["--keep", "2", "--prune", "--allow-older", "--json"])).ok();
        let told: serde_json::Value = serde_json::from_str(&said.out).unwrap();
        let project = &told["projects"][0];
        assert_eq!(project["versions"], serde_json::json!(["v1.2.0", "v1.1.0"]), "round {round}");
        assert_eq!(project["pruned"], serde_json::json!([]), "round {round}");
        let there = files(&folder.path().join(RELEASES));
        assert!(there.contains_key("download/v1.1.0/manifest.json"), "round {round}: {:?}", there.keys());
    }
    println!("  cases 2: rounds");
}

#[test]
fn a_rollout_whose_exchange_was_stopped_protects_its_version() {
    let (world, folder) = (World::new(&["v1.1.0", "v1.2.0", "v1.3.0"]), TempDir::new().unwrap());
    let place = folder.path().to_str().unwrap();
    world.rollout("v1.1.0", 1);
    run(&mut world.command(place)).ok();
    let rollout = world.release("rollout").join("v1.1.0.json");
    fs::rename(&rollout, rollout.with_extension("json.next")).unwrap();
    let said = run(world.command(place).args(["--keep", "1", "--prune"])).ok();
    let there = files(&folder.path().join(RELEASES));
    assert!(there.contains_key("download/v1.1.0/manifest.json"), "{}", said.err);
    assert!(!there.contains_key("download/v1.2.0/manifest.json"), "{}", said.err);
}
