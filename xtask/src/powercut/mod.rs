//! `cargo xtask powercut`: the power is cut at every write of an update, and of every recovery.

mod sabotage;
mod scenarios;
#[cfg(test)]
mod tests;

use anyhow::{Context, Result, bail, ensure};
use mpota_serve::{Options, Server};
use mpota_vboard::board::harness;
use mpota_vboard::{FileSystem, MicroPython, Word, repository};
use sabotage::{SABOTAGES, check_sabotages};
use scenarios::{SCENARIOS, Scenario};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// First cuts of a scenario on FAT straight on flash, and second cuts for each, where nothing else is said.
const RAW_SAMPLE: (u64, u64) = (40, 3);

#[derive(Debug, Default, Clone)]
struct Arguments {
    quick: bool,
    /// Second cuts after torn first ones too: three times as many.
    deep: bool,
    seed: u64,
    file_systems: Vec<FileSystem>,
    scenario: Option<String>,
    sabotage: Option<String>,
    second: Option<u64>,
    first: Option<u64>,
    only: Option<String>,
    /// Only the first cuts with this in their names.
    like: Option<String>,
}

fn arguments(args: &[String]) -> Result<Arguments> {
    let mut out = Arguments { seed: 1, ..Arguments::default() };
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let mut value = || args.next().with_context(|| format!("{arg} wants a value"));
        match arg.as_str() {
            "--quick" => out.quick = true,
            "--deep" => out.deep = true,
            "--seed" => out.seed = value()?.parse().context("--seed wants a number")?,
            "--scenario" => out.scenario = Some(value()?.clone()),
            "--sabotage" => out.sabotage = Some(value()?.clone()),
            "--first" => out.first = Some(value()?.parse().context("--first wants a number")?),
            "--only" => out.only = Some(value()?.clone()),
            "--second" => out.second = Some(value()?.parse().context("--second wants a number")?),
            "--fs" => {
                let name = value()?;
                let found = FileSystem::ALL.into_iter().find(|f| f.name() == name);
                out.file_systems.push(found.with_context(|| format!("no file system {name}"))?);
            }
            _ => bail!(
                "powercut [--quick|--deep] [--seed N] [--fs lfs|lfs-small|fat|fat-raw]... [--scenario NAME] [--first N] [--second N] [--sabotage NAME]\n\
                 --deep cuts the recoveries from torn writes too; --first 0 --second 0 cuts everywhere on fat-raw too, where each destroyed FAT takes seconds; --only 'NAME OF A CUT' shows what the board prints there"
            ),
        }
    }
    if out.file_systems.is_empty() {
        out.file_systems = FileSystem::ALL.to_vec();
        // See samples().
        out.file_systems.retain(|fs| !out.quick || *fs != FileSystem::FatRaw);
    }
    Ok(out)
}

/// How many first cuts, and second cuts for each of them; 0: all.
fn samples(fs: FileSystem, a: &Arguments) -> (u64, u64) {
    let (first, second) = match fs {
        _ if a.quick => (6, 3),
        // Nothing is promised for it, and every destroyed FAT may keep a boot busy until it is unplugged.
        FileSystem::FatRaw => RAW_SAMPLE,
        _ => (0, 0),
    };
    (a.first.unwrap_or(first), a.second.unwrap_or(second))
}

/// One cell of the matrix: what the harness counted.
fn cell(micropython: &MicroPython, scenario: &Scenario, fs: FileSystem, a: &Arguments) -> Result<Value> {
    let sabotage: Vec<_> = a
        .sabotage
        .iter()
        .filter_map(|n| SABOTAGES.iter().find(|s| s.name == n))
        .flat_map(|s| s.changes)
        .copied()
        .collect();
    let made = scenario.make(&sabotage)?;
    let server = Server::start(Options::new(made.bench.releases()))?;
    let goal = Server::start(Options::new(made.goal.releases()))?;
    let new: Vec<String> = vec![made.new.display().to_string()];
    let (first, second) = samples(fs, a);
    let mut options = json!({
        "fs": fs.name(), "size": scenario.flash(), "before": made.before.display().to_string(), "new": new, "version": "v1.1.0",
        "goal": made.last.display().to_string(), "url": server.base_url(), "goal_url": goal.base_url(),
        "seed": a.seed, "limit_ms": if fs == FileSystem::FatRaw { 3000 } else { 10_000 },
        "sample": first, "sample2": second, "divide": scenario.divide(), "sleeps": 1,
        "torn_second": a.deep,
        "expect": if scenario.kept { "new" } else { "old" }, "modes": scenario.modes,
    });
    if let Some(only) = &a.only {
        options["only"] = json!(only);
        options["verbose"] = json!(true);
    }
    if let Some(like) = &a.like {
        options["like"] = json!(like);
    }
    // A small heap is forked faster.
    let output = harness(micropython, "16M", "powercut", &options)
        .with_context(|| format!("{} on {}", scenario.name, fs.name()))?;
    if a.only.is_some() {
        println!("{output}");
    }
    let last = output.lines().last().context("the harness printed nothing")?;
    serde_json::from_str(last).with_context(|| format!("{} on {}: {output}", scenario.name, fs.name()))
}

fn number(cell: &Value, key: &str) -> u64 {
    cell.get(key).or_else(|| cell["outcome"].get(key)).and_then(Value::as_u64).unwrap_or(0)
}

const COLUMNS: [&str; 18] = [
    "writes",
    "first",
    "torn",
    "reordered",
    "second",
    "same",
    "third",
    "damaged",
    "faults",
    "online",
    "boots",
    "old",
    "new",
    "healed",
    "lost",
    "silent",
    "mixed",
    "dead",
];

