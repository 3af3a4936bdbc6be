//! One try: a copy of the board, and an interpreter with so much heap that has nothing but the updater.

use super::place::{Place, copy, script};
use anyhow::{Context, Result, ensure};
use mpota_vboard::MicroPython;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What `machine.reset()` of `vboard/size/standin.py` ends with.
pub const RESET: i32 = 3;
/// More starts than an update takes.
pub const STARTS: usize = 8;
/// Enough for anything.
pub const PLENTY: &str = "2M";

/// What is tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// Ask, fetch and stage.
    Update,
    /// Ask, and learn that there is nothing new.
    Nothing,
    /// One start with nothing to do.
    Boot,
    /// The same, and how much of the heap is kept after it.
    Kept,
    /// The starts that install what is staged, try it and keep it.
    Install,
    /// MicroPython's own installer, with the address of its package.
    Mip(String),
}

/// How a try ended.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Whether it did what it should.
    pub worked: bool,
    /// All that was printed.
    pub output: String,
}

impl Outcome {
    /// The last line: the error, where there was one.
    pub fn last(&self) -> &str {
        self.output.lines().last().unwrap_or("no output")
    }

    /// What stands behind a word at the start of a line.
    pub fn number(&self, word: &str) -> Result<u64> {
        let of = |line: &str| line.strip_prefix(word)?.trim().parse().ok();
        self.output.lines().find_map(of).with_context(|| format!("no number {word:?} in:\n{}", self.output))
    }
}

/// Something to try at many sizes.
#[derive(Clone)]
pub struct Trial<'a> {
    /// The interpreter.
    pub micropython: &'a MicroPython,
    /// The board, and its server.
    pub place: &'a Place,
    /// What is tried.
    pub task: Task,
    /// A program to run in front, in the same interpreter.
    pub before: String,
    /// A program to run behind.
    pub after: String,
    /// How long one try may take; longer is a failure.
    pub patience: Duration,
}

impl<'a> Trial<'a> {
    /// A trial with patience for anything.
    pub fn patient(micropython: &'a MicroPython, place: &'a Place, task: Task) -> Self {
        let patience = Duration::from_secs(300);
        Self { micropython, place, task, before: String::new(), after: String::new(), patience }
    }

    /// A trial whose patience is ten times what it takes with plenty of memory. An error when it does
    /// not work even then.
    pub fn new(micropython: &'a MicroPython, place: &'a Place, task: Task) -> Result<Self> {
        let mut trial = Self::patient(micropython, place, task);
        let start = Instant::now();
        let outcome = trial.with(PLENTY)?;
        ensure!(outcome.worked, "{:?} fails with {PLENTY} of heap:\n{}", trial.task, outcome.output);
        trial.patience = start.elapsed() * 10 + Duration::from_secs(2);
        Ok(trial)
    }

    /// Try it once with so much heap.
    pub fn with(&self, heap: &str) -> Result<Outcome> {
        // Each module's path is a name that the interpreter keeps, and on a board its root is one character long:
        // as few as can be had, and as many on every computer.
        let dir = tempfile::Builder::new().prefix("").rand_bytes(3).tempdir_in("/tmp")?;
        self.inside(dir.path(), heap)
    }

    /// The same in a given empty folder, where the board is then left.
    pub fn inside(&self, dir: &Path, heap: &str) -> Result<Outcome> {
        copy(&self.place.board, dir)?;
        let program = match &self.task {
            Task::Update | Task::Nothing => script("update.py")?,
            Task::Boot | Task::Install => script("start.py")?,
            Task::Kept => script("kept.py")?,
            Task::Mip(url) => format!("PACKAGE = {url:?}\n{}", script("install.py")?),
        };
        let code = format!("{}{program}{}", self.before, self.after);
        let (mut ended, mut output) = self.start(dir, heap, &code)?;
        for _ in 0..if self.task == Task::Install { STARTS } else { 0 } {
            if ended != Some(RESET) {
                break;
            }
            let (next, more) = self.start(dir, heap, &code)?;
            ended = next;
            output.push_str(&more);
        }
        let says = |line: &str| ended == Some(0) && output.lines().any(|l| l == line);
        let worked = match self.task {
            Task::Update => says("staged v1.1.0"),
            Task::Nothing => says("staged None"),
            Task::Boot => says("started 1"),
            Task::Kept => ended == Some(0),
            Task::Install => self.installed(dir)?,
            Task::Mip(_) => ended == Some(0) && files(&dir.join("installed"))? == 10,
        };
        Ok(Outcome { worked, output })
    }

    /// Whether the new version lies there and is confirmed.
    fn installed(&self, dir: &Path) -> Result<bool> {
        let new =
            |path: &str| std::fs::read_to_string(dir.join(path)).is_ok_and(|text| text.contains("# v1.1.0"));
        let code = "import ota_updater\ns = ota_updater.status()\nprint('is', s['state'], s['version'])";
        let (_, said) = self.start(dir, PLENTY, code)?;
        Ok(said.lines().any(|l| l == "is idle v1.1.0") && new("main.py") && new("boot.py"))
    }

    fn start(&self, dir: &Path, heap: &str, code: &str) -> Result<(Option<i32>, String)> {
        interpret(self.micropython.command(heap), dir, code, self.patience)
    }
}

/// Run one interpreter to its end, in the folder that is the board's flash: its exit code, None where it was too slow
/// or was killed, and what it printed.
pub fn interpret(
    mut command: Command,
    dir: &Path,
    code: &str,
    patience: Duration,
) -> Result<(Option<i32>, String)> {
    let path = dir.join("printed");
    let printed = std::fs::File::create(&path)?;
    let mut child = command
        .args(["-c", code])
        .current_dir(dir)
        .env("MICROPYPATH", ":.frozen:lib")
        // The C library's heap then grows page by page, and never shrinks: see libc.py.
        .env(
            "GLIBC_TUNABLES",
            "glibc.malloc.top_pad=0:glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=1000000000",
        )
        .stdin(Stdio::null())
        .stdout(printed.try_clone()?)
        .stderr(printed)
        .spawn()
        .context("cannot start MicroPython")?;
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status.code();
        }
        if start.elapsed() > patience {
            child.kill()?;
            child.wait()?;
            break None;
        }
        std::thread::sleep(Duration::from_millis(3));
    };
    let mut output = String::from_utf8_lossy(&std::fs::read(&path)?).into_owned();
    std::fs::remove_file(&path)?;
    if status.is_none() {
        output.push_str(&format!("\nstopped after {:.0} s\n", start.elapsed().as_secs_f32()));
    }
    Ok((status, output))
}

/// How many files lie below a folder.
fn files(folder: &Path) -> Result<usize> {
    let mut n = 0;
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let entry = entry?;
        n += if entry.file_type()?.is_dir() { files(&entry.path())? } else { 1 };
    }
    Ok(n)
}
