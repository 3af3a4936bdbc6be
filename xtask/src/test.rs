//! `cargo xtask test`: every test, in Rust and on MicroPython.

use crate::faults::Faults;
use anyhow::{Context, Result, bail, ensure};
use mpota_vboard::{MicroPython, Word, clients, repository};
use std::collections::BTreeMap;
use std::process::Command;

/// Install what the tests run on.
pub fn tools(_: &[String]) -> Result<()> {
    MicroPython::find(Word::Bits64)?;
    MicroPython::find(Word::Bits32)?;
    clients::mpy_cross()?;
    clients::npm()?;
    clients::chromium()?;
    clients::pygithub()?;
    clients::mpremote()?;
    clients::maturin()?;
    clients::mdbook()?;
    clients::gh()?;
    clients::workflow_linter()?;
    clients::cachegrind()?;
    clients::azurite()?;
    clients::rclone()?;
    mpota_vboard::servers::Programs::find()?;
    crate::firmware::install()?;
    ensure!(
        Command::new("ssh-keygen").arg("-?").output().is_ok(),
        "ssh-keygen is missing: install OpenSSH's client (Debian: apt-get install openssh-client)"
    );
    Ok(())
}

/// What a suite reported.
#[derive(Default)]
struct Counts {
    passed: u64,
    failed: u64,
    /// Vectors read, by their kind.
    vectors: BTreeMap<String, u64>,
}

impl Counts {
    /// Take in the output of `cargo test` or of a MicroPython test.
    fn read(&mut self, output: &str) {
        for line in output.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words[..] {
                ["vectors", kind, n] => {
                    if let Ok(n) = n.parse() {
                        self.vectors.insert(kind.into(), n);
                    }
                }
                [n, "passed,", m, "failed"] => {
                    self.passed += n.parse::<u64>().unwrap_or(0);
                    self.failed += m.parse::<u64>().unwrap_or(1);
                }
                ["test", "result:", _, n, "passed;", m, "failed;", ..] => {
                    self.passed += n.parse::<u64>().unwrap_or(0);
                    self.failed += m.parse::<u64>().unwrap_or(1);
                }
                _ => {}
            }
        }
    }
}

/// Run a command, show what it prints, and return it.
fn shown(command: &mut Command) -> Result<(bool, String)> {
    let out = command.output().with_context(|| format!("cannot start {:?}", command.get_program()))?;
    let text = String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr);
    Ok((out.status.success(), text))
}

/// Run everything; an error when anything failed.
pub fn run(args: &[String]) -> Result<()> {
    tools(&[])?;
    let mut rust = Counts::default();
    println!("== Rust, and boards from end to end");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .current_dir(repository())
        .args(["test", "--workspace", "--no-fail-fast", "--"])
        .args(["--show-output"]);
    cargo.args(args);
    if std::env::var_os("RUST_TEST_THREADS").is_none() {
        // Boards wait for their timers most of the time.
        let threads = std::thread::available_parallelism().map_or(4, |processors| 2 * processors.get());
        cargo.env("RUST_TEST_THREADS", threads.to_string());
    }
    let (ok, output) = shown(&mut cargo)?;
    rust.read(&output);
    print_cargo(&output, ok);
    if !ok {
        rust.failed = rust.failed.max(1);
    }

    println!("== faults");
    let mut faults = Faults::default();
    faults.read(&output);
    let faults = if args.is_empty() { faults.report() } else { Ok(()) };

    let mut device = Counts::default();
    let mut tests: Vec<_> =
        std::fs::read_dir(repository().join("device/tests"))?.flatten().map(|e| e.path()).collect();
    tests.retain(|p| p.file_name().is_some_and(|n| n.to_string_lossy().starts_with("test_")));
    tests.sort();
    ensure!(!tests.is_empty(), "no tests in device/tests");
    for word in [Word::Bits64, Word::Bits32] {
        let micropython = MicroPython::find(word)?;
        for test in &tests {
            let name = test.file_name().unwrap_or_default().to_string_lossy().into_owned();
            println!("== MicroPython, {word:?}: {name}");
            let mut command = micropython.command("8M");
            let (ok, output) = shown(command.current_dir(repository()).arg(test))?;
            let before = device.passed;
            device.read(&output);
            print!("{output}");
            if !ok || device.passed == before {
                device.failed += 1;
                println!("FAILED: {name}");
            }
        }
    }

    println!("== power cuts, a sample");
    if let Err(e) = crate::powercut::run(&["--quick".into()]) {
        println!("FAILED: power cuts: {e:#}");
        device.failed += 1;
    }

    println!("== memory");
    if let Err(e) = crate::size::run(&["--check".into()]) {
        println!("FAILED: size: {e:#}");
        device.failed += 1;
    }

    println!("== what an update costs");
    if let Err(e) = crate::bench::run(&["--check".into()]) {
        println!("FAILED: bench: {e:#}");
        device.failed += 1;
    }

    println!("== vectors read by both suites");
    ensure!(!rust.vectors.is_empty(), "no vectors were read");
    let mut differ = false;
    for kind in rust.vectors.keys().chain(device.vectors.keys()).collect::<std::collections::BTreeSet<_>>() {
        let (a, b) = (rust.vectors.get(kind), device.vectors.get(kind));
        println!("{kind:<12} Rust {:>5}  MicroPython {:>5}", text(a), text(b));
        differ |= a != b;
    }
    print_failed(&output);
    println!("\n{} passed, {} failed", rust.passed + device.passed, rust.failed + device.failed);
    if rust.failed + device.failed > 0 {
        bail!("tests failed");
    }
    ensure!(!differ, "the two suites read different numbers of vectors");
    faults
}

/// The tests that failed, with the end of what each one said: once more, where it is looked for.
fn print_failed(output: &str) {
    let failed = |line: &'_ str| {
        line.strip_prefix("test ").and_then(|line| line.strip_suffix(" ... FAILED")).map(str::to_owned)
    };
    for name in output.lines().filter_map(failed) {
        println!("FAILED: {name}");
        let begin = format!("---- {name} stdout ----");
        let said = output.lines().skip_while(|line| **line != begin).skip(1);
        let said: Vec<&str> =
            said.take_while(|line| !line.starts_with("---- ") && *line != "failures:").collect();
        for line in &said[said.len().saturating_sub(40)..] {
            println!("    {line}");
        }
    }
}

fn text(n: Option<&u64>) -> String {
    n.map_or_else(|| "none".into(), u64::to_string)
}

/// Of the output of `cargo test`, what is worth reading.
fn print_cargo(output: &str, ok: bool) {
    for line in output.lines() {
        let worth = ["test ", "vectors ", "  cases ", "FAILED", "error"].iter().any(|w| line.starts_with(w));
        if !ok || worth {
            println!("{line}");
        }
    }
}
