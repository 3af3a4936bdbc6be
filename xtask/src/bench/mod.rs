//! `cargo xtask bench`: what an update costs, beside MicroPython's own `mip` and a plain download of what has changed.
//!
//! All three get the same files from the same server in the same run.
//!
//! - Wire: a proxy counts connections, requests and bytes. The time over a slow link is calculated from these counts;
//!   for the small app the link is also simulated in real time, to show that both agree.
//! - CPU: the interpreter runs on a folder of the host, so that the cost of the virtual flash is not part of it.
//!   Instructions come from Valgrind. CPU and wall times depend on the machine and have no limits.
//! - Flash: a virtual board with LittleFS counts erases, bytes programmed and bytes read, by phase.
//! - Heap: `cargo xtask size`.
//!
//! | file | what |
//! | --- | --- |
//! | `corpus` | the apps, and what changes in them |
//! | `place` | their releases, servers and boards |
//! | `wire` | the proxy, and the time over a slow link |
//! | `host` | an update on a folder of the host: wire and CPU |
//! | `flash` | an update on a virtual board: flash |
//! | `computer` | `mpota build` beside `sha256sum` and `pigz` |
//! | `figures` | the figures of a case, as tables and as JSON |
//! | `limits` | limits of figures, in `xtask/bench.toml` |

mod computer;
mod corpus;
mod figures;
mod flash;
mod host;
mod limits;
mod place;
mod wire;

use anyhow::{Context, Result, bail, ensure};
use corpus::{CORPORA, Change, Corpus};
use figures::{Case, Measured};
use limits::Limits;
use mpota_vboard::{MicroPython, Word};
use place::{Place, Subject};
use serde_json::{Map, Value};
use wire::SLOW;

/// Runs over the simulated slow link; the shortest counts.
const WAITS: usize = 3;

/// What the command line asks for.
#[derive(Default)]
struct Arguments {
    json: bool,
    /// Compare figures with their limits.
    check: bool,
    /// Write the limits file from what is measured.
    write_limits: bool,
    only: Vec<String>,
    /// Print which files the updater opens and reads in each phase, instead of figures.
    profile: bool,
}

impl Arguments {
    fn parse(args: &[String]) -> Result<Self> {
        let usage = || {
            format!(
                "bench [--json] [--check | --write-limits | --profile] [--only CASE]...\ncases: {}",
                keys()
            )
        };
        let mut out = Self::default();
        let mut rest = args.iter().map(String::as_str);
        while let Some(arg) = rest.next() {
            match arg {
                "--json" => out.json = true,
                "--check" => out.check = true,
                "--write-limits" => out.write_limits = true,
                "--profile" => out.profile = true,
                "--only" => out.only.push(rest.next().with_context(usage)?.to_owned()),
                _ => bail!(usage()),
            }
        }
        let unknown = out.only.iter().find(|key| !keys().split(' ').any(|known| known == **key));
        ensure!(unknown.is_none(), "there is no case {:?}: {}", unknown.map_or("", |key| key), usage());
        Ok(out)
    }

    /// Whether only cases with limits are measured.
    fn limits(&self) -> bool {
        self.check || self.write_limits
    }
}

/// Valgrind is about 50 times slower than the update itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counting {
    /// No instructions are counted.
    No,
    /// Those of all subjects.
    All,
    /// Those of the updater.
    Updater,
}

/// What is measured besides the wire and the flash.
#[derive(Debug, Clone, Copy)]
struct What {
    /// CPU and wall time are measured [`Corpus::runs`] times; else once.
    times: bool,
    /// Whose instructions are counted.
    instructions: Counting,
    /// The update also runs over https.
    https: bool,
    /// The update also runs over a simulated slow link, in real time.
    waits: bool,
}

fn cases() -> Vec<(Corpus, Change)> {
    let all = CORPORA.into_iter().flat_map(|corpus| Change::ALL.map(|change| (corpus, change)));
    all.filter(|(corpus, change)| corpus.has(*change)).collect()
}

fn name((corpus, change): (Corpus, Change)) -> String {
    format!("{}.{}", corpus.key, change.key())
}

fn keys() -> String {
    cases().into_iter().map(name).chain([computer::CASE.to_owned()]).collect::<Vec<_>>().join(" ")
}

