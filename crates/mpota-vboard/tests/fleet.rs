//! Twenty boards of one owner: a release goes out in stages, and one that breaks is stopped by what the boards report.

#![allow(clippy::unwrap_used, reason = "what cannot go on here is a failed test")]

mod common;

use common::{World, confirmed, tiny, version};
use mpota_format::digest::hex;
use mpota_format::rollout::{FOREVER, Rollout, Stage, asset};
use mpota_format::version::Version;
use mpota_serve::{FleetOptions, HaltAt};
use mpota_vboard::Board;
use mpota_vboard::bench::{App, Release};
use serde_json::{Value, json};

const BOARDS: u64 = 20;
const PROJECT: &str = "octo/weather";

/// The id of a board's chip.
fn chip(number: u64) -> String {
    format!("chip{:04}", number * 37)
}

fn id(number: u64) -> String {
    hex(chip(number).as_bytes())
}

fn publish(world: &World, version: &str, app: App) {
    world.bench.publish(&Release { toml: "rollout = true\n".into(), ..Release::new(version, app) }).unwrap();
}

fn rollout(version: &str, number: u64, percent: u8) -> Rollout {
    Rollout {
        project: Some(PROJECT.into()),
        version: Version::parse(version).unwrap(),
        number,
        until: FOREVER,
        halted: false,
        stages: vec![Stage { from: 0, percent }],
        boards: Vec::new(),
        signature: None,
    }
}

fn roll(world: &World, rollout: &Rollout) {
    let folder = world.bench.release_dir("rollout");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(asset(rollout.version.as_str())), rollout.to_bytes().unwrap()).unwrap();
}

fn run(board: &Board, sleeps: u32) -> String {
    let run = board.run_with(&json!({"timer_divide": 100, "sleeps": sleeps})).unwrap();
    eprintln!("{}", run.output);
    run.output
}

fn asked_for_a_rollout(world: &World) -> usize {
    world.server.requests().iter().filter(|r| r.path.contains("/download/rollout/")).count()
}

fn fleet(world: &World) -> Value {
    let url = format!("{}/fleet.json", world.server.base_url());
    serde_json::from_str(&ureq::get(&url).call().unwrap().body_mut().read_to_string().unwrap()).unwrap()
}

#[test]
fn fault_83_twenty_boards_take_their_turns_and_a_version_that_breaks_is_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("reports.redb");
    let mut world = World::with(move |options| {
        let halt = Some(HaltAt { percent: 10, boards: 5 });
        options.fleet = Some(FleetOptions { halt, ..FleetOptions::new(file) });
    });
    world.set("report", "True");
    world.set("limits", "{'trial_resets': 1, 'trial_starts': 2, 'trial_s': 60, 'retries': 1}");
    let boards: Vec<Board> = (0..BOARDS)
        .map(|number| {
            let mut board = world.board();
            board.set("unique_id", json!(chip(number)));
            board
        })
        .collect();

    // 5, 25 and 100 percent: who has it keeps it, and nobody is asked twice.
    publish(&world, "v1.1.0", tiny("v1.1.0"));
    let (mut decisions, mut have) = (0, Vec::new());
    for (step, percent) in [5, 25, 100].into_iter().enumerate() {
        let rollout = rollout("v1.1.0", 1 + step as u64, percent);
        roll(&world, &rollout);
        let (before, had): (_, Vec<bool>) = (asked_for_a_rollout(&world), have.clone());
        have.clear();
        for (number, board) in boards.iter().enumerate() {
            let turn = rollout.decide(&id(number as u64), 1_800_000_000).takes();
            let log = run(board, 1);
            let now = version(board) == confirmed("v1.1.0");
            assert_eq!(now, turn, "{percent} percent, board {number}: {log}");
            assert!(turn || log.contains("waits: its turn comes later"), "{log}");
            assert!(!had.get(number).is_some_and(|had| *had && !now), "board {number} has lost it");
            have.push(now);
            decisions += 1;
        }
        let waiting = had.iter().filter(|had| !**had).count().max(if step == 0 { boards.len() } else { 0 });
        assert_eq!(asked_for_a_rollout(&world) - before, waiting, "{percent} percent");
        eprintln!("{percent} percent: {} of {BOARDS}", have.iter().filter(|have| **have).count());
    }
    assert!(have.iter().all(|have| *have));

    // Nothing is new: one request each, and none for a rollout.
    let (before, rollouts) = (world.server.requests().len(), asked_for_a_rollout(&world));
    for board in &boards[..3] {
        run(board, 1);
    }
    assert_eq!((world.server.requests().len() - before, asked_for_a_rollout(&world)), (3, rollouts));

    // One that breaks is given to all at once.
    publish(&world, "v1.2.0", tiny("v1.2.0").with("app.py", "1 / 0\n"));
    roll(&world, &rollout("v1.2.0", 1, 100));
    let mut tried = 0;
    for (number, board) in boards.iter().enumerate() {
        let log = run(board, 2);
        assert_eq!(version(board), confirmed("v1.1.0"), "board {number}: {log}");
        if log.contains("back on v1.1.0") {
            tried += 1;
        } else {
            assert!(log.contains("v1.2.0 waits: the server has no rollout for it"), "board {number}: {log}");
        }
        decisions += 1;
    }
    assert_eq!(tried, 5, "boards that have tried it");
    let shown = fleet(&world).to_string();
    assert!(shown.contains("v1.2.0") && shown.contains(&id(19)), "{shown}");
    println!(
        "  cases {decisions}: decisions of {BOARDS} boards, {tried} of them tried the version that breaks"
    );
}
