//! `mpota mirror`: the program, from folders and servers of releases to real stores of objects.

#![allow(clippy::unwrap_used, reason = "what cannot go on here is a failed test")]

#[path = "../common/mod.rs"]
mod common;
mod halts;
mod hosts;
mod killed;
mod objects;
mod proxy;
mod prunes;
mod refused;
mod source;
mod stores;
mod world;