/// Measure, and print what came out.
pub fn run(args: &[String]) -> Result<()> {
    let arguments = Arguments::parse(args)?;
    let micropython = MicroPython::find(Word::Bits64)?;
    let mut limits = if arguments.limits() { Limits::load()? } else { Limits::default() };
    let unknown: Vec<_> = limits.cases().filter(|key| !keys().split(' ').any(|k| k == *key)).collect();
    ensure!(unknown.is_empty(), "xtask/bench.toml has limits for {unknown:?}; cases are {}", keys());
    let limited: Vec<String> = limits.cases().map(str::to_owned).collect();
    let mut all = Map::new();
    let (mut judged, mut broken) = (0, Vec::new());
    for (corpus, change) in cases() {
        let name = name((corpus, change));
        let named = arguments.only.contains(&name);
        // A case gets its first limits by --write-limits --only CASE.
        let unlimited = arguments.limits() && !limited.contains(&name) && !(named && arguments.write_limits);
        if unlimited || !(named || arguments.only.is_empty()) {
            continue;
        }
        if arguments.profile {
            profile(&micropython, corpus, change)?;
            continue;
        }
        let instructions = match (arguments.write_limits, arguments.check) {
            (false, false) if corpus.runs > 1 => Counting::All,
            (false, true) if limits.has_instructions(&name) => Counting::Updater,
            (true, _) => Counting::Updater,
            _ => Counting::No,
        };
        let times = !arguments.limits();
        let https = times && corpus.runs > 1; // a thousand handshakes take long
        let what = What { times, instructions, https, waits: times && corpus.key == "10" };
        let case = measure(&micropython, corpus, change, what)?;
        all.insert(case.key(), case.json());
        let say = |text: &str| if arguments.json { eprint!("{text}") } else { print!("{text}") };
        if arguments.write_limits {
            limits.take(&name, &limits::named(&case));
        }
        if !arguments.limits() {
            say(&case.table());
        }
        for (line, over) in limits.judge(&name, &limits::named(&case))? {
            say(&format!("{line}\n"));
            judged += 1;
            if over {
                broken.push(line);
            }
        }
    }
    if !arguments.profile
        && (arguments.only.is_empty() || arguments.only.iter().any(|key| key == computer::CASE))
    {
        let figures = computer::measure(!arguments.limits())?;
        all.insert(computer::CASE.into(), serde_json::json!(figures));
        if arguments.write_limits {
            limits.take(computer::CASE, &figures);
        }
        for (line, over) in limits.judge(computer::CASE, &figures)? {
            let say = |text: &str| if arguments.json { eprint!("{text}") } else { print!("{text}") };
            say(&format!("{line}\n"));
            judged += 1;
            if over {
                broken.push(line);
            }
        }
    }
    if arguments.json {
        all.insert("broken".into(), broken.clone().into());
        println!("{:#}", Value::Object(all));
    }
    if arguments.write_limits {
        limits.save()?;
    }
    if arguments.limits() {
        ensure!(judged > 0, "no limit was looked at: xtask/bench.toml has none for these cases");
        eprintln!("bench: {judged} limits, {} broken", broken.len());
    }
    ensure!(broken.is_empty(), "limits of xtask/bench.toml that are broken:\n  {}", broken.join("\n  "));
    Ok(())
}

/// Measure one case. Times come first, with nothing else running. Counts do not depend on time: they run in parallel.
fn measure(micropython: &MicroPython, corpus: Corpus, change: Change, what: What) -> Result<Case> {
    let place = Place::new(&corpus, change)?;
    let wire = place.wire(None)?;
    let folder = place.folder()?;
    let mut measured = Vec::new();
    for subject in Subject::ALL {
        let (mut times, traffic) = host::update(micropython, &place, subject, &folder, &wire)?;
        for _ in 1..if what.times { corpus.runs } else { 1 } {
            times = times.min(host::update(micropython, &place, subject, &folder, &wire)?.0);
        }
        let https =
            what.https.then(|| host::https(micropython, &place, subject, &folder, &wire)).transpose()?;
        measured.push(Measured { traffic, https, times, ..Measured::default() });
    }
    let counted = |subject| {
        let wanted = what.instructions == Counting::All
            || (what.instructions == Counting::Updater && subject == Subject::Updater);
        wanted.then(|| host::instructions(micropython, &place, subject, &folder)).transpose()
    };
    let (instructions, flashes) = std::thread::scope(|scope| {
        let counting = scope.spawn(|| Subject::ALL.map(counted));
        let flashes = Subject::ALL.map(|subject| flash::update(micropython, &place, &corpus, subject));
        (counting.join(), flashes)
    });
    let Ok(instructions) = instructions else { bail!("a thread has ended early") };
    for ((one, instructions), flash) in measured.iter_mut().zip(instructions).zip(flashes) {
        (one.instructions, one.flash) = (instructions?, flash?);
    }
    if what.waits {
        drop(wire); // the slow proxy needs its ports
        let wire = place.wire(Some(SLOW))?;
        for (subject, one) in Subject::ALL.into_iter().zip(&mut measured) {
            for _ in 0..WAITS {
                let wall = host::update(micropython, &place, subject, &folder, &wire)?.0.wall;
                one.waited = Some(one.waited.map_or(wall, |before| before.min(wall)));
            }
        }
    }
    let Ok(measured) = measured.try_into() else { bail!("three subjects") };
    Ok(Case { corpus, change, changed: place.changed, measured })
}

fn profile(micropython: &MicroPython, corpus: Corpus, change: Change) -> Result<()> {
    let place = Place::new(&corpus, change)?;
    let _wire = place.wire(None)?;
    let run =
        flash::run(micropython, &place, &corpus, Subject::Updater, &serde_json::json!({ "profile": true }))?;
    println!("\n{}: {}, {}", name((corpus, change)), corpus.what, change.what());
    for line in run.output.lines().filter_map(|line| line.strip_prefix("board: ")) {
        println!("{line}");
    }
    Ok(())
}
