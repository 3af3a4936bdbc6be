//! Faults 49 to 80 of `spec/faults` on whole boards: what one update leaves to the next, and what an
//! app, a release or a failing flash may do to the updater.
//!
//! - [`updater`]: the updater as a part of a release
//! - [`modules`]: files with the names of others
//! - [`later`]: releases of tomorrow, the updater of yesterday
//! - [`memory`]: not enough of it
//! - [`settings`]: CONFIG with typing errors
//! - [`plan`]: the plan is gone
//! - [`kept`]: files that the owner has changed
//! - [`release`]: what stands in a release, and what the app does meanwhile

#![allow(clippy::unwrap_used, reason = "these are tests")]

#[path = "../common/mod.rs"]
mod common;
mod kept;
mod later;
mod memory;
mod modules;
mod plan;
mod release;
mod settings;
mod updater;

use common::{World, confirmed, tiny, version};
use mpota_vboard::{Board, Run};
use serde_json::json;

/// A trial ends after two starts, or 150 seconds.
fn limited() -> World {
    let mut world = World::new();
    world.set("limits", "{'trial_boots': 2, 'trial_s': 150, 'retries': 1}");
    world
}

/// Run with the timers a hundred times as fast.
fn run_on(board: &Board, sleeps: u32) -> Run {
    let run = board.run_with(&json!({"timer_divide": 100, "sleeps": sleeps})).unwrap();
    eprintln!("{}", run.output);
    run
}

/// Whether the updater keeps nothing of an update.
fn at_rest(board: &Board) -> bool {
    let left = |path: &String| path.starts_with("/.ota/new/") || path.starts_with("/.ota/old/");
    !board.tree().unwrap().keys().any(left)
}

/// A further release is taken.
fn takes_another(world: &World, board: &Board, about: &str) {
    world.publish("v9.0.0", tiny("v9.0.0"));
    let log = run_on(board, 2).output;
    assert!(log.contains("v9.0.0 is installed") && log.contains("app v9.0.0 "), "{about}: {log}");
    assert_eq!(version(board), confirmed("v9.0.0"), "{about}");
    assert!(at_rest(board), "{about}");
}
