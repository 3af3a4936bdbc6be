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
    scenarios: Vec<String>,
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
            "--scenario" => out.scenarios.push(value()?.clone()),
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
                "powercut [--quick|--deep] [--seed N] [--fs lfs|lfs-small|fat|fat-raw]... [--scenario NAME]... [--first N] [--second N] [--sabotage NAME]\n\
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

/// How many first cuts, and second cuts for each of them; 0: all. `most`: second cuts of a scenario, see its second().
fn samples(fs: FileSystem, a: &Arguments, most: u64) -> (u64, u64) {
    let (first, second) = match fs {
        _ if a.quick => (6, 3),
        // Nothing is promised for it, and every destroyed FAT may keep a boot busy until it is unplugged.
        FileSystem::FatRaw => RAW_SAMPLE,
        _ => (0, most),
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
    let (first, second) = samples(fs, a, scenario.second());
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
    // A small heap is forked and collected faster.
    let output = harness(micropython, "4M", "powercut", &options)
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

/// What `call` makes of each, in the order of `work`, on all processors.
fn in_parallel<T: Sync, R: Send>(work: &[T], call: impl Fn(&T) -> Result<R> + Sync) -> Vec<Result<R>> {
    let next = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        let worker = || {
            let mut done = Vec::new();
            while let Some((at, item)) = work.iter().enumerate().nth(next.fetch_add(1, Ordering::Relaxed)) {
                done.push((at, call(item)));
            }
            done
        };
        // One more than there are cores: each waits for a fifth of its time for a boot to end.
        let workers: Vec<_> = (0..=threads).map(|_| scope.spawn(worker)).collect();
        let mut all: Vec<_> = workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect();
        all.sort_by_key(|(at, _)| *at);
        all.into_iter().map(|(_, result)| result).collect()
    })
}

/// Run the matrix, print it, and judge it.
pub fn run(args: &[String]) -> Result<()> {
    let a = arguments(args)?;
    let micropython = MicroPython::find(Word::Bits64)?;
    if let Some(name) = &a.sabotage {
        ensure!(SABOTAGES.iter().any(|s| s.name == name), "no sabotage {name}");
    }
    let scenarios: Vec<&Scenario> = SCENARIOS
        .iter()
        .filter(|s| a.scenarios.is_empty() || a.scenarios.iter().any(|n| n == s.name))
        .collect();
    let unknown = a.scenarios.iter().find(|name| !scenarios.iter().any(|s| s.name == **name));
    if let Some(name) = unknown {
        bail!("no scenario {name}; there are: {}", names());
    }
    mpota_vboard::bench::compiled_agent()?;
    println!("seed {}", a.seed);
    for fs in &a.file_systems {
        let (first, second) = samples(*fs, &a, 0);
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
    if !a.quick && a.second.is_none() {
        for scenario in scenarios.iter().filter(|s| s.second() > 0) {
            println!(
                "{}: {} second cuts for each first one (--second 0: all)",
                scenario.name,
                scenario.second()
            );
        }
    }
    print!("{:<26} {:<9}", "scenario", "fs");
    COLUMNS.iter().for_each(|c| print!(" {c:>0$}", width(c)));
    println!();

    let began = Instant::now();
    let mut work: Vec<_> = a
        .file_systems
        .iter()
        .flat_map(|fs| scenarios.iter().map(move |s| (*s, *fs)))
        .filter(|(s, fs)| !a.scenarios.is_empty() || s.on.contains(fs))
        .collect();
    // What takes long comes last, so that a run that is stopped has told most.
    work.sort_by_key(|(s, _)| s.second());
    let printing = Mutex::new(());
    let results = in_parallel(&work, |(scenario, fs)| {
        let result = cell(&micropython, scenario, *fs, &a);
        if let (Ok(cell), Ok(_)) = (&result, printing.lock()) {
            print_row(scenario.name, fs.name(), cell);
        }
        result
    });
    let results: Vec<_> = work.iter().zip(results).collect();
    let mut seen = BTreeSet::new();
    let mut bad = Vec::new();
    println!();
    for fs in &a.file_systems {
        let mut total = serde_json::Map::new();
        for ((scenario, _), result) in results.iter().filter(|((_, f), _)| f == fs) {
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
    if a.sabotage.is_none() && a.scenarios.is_empty() {
        check_transitions(&seen, a.quick)?;
    }
    if let Some(name) = &a.sabotage {
        ensure!(!bad.is_empty(), "the updater was broken ({name}), and nothing was seen");
        println!("broken on purpose ({name}), and seen: {}", bad.join(", "));
        return Ok(());
    }
    ensure!(bad.is_empty(), "{}", bad.join(", "));
    if a.quick && a.scenarios.is_empty() {
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
