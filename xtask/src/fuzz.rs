//! `cargo xtask fuzz`: long runs of what the tests run for seconds. Led by coverage where Rust reads, against the
//! board's readers and in its HTTP client by mutation alone.

use anyhow::{Context, Result, bail, ensure};
use mpota_fuzz::differ::{Differ, Kind};
use mpota_fuzz::http;
use mpota_fuzz::targets::{ALL, Target};
use mpota_vboard::repository;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// What a run was.
struct Outcome {
    executions: u64,
    /// What else is worth saying.
    note: String,
    findings: Vec<String>,
}

/// A name, and what runs for so long from this number on.
enum Job {
    Guided(&'static Target),
    Differ(Kind),
    Http,
}

impl Job {
    fn all() -> Vec<Self> {
        let guided = ALL.iter().map(Self::Guided);
        guided.chain(Kind::ALL.map(Self::Differ)).chain([Self::Http]).collect()
    }

    fn name(&self) -> String {
        match self {
            Self::Guided(target) => target.name.to_owned(),
            Self::Differ(kind) => format!("differ-{}", kind.name()),
            Self::Http => "http".to_owned(),
        }
    }

    fn run(&self, time: Duration, seed: u64) -> Result<Outcome> {
        match self {
            Self::Guided(target) => guided(target, time, seed),
            Self::Differ(kind) => {
                let until = Some(Instant::now() + time);
                let (count, accepted, found) = Differ::new()?.run(*kind, seed, usize::MAX, until)?;
                let folder = repository().join("fuzz/artifacts").join(self.name());
                std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
                let mut findings = Vec::new();
                for (n, difference) in found.iter().enumerate() {
                    let path = folder.join(format!("{seed}-{n}"));
                    std::fs::write(&path, &difference.input)?;
                    findings.push(format!("{}\n{difference}", path.display()));
                }
                Ok(Outcome {
                    executions: count as u64,
                    note: format!("{accepted} accepted by both"),
                    findings,
                })
            }
            Self::Http => {
                let (count, fine, findings) = http::run(seed, usize::MAX, Some(Instant::now() + time))?;
                Ok(Outcome { executions: count as u64, note: format!("{fine} without an error"), findings })
            }
        }
    }
}

/// `cargo fuzz`, installed into `.tools/` where it is missing.
fn cargo_fuzz() -> Result<PathBuf> {
    let home = repository().join(".tools/cargo-fuzz");
    let program = home.join("bin/cargo-fuzz");
    if !program.exists() {
        eprintln!("installing cargo-fuzz into {} ...", home.display());
        let done =
            cargo().args(["install", "--quiet", "--locked", "cargo-fuzz", "--root"]).arg(&home).status()?;
        ensure!(done.success(), "cargo-fuzz cannot be installed: that needs a network and a C++ compiler");
    }
    Ok(program)
}

fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// One run of libFuzzer. Without a sanitizer: that needs no nightly toolchain, and there is no `unsafe` here.
fn guided(target: &Target, time: Duration, seed: u64) -> Result<Outcome> {
    let root = repository();
    let corpus = root.join("fuzz/corpus").join(target.name);
    let artifacts = root.join("fuzz/artifacts").join(target.name);
    for folder in [&corpus, &artifacts] {
        std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    for (n, bytes) in (target.seeds)().iter().enumerate() {
        std::fs::write(corpus.join(format!("seed-{n}")), bytes)?;
    }
    let before = names(&artifacts)?;
    let output = Command::new(cargo_fuzz()?)
        .current_dir(&root)
        .args(["run", "--sanitizer", "none", target.name, "--"])
        .arg(format!("-max_total_time={}", time.as_secs().max(1)))
        .arg(format!("-seed={}", seed % u64::from(u32::MAX) + 1))
        .args(["-print_final_stats=1", "-timeout=20", "-rss_limit_mb=2048", "-max_len=20000"])
        .output()
        .context("cannot start cargo-fuzz")?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let number = |what: &str| {
        let line = text.lines().rev().find(|line| line.contains(what))?;
        line.split(what).nth(1)?.split_whitespace().next()?.parse::<u64>().ok()
    };
    let mut findings: Vec<String> =
        names(&artifacts)?.into_iter().filter(|name| !before.contains(name)).collect();
    findings.iter_mut().for_each(|name| *name = artifacts.join(&*name).display().to_string());
    let executions = number("stat::number_of_executed_units:");
    let Some(executions) = executions.or_else(|| (!findings.is_empty()).then_some(0)) else {
        bail!("{} did not run:\n{text}", target.name);
    };
    if let Some(last) = findings.last_mut() {
        let said: Vec<&str> =
            text.lines().filter(|line| line.contains("panicked") || line.contains("ERROR")).collect();
        *last = format!("{last}\n{}", said.join("\n"));
    }
    Ok(Outcome { executions, note: format!("{} edges covered", number(" cov: ").unwrap_or(0)), findings })
}

fn names(folder: &Path) -> Result<Vec<String>> {
    let entries = std::fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    Ok(entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect())
}

/// `--minutes N [--target NAME] [--seed N]`: the minutes are shared by the targets.
pub fn run(args: &[String]) -> Result<()> {
    let value =
        |name: &str| args.iter().position(|arg| arg == name).map(|at| args.get(at + 1).map(String::as_str));
    let minutes: f64 = match value("--minutes") {
        Some(Some(minutes)) => minutes.parse().context("--minutes takes a number")?,
        _ => bail!("cargo xtask fuzz --minutes N [--target NAME] [--seed N]"),
    };
    let jobs = Job::all();
    let jobs: Vec<&Job> = match value("--target") {
        None => jobs.iter().collect(),
        Some(name) => jobs.iter().filter(|job| Some(job.name().as_str()) == name).collect(),
    };
    let known = Job::all().iter().map(Job::name).collect::<Vec<_>>().join(", ");
    ensure!(!jobs.is_empty(), "no such target; there are {known}");
    let seed: u64 = match value("--seed") {
        Some(seed) => seed.and_then(|seed| seed.parse().ok()).context("--seed takes a number")?,
        None => std::time::UNIX_EPOCH.elapsed().map_or(1, |time| time.as_secs()),
    };
    println!("seed {seed}");
    let time = Duration::from_secs_f64(minutes * 60.0 / jobs.len() as f64);
    let mut findings = 0;
    for job in jobs {
        let outcome = job.run(time, seed)?;
        ensure!(outcome.executions > 0 || !outcome.findings.is_empty(), "{} ran nothing", job.name());
        let n = outcome.findings.len();
        println!(
            "{:<18} {:>10} executions  {:>2} findings  {}",
            job.name(),
            outcome.executions,
            n,
            outcome.note
        );
        outcome.findings.iter().for_each(|finding| println!("{finding}"));
        findings += n;
    }
    ensure!(findings == 0, "{findings} findings: each becomes a vector, and is fixed");
    Ok(())
}
