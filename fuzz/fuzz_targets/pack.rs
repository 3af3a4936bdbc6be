#![no_main]

mod common;

drive!("pack");
