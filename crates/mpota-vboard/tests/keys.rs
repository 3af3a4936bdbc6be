//! Whom a board trusts, and how that changes: keys in a file that releases carry.

#![allow(clippy::unwrap_used, reason = "what cannot go on here is a failed test")]

mod common;

use common::{World, app_tree, confirmed, new_key, run, text, tiny, version};
use mpota::release::keys::SigningKey;
use mpota_vboard::Board;
use mpota_vboard::bench::{App, Release};

/// Boards whose keys are in a file of the release.
struct Keys {
    world: World,
    _dir: tempfile::TempDir,
    /// Public lines and private keys.
    made: Vec<(String, SigningKey)>,
}

impl Keys {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let made: Vec<_> = (0..3).map(|n| new_key(&dir, &format!("key{n}"))).collect();
        let mut world = World::new();
        world.set("keys", "'ota_keys'");
        let keys = Self { world, _dir: dir, made };
        keys.publish("v1.0.0", 0, &[0]);
        keys
    }

    /// A release signed by one key that says whom to trust from then on.
    fn publish(&self, version: &str, signer: usize, trusted: &[usize]) {
        let lines: Vec<&str> = trusted.iter().map(|n| self.made[*n].0.as_str()).collect();
        let app = tiny(version).with("ota_keys", format!("# the office\n{}\n", lines.join("\n")));
        self.publish_app(version, signer, app);
    }

    fn publish_app(&self, version: &str, signer: usize, app: App) {
        let release = Release { key: Some(self.made[signer].1.clone()), ..Release::new(version, app) };
        self.world.bench.publish(&release).unwrap();
    }

    /// The board refuses what is offered now, and nothing changes.
    fn refused(&self, board: &Board, word: &str) {
        let before = app_tree(board);
        let run = run(board);
        assert!(run.output.contains("refused:") && run.output.contains(word), "{}", run.output);
        assert_eq!(app_tree(board), before);
    }
}

const UNKNOWN: &str = "a key that this board does not trust";

#[test]
fn fault_13_the_old_key_hands_over_to_the_new_one_and_is_refused_from_then_on() {
    let keys = Keys::new();
    let board = keys.world.board();
    keys.publish("v1.1.0", 0, &[1]);
    run(&board);
    assert_eq!(version(&board), confirmed("v1.1.0"));
    keys.publish("v1.2.0", 0, &[0]);
    keys.refused(&board, UNKNOWN);
    keys.world.bench.withdraw("v1.2.0").unwrap();
    keys.publish("v1.2.1", 1, &[1]);
    run(&board);
    assert_eq!(version(&board), confirmed("v1.2.1"));
}

#[test]
fn fault_13_a_key_that_is_taken_away_counts_no_more_and_one_of_several_is_enough() {
    let keys = Keys::new();
    let board = keys.world.board();
    keys.publish("v1.1.0", 0, &[0, 1, 2]);
    run(&board);
    keys.publish("v1.2.0", 2, &[0, 1]);
    run(&board);
    assert_eq!(version(&board), confirmed("v1.2.0"));
    keys.publish("v1.3.0", 2, &[2]);
    keys.refused(&board, UNKNOWN);
    keys.world.bench.withdraw("v1.3.0").unwrap();
    keys.publish("v1.3.1", 1, &[1]);
    run(&board);
    assert_eq!(version(&board), confirmed("v1.3.1"));
}

#[test]
fn fault_13_a_handover_that_is_undone_is_no_handover() {
    let keys = Keys::new();
    let board = keys.world.board();
    let bad = tiny("v1.1.0").with("ota_keys", &keys.made[1].0).with("app.py", "V = 1 / 0\n");
    keys.publish_app("v1.1.0", 0, bad);
    let log = run(&board).output;
    assert!(log.contains("v1.1.0 is blocked"), "{log}");
    keys.publish("v1.2.0", 1, &[1]);
    keys.refused(&board, UNKNOWN);
    keys.world.bench.withdraw("v1.2.0").unwrap();
    keys.publish("v1.2.1", 0, &[0]);
    run(&board);
    assert_eq!(version(&board), confirmed("v1.2.1"));
}

#[test]
fn fault_13_a_board_that_slept_through_two_handovers_is_woken_by_its_own_key() {
    let keys = Keys::new();
    let board = keys.world.board();
    keys.publish("v1.1.0", 0, &[1]);
    keys.publish("v1.2.0", 1, &[2]);
    keys.publish("v1.3.0", 2, &[2]);
    keys.refused(&board, UNKNOWN);
    // The first key is still at hand: it signs a release that trusts the newest.
    keys.publish("v1.4.0", 0, &[2]);
    run(&board);
    assert_eq!(version(&board), confirmed("v1.4.0"));
    keys.publish("v1.5.0", 2, &[2]);
    run(&board);
    assert_eq!(version(&board), confirmed("v1.5.0"));
}

#[test]
fn fault_03_without_its_file_of_keys_a_board_takes_nothing() {
    let keys = Keys::new();
    let board = keys.world.board();
    let good = text(&board, "/ota_keys");
    let mut cases = 0;
    for broken in ["", "# nobody\n", "AAAA\n", "\u{0}\u{0}\n"] {
        board.write("/ota_keys", broken.as_bytes()).unwrap();
        keys.publish(&format!("v1.1.{cases}"), 0, &[0]);
        keys.refused(&board, "no keys in ota_keys: every release is refused");
        cases += 1;
    }
    board.remove("/ota_keys").unwrap();
    keys.refused(&board, "no keys in ota_keys");
    board.write("/ota_keys", good.as_bytes()).unwrap();
    run(&board);
    assert_eq!(version(&board), confirmed("v1.1.3"));
    println!("  cases {}: files of keys that hold none", cases + 1);
}

#[test]
fn a_release_without_the_file_of_keys_leaves_it_and_one_that_empties_it_is_undone() {
    let keys = Keys::new();
    let board = keys.world.board();
    keys.publish_app("v1.1.0", 0, tiny("v1.1.0"));
    let log = run(&board).output;
    assert!(log.contains("kept, though the release does not have it: ota_keys"), "{log}");
    assert_eq!(version(&board), confirmed("v1.1.0"));
    keys.publish("v1.2.0", 0, &[]);
    let mut boots = 0;
    while !run(&board).output.contains("v1.2.0 is blocked") {
        boots += 1;
        assert!(boots < 8, "not undone");
    }
    keys.publish("v1.3.0", 0, &[0]);
    run(&board);
    assert_eq!(version(&board), confirmed("v1.3.0"));
}
