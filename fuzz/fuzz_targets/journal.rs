#![no_main]

mod common;

drive!("journal");
