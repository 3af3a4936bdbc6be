#![no_main]

mod common;

drive!("serve");
