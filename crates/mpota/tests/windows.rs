//! A build works on its files window by window: the bytes are those of a build that held all of them, and nothing is left
//! of one that ends early.

#![allow(clippy::unwrap_used, reason = "what cannot go on here is a failed test")]

mod common;

use std::fs::{self, File};

use common::App;
use mpota::release::build::{BuildOptions, build_with};
use mpota_format::digest::{hex, sha256};

/// Numbers that are the same each time.
fn numbers(seed: u32) -> impl Iterator<Item = u32> {
    std::iter::successors(Some(seed), |x| Some(x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223))).skip(1)
}

/// Noise, text in pieces and in one stream, what repeats from far away, and nothing.
fn app() -> App {
    let app = App::empty();
    app.write("mpota.toml", "project = \"octo/weather\"\n");
    app.write("main.py", "import ota_updater\nota_updater.boot()\n");
    let noise: Vec<u8> = numbers(1).take(40_000).map(|x| (x >> 24) as u8).collect();
    app.write("far.bin", noise[..700].repeat(30));
    app.write("noise.bin", noise);
    let line = |x: u32| format!("x{} = call({})  # what it does\n", x >> 24, x >> 8 & 0xffff);
    app.write("lib/long.py", numbers(2).take(6_000).map(line).collect::<String>());
    app.write("lib/short.py", numbers(2).take(200).map(line).collect::<String>());
    app.write("empty.txt", "");
    app
}

#[test]
fn the_pack_is_that_of_a_build_that_held_all_files_in_memory() {
    let app = app();
    app.run("build --version v1.0.0").ok();
    let sum = hex(&sha256(&app.read("dist/weather-v1.0.0.pack")));
    // Of the pack that mpota made of these files before it worked in windows, with all four windows tried.
    assert_eq!(sum, "35a89d6fbcc5d49d374ba0dff44213d586d96bc2b029f570fe4bb752c66d32d2");
}

#[test]
fn nothing_is_left_of_a_build_that_loses_a_file_in_the_middle() {
    let app = app();
    app.run("build --version v1.0.0").ok();
    let (dist, mut names) = (app.tree("dist"), app.names());
    let mut options = BuildOptions::load(app.path("")).unwrap();
    options.version = Some("v1.1.0".to_owned());
    let result = build_with(&options, &mut |file| {
        if file.path == "noise.bin" {
            fs::remove_file(&file.disk).unwrap();
        }
    });
    let error = result.unwrap_err().to_string();
    assert!(error.contains("noise.bin"), "{error}");
    names.retain(|name| name != "noise.bin");
    assert_eq!((app.tree("dist"), app.names()), (dist, names));
}

#[test]
#[cfg(unix)]
fn what_a_killed_build_has_left_is_removed_and_that_of_a_running_one_is_not() {
    let app = app();
    for number in [1, 2] {
        app.write(&format!(".dist.mpota-new-{number}/weather.pack"), "half");
    }
    let running = File::open(app.path(".dist.mpota-new-2")).unwrap();
    running.lock().unwrap();
    app.run("build --version v1.0.0").ok();
    assert!(!app.path(".dist.mpota-new-1").exists());
    assert_eq!(app.text(".dist.mpota-new-2/weather.pack"), "half");
    drop(running);
    app.run("build --version v1.0.0").ok();
    assert!(!app.path(".dist.mpota-new-2").exists());
}