fn width(column: &str) -> usize {
    column.len().max(6)
}

fn print_row(name: &str, fs: &str, cell: &Value) {
    print!("{name:<26} {fs:<9}");
    for key in COLUMNS {
        print!(" {:>1$}", number(cell, key), width(key));
    }
    println!();
    for bad in cell["bad"].as_array().into_iter().flatten() {
        println!("    {}", bad.as_str().unwrap_or_default());
    }
}

/// Run the matrix, print it, and judge it.
pub fn run(args: &[String]) -> Result<()> {
    let a = arguments(args)?;
    let micropython = MicroPython::find(Word::Bits64)?;
    if let Some(name) = &a.sabotage {
        ensure!(SABOTAGES.iter().any(|s| s.name == name), "no sabotage {name}");
    }
    let scenarios: Vec<&Scenario> =
        SCENARIOS.iter().filter(|s| a.scenario.as_ref().is_none_or(|n| n == s.name)).collect();
    ensure!(!scenarios.is_empty(), "no such scenario; there are: {}", names());
    mpota_vboard::bench::compiled_agent()?;
    println!("seed {}", a.seed);
    for fs in &a.file_systems {
        let (first, second) = samples(*fs, &a);
        if first != 0 || second != 0 {
            let of = |n: u64| if n == 0 { "all".to_owned() } else { n.to_string() };
            println!(
                "{}: a sample, {} first cuts a scenario and {} second cuts for each",
                fs.name(),
                of(first),
                of(second)
            );
        }
    }
    print!("{:<26} {:<9}", "scenario", "fs");
    COLUMNS.iter().for_each(|c| print!(" {c:>0$}", width(c)));
    println!();

    let began = Instant::now();
    let work: Vec<_> = a
        .file_systems
        .iter()
        .flat_map(|fs| scenarios.iter().map(move |s| (*s, *fs)))
        .filter(|(s, fs)| a.scenario.is_some() || s.on.contains(fs))
        .collect();
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        // One more than there are cores: each waits for a fifth of its time for a boot to end.
        for _ in 0..=std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                while let Some((scenario, fs)) = work.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let result = cell(&micropython, scenario, *fs, &a);
                    if let Ok(mut results) = results.lock() {
                        if let Ok(cell) = &result {
                            print_row(scenario.name, fs.name(), cell);
                        }
                        results.push((scenario, *fs, result));
                    }
                }
            });
        }
    });
    let results = results.into_inner().map_err(|_| anyhow::anyhow!("a thread panicked"))?;
    let mut seen = BTreeSet::new();
    let mut bad = Vec::new();
    println!();
    for fs in &a.file_systems {
        let mut total = serde_json::Map::new();
        for (scenario, _, result) in results.iter().filter(|(_, f, _)| f == fs) {
            let cell = match result {
                Ok(cell) => cell,
                Err(e) => bail!("{} on {}: {e:#}", scenario.name, fs.name()),
            };
            for key in COLUMNS {
                let sum = total.get(key).and_then(Value::as_u64).unwrap_or(0) + number(cell, key);
                total.insert(key.into(), sum.into());
            }
            seen.extend(
                cell["transitions"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(|t| t.as_str().map(str::to_owned)),
            );
        }
        let total = Value::Object(total);
        print_row("all", fs.name(), &total);
        let promised: &[&str] = match fs {
            FileSystem::Lfs | FileSystem::LfsSmall => &["silent", "mixed", "dead"],
            FileSystem::Fat => &["dead"],
            FileSystem::FatRaw => &[],
        };
        bad.extend(
            promised
                .iter()
                .filter(|k| number(&total, k) > 0)
                .map(|k| format!("{} {k} on {}", number(&total, k), fs.name())),
        );
        ensure!(number(&total, "boots") > 0, "nothing booted on {}", fs.name());
    }
    println!("{} s", began.elapsed().as_secs());
    if a.sabotage.is_none() && a.scenario.is_none() {
        check_transitions(&seen, a.quick)?;
    }
    if let Some(name) = &a.sabotage {
        ensure!(!bad.is_empty(), "the updater was broken ({name}), and nothing was seen");
        println!("broken on purpose ({name}), and seen: {}", bad.join(", "));
        return Ok(());
    }
    ensure!(bad.is_empty(), "{}", bad.join(", "));
    if a.quick && a.scenario.is_none() {
        check_sabotages(&a)?;
    }
    Ok(())
}

fn names() -> String {
    SCENARIOS.iter().map(|s| s.name).collect::<Vec<_>>().join(", ")
}

/// Every transition of the table in `spec/` has run (not so in a sample), and no other.
fn check_transitions(seen: &BTreeSet<String>, sample: bool) -> Result<()> {
    let text = std::fs::read_to_string(repository().join("spec/transitions"))?;
    let table: BTreeSet<String> = text
        .lines()
        .map(|l| l.split(' ').take(2).collect::<Vec<_>>().join(" "))
        .filter(|l| !l.is_empty())
        .collect();
    println!("{} of {} transitions ran", seen.intersection(&table).count(), table.len());
    let missing: Vec<_> = table.difference(seen).cloned().collect();
    let unknown: Vec<_> = seen.difference(&table).cloned().collect();
    ensure!(sample || missing.is_empty(), "never ran: {}", missing.join(", "));
    ensure!(unknown.is_empty(), "not in spec/transitions: {}", unknown.join(", "));
    Ok(())
}
