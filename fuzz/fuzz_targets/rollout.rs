#![no_main]

mod common;

drive!("rollout");
