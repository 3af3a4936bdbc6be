//! A hostile server against the real updater on the virtual board: faults 1 to 25 of faults.md, each
//! a named test, on the wire, with the heap of a Pico W.
//!
//! - [`server`]: the scripted server, [`honest`]: what it does without a script
//! - [`rig`]: a board, and what must hold after every attack
//! - the rest: the attacks

#![allow(clippy::unwrap_used, reason = "these are tests")]

mod answers;
mod bodies;
#[path = "../common/mod.rs"]
mod common;
mod honest;
mod interim;
mod keys;
mod nothing_new;
mod own;
mod proof;
mod ranges;
mod release;
mod rig;
mod rollouts;
mod secrecy;
mod server;
mod tls;
mod trust;
mod turns;
