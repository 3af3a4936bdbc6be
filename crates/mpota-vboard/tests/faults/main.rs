//! Faults 49 to 80 of `spec/faults` on whole boards: what one update leaves to the next, and what an
//! app, a release or a failing flash may do to the updater.
//!
//! - [`broken`]: an app that breaks later, and the template
//! - [`updater`]: the updater as a part of a release
//! - [`modules`]: files with the names of others
//! - [`later`]: releases of tomorrow, the updater of yesterday
//! - [`memory`]: not enough of it
//! - [`settings`]: CONFIG with typing errors
//! - [`template`]: the four templates
//! - [`trial`]: what is a crash, and what is not
//! - [`plan`]: the plan is gone
//! - [`kept`]: files that the owner has changed
//! - [`small`]: many small files, and little room
//! - [`by_hand`]: files that were copied over those of the release
//! - [`release`]: what stands in a release, and what the app does meanwhile
//! - [`steps`]: watchdogs, asyncio, two updates at once, and downloads that are cut

#![allow(clippy::unwrap_used, reason = "these are tests")]

mod broken;
mod by_hand;
#[path = "../common/mod.rs"]
mod common;
mod kept;
mod later;
#[path = "../common/link.rs"]
mod link;
mod memory;
mod modules;
mod plan;
mod release;
mod settings;
mod small;
mod steps;
#[path = "../common/still.rs"]
mod still;
mod template;
mod trial;
mod updater;

use common::{World, confirmed, tiny, version};
use mpota_vboard::{Board, Run};
use serde_json::json;

/// A trial ends after two starts, or 150 seconds.
fn limited() -> World {
    let mut world = World::new();
    world.set(
        "limits",
        "{'trial_resets': 2, 'trial_starts': 2, 'trial_s': 150, 'trial_wait_s': 150, 'retries': 1}",
    );
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
