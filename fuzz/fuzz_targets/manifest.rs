#![no_main]

mod common;

drive!("manifest");
