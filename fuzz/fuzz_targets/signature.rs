#![no_main]

mod common;

drive!("signature");
