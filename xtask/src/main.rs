//! The project's tasks: `cargo xtask` lists them.

mod bench;
mod demo;
mod diagnostics;
mod docs;
mod faults;
mod firmware;
mod fleet;
mod fuzz;
mod load;
mod package;
mod pages;
mod powercut;
mod site;
mod size;
mod test;
mod wheel;

use anyhow::{Result, bail};
use std::process::ExitCode;

type Task = (&'static str, &'static str, fn(&[String]) -> Result<()>);

const TASKS: [Task; 17] = [
    ("demo", "show a board update itself, refuse a bad release, and read a private repository", demo::run),
    ("test", "install what is missing into .tools/, and run every test", test::run),
    (
        "powercut",
        "cut the power at every write of an update and of every recovery (--quick: a sample)",
        powercut::run,
    ),
    ("faults", "what an update must survive, a line for each fault: its tests and their cases", faults::run),
    (
        "firmware",
        "the updater on MicroPython of every minor version (--only VERSION; --write-docs)",
        firmware::run,
    ),
    (
        "load",
        "`mpota serve` beside nginx: requests a second, and crowds of boards (--json; --check)",
        load::run,
    ),
    (
        "fleet",
        "what 10,000 and 1,000,000 boards ask of GitHub, of `mpota serve` and of a bucket, by simulation",
        fleet::run,
    ),
    ("fuzz", "run the fuzzers for long (--minutes N [--target NAME] [--seed N])", fuzz::run),
    (
        "package",
        "write device/package.json, device/manifest.py and device/compiled/ for what lies there",
        package::run,
    ),
    ("docs", "write the pages that are made: docs/commands.md and docs/demo.svg", docs::run),
    (
        "site",
        "the pages in docs/ as a site, in target/site/book, with every link checked (--page URL)",
        site::run,
    ),
    (
        "pages",
        "pictures of the pages of mpota serve, in target/pages (checks them as the test does)",
        pages::run,
    ),
    (
        "size",
        "the updater's size, and the heap that it needs (--quick; --check: only whether the limits are kept)",
        size::run,
    ),
    (
        "bench",
        "what an update costs beside mip and a plain download: wire, flash, CPU (--json; --check; --profile; --only CASE)",
        bench::run,
    ),
    (
        "wheel",
        "build the program as a wheel for pip and pipx, in target/wheels (--dev: quickly, and slow)",
        wheel::run,
    ),
    ("diagnostics", "write docs/diagnostics.md: every code of an error or a warning", diagnostics::run),
    ("tools", "only install what the other tasks need into .tools/", test::tools),
];

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("error: {e:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let Some(name) = args.first() else {
        println!("cargo xtask TASK\n");
        for (name, what, _) in TASKS {
            println!("  {name:<10} {what}");
        }
        return Ok(());
    };
    match TASKS.iter().find(|(n, ..)| n == name) {
        Some((_, _, task)) => task(&args[1..]),
        None => bail!("there is no task {name}; `cargo xtask` lists them"),
    }
}
