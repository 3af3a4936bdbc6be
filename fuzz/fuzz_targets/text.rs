#![no_main]

mod common;

drive!("text");
