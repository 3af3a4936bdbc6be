//! `mpota build` beside `sha256sum` and `pigz`, which hash and compress the same files at the same time: wall time, CPU
//! time, memory. Its memory is also measured with a quarter of the files: it must not grow with them.

use crate::load::servers;
use anyhow::{Context, Result, ensure};
use fastrand::Rng;
use mpota_vboard::servers::Programs;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Its name in figures and limits.
pub const CASE: &str = "build";
/// Bytes of a file.
const SIZE: usize = 100_000;
/// Files, for times and for memory alone.
const FILES: [usize; 2] = [10_000, 1_200];
/// How often both are timed, in turns.
const ROUNDS: usize = 3;

/// What a run took.
#[derive(Debug, Clone, Copy)]
struct Run {
    wall: Duration,
    /// The most memory, in KB.
    memory: u64,
}

/// The figures. `times`: also the times, with more files.
pub fn measure(times: bool) -> Result<BTreeMap<String, f64>> {
    // The tests have the unoptimized one already, and it takes as much memory.
    let mpota = servers::build(times)?;
    let files = FILES[usize::from(!times)];
    let dir = tempfile::tempdir()?;
    let (whole, quarter) = (dir.path().join("whole"), dir.path().join("quarter"));
    write(&whole, files)?;
    write(&quarter, files / 4)?;
    let built = |app: &Path| {
        let mut build = Command::new(&mpota);
        build.args(["build", "--version", "v1.0.0"]).arg(app);
        run(&mut [build])
    };
    let mut figures = BTreeMap::new();
    let small = built(&quarter)?;
    let mut large = built(&whole)?;
    if times {
        let programs = Programs::find()?;
        let mut ratios = Vec::new();
        for round in 0..ROUNDS {
            let theirs = rival(&programs, &whole)?;
            large = built(&whole)?;
            let ratio = large.wall.as_secs_f64() / theirs.as_secs_f64();
            eprintln!(
                "build: {files} files of {SIZE} bytes, round {round}: {:.1} s, sha256sum beside pigz {:.1} s: {ratio:.2}",
                large.wall.as_secs_f64(),
                theirs.as_secs_f64()
            );
            ratios.push(ratio);
        }
        ratios.sort_by(f64::total_cmp);
        figures.insert("wall/pigz".to_owned(), ratios[ROUNDS / 2]);
    }
    eprintln!(
        "build: {files} files take {} KB of memory, a quarter of them {} KB",
        large.memory, small.memory
    );
    figures.insert("memory".to_owned(), large.memory as f64);
    figures.insert("memory/quarter".to_owned(), large.memory as f64 / small.memory as f64);
    Ok(figures)
}

/// An app of half code and half data, a tenth of which does not shrink. The same each time.
fn write(app: &Path, files: usize) -> Result<()> {
    let mut chance = Rng::with_seed(7);
    let word =
        |chance: &mut Rng| -> String { (0..chance.usize(3..10)).map(|_| chance.lowercase()).collect() };
    let words: Vec<String> = (0..800).map(|_| word(&mut chance)).collect();
    fs::create_dir_all(app)?;
    fs::write(app.join("mpota.toml"), "project = \"octo/weather\"\n")?;
    fs::write(app.join("main.py"), "import ota_updater\nota_updater.boot()\n")?;
    for number in 0..files {
        let folder = app.join(format!("d{:03}", number / 50));
        fs::create_dir_all(&folder)?;
        let mut content = Vec::with_capacity(SIZE + 64);
        while content.len() < SIZE {
            let [one, two] = [0, 1].map(|_| &words[chance.usize(0..words.len())]);
            let count = chance.u32(0..100_000);
            match number % 10 {
                9 => content.extend(chance.u64(..).to_le_bytes()),
                0 | 2 | 4 | 6 | 8 => {
                    content.extend(format!("v_{one} = f_{two}({count}, a_{two})\n").into_bytes())
                }
                _ => content.extend(format!("{one},{count},{two}\n").into_bytes()),
            }
        }
        let end = ["py", "csv", "py", "csv", "py", "csv", "py", "csv", "py", "bin"][number % 10];
        fs::write(folder.join(format!("f{number}.{end}")), content)?;
    }
    Ok(())
}

/// Both at the same time, over the same files; until the slower one has ended.
fn rival(programs: &Programs, app: &Path) -> Result<Duration> {
    let list = |then: &str| {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("find . -path ./dist -prune -o -type f -print0 | xargs -0 {then}")]);
        shell.current_dir(app);
        shell
    };
    let pigz = programs.pigz();
    let words = std::iter::once(pigz.get_program()).chain(pigz.get_args());
    let words: Vec<String> = words.map(|word| word.to_string_lossy().into_owned()).collect();
    let hash = list("sha256sum");
    let pack = list(&format!("cat | {} -6", words.join(" ")));
    Ok(run(&mut [hash, pack])?.wall)
}

/// Runs commands at the same time; the memory is that of the first.
fn run(commands: &mut [Command]) -> Result<Run> {
    let begun = Instant::now();
    let start = |command: &mut Command| {
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().context(format!("{command:?}"))
    };
    let mut children: Vec<Child> = commands.iter_mut().map(start).collect::<Result<_>>()?;
    let mut memory = 0;
    let watched = children[0].id();
    let mut statuses = vec![None; children.len()];
    while statuses.contains(&None) {
        memory = peak(watched).unwrap_or(0).max(memory);
        for (child, status) in children.iter_mut().zip(&mut statuses) {
            *status = child.try_wait()?;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    let failed = statuses.iter().zip(&*commands).find(|(status, _)| !status.is_some_and(|s| s.success()));
    ensure!(failed.is_none(), "{failed:?} has failed");
    ensure!(memory > 0, "nothing is known of the memory");
    Ok(Run { wall: begun.elapsed(), memory })
}

/// The most memory that a process has had, in KB.
fn peak(id: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}
