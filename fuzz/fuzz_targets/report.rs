#![no_main]

mod common;

drive!("report");
