//! One virtual board: its flash, its boots, its files.

use crate::{Error, MicroPython, repository};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The file systems that a board has; see `vboard/flash.py`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileSystem {
    /// LittleFS 2 on blocks of 4 KB, as on rp2 and esp32.
    Lfs,
    /// LittleFS 2 on blocks of 512 bytes.
    LfsSmall,
    /// FAT on sectors of 512 bytes that are written whole or not at all.
    Fat,
    /// FAT straight on flash that is erased in blocks of 4 KB.
    FatRaw,
}

impl FileSystem {
    /// All of them.
    pub const ALL: [FileSystem; 4] = [Self::Lfs, Self::LfsSmall, Self::Fat, Self::FatRaw];

    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Lfs => "lfs",
            Self::LfsSmall => "lfs-small",
            Self::Fat => "fat",
            Self::FatRaw => "fat-raw",
        }
    }
}

/// How the last boot of a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// It was still resetting when the allowed number of boots was used up.
    Reset,
    /// The same, by a soft reset.
    SoftReset,
    /// It sits at the REPL.
    Repl,
    /// The power went.
    PowerLost,
    /// It sleeps.
    Sleep,
    /// The flash does not mount.
    Dead,
    /// The watchdog bit, and no boots were left.
    Watchdog,
    /// It ran on until it was unplugged.
    Unplugged,
    /// The interpreter itself ended in an error.
    Crashed,
}

/// What a board did from power-on to the end of its boots.
#[derive(Debug, Clone)]
pub struct Run {
    /// Everything it printed.
    pub output: String,
    /// How it ended.
    pub end: End,
    /// How often it booted.
    pub boots: u32,
    /// Erase and program operations on its flash.
    pub writes: u32,
    /// Read operations on its flash.
    pub reads: u32,
    /// How long it took, in microseconds of the host's clock.
    pub microseconds: u32,
    /// Blocks of the flash that were erased.
    pub erases: u32,
    /// Bytes that were programmed.
    pub programmed: u64,
    /// Bytes that the file system read.
    pub read: u64,
}

/// Every file of a board (size and SHA-256) and every folder (`None`), by path.
pub type Tree = BTreeMap<String, Option<(u64, String)>>;

/// A board whose flash is a file on the host.
#[derive(Debug)]
pub struct Board {
    micropython: MicroPython,
    dir: tempfile::TempDir,
    file_system: FileSystem,
    size: u64,
    heap: String,
    options: Map<String, Value>,
}

impl Board {
    /// A board with a flash of 1 MB that holds the files below `folder`.
    ///
    /// # Errors
    /// When the interpreter or the file system fails.
    pub fn new(micropython: &MicroPython, file_system: FileSystem, folder: &Path) -> Result<Self, Error> {
        Self::with_size(micropython, file_system, 1 << 20, folder)
    }

    /// The same with a flash of `size` bytes.
    ///
    /// # Errors
    /// As [`Board::new`].
    pub fn with_size(
        micropython: &MicroPython,
        file_system: FileSystem,
        size: u64,
        folder: &Path,
    ) -> Result<Self, Error> {
        let dir = tempfile::tempdir().map_err(|source| Error::Io { path: std::env::temp_dir(), source })?;
        let board = Self {
            micropython: micropython.clone(),
            dir,
            file_system,
            size,
            heap: "2M".into(),
            options: Map::new(),
        };
        board.start("format", &json!({ "from": absolute(folder)? }))?;
        Ok(board)
    }

    /// Give the board this much heap, as `-X heapsize` takes it.
    pub fn set_heap(&mut self, heap: &str) {
        self.heap = heap.into();
    }

    /// Set an option for all further runs (see `vboard/vboard.py`): `wifi`, `limit_ms`, `boots`, ...
    pub fn set(&mut self, key: &str, value: Value) {
        self.options.insert(key.into(), value);
    }

    /// Where the image of the flash lies on the host.
    #[must_use]
    pub fn image(&self) -> PathBuf {
        self.dir.path().join("flash.img")
    }

    fn start(&self, what: &str, more: &Value) -> Result<String, Error> {
        let options = self.with_options(what, more);
        harness(&self.micropython, &self.heap, "vboard", &options)
    }

    /// What starts the board with a serial line, see [`crate::wire`].
    pub(crate) fn wired(&self) -> Command {
        let options = self.with_options("wire", &json!({"quiet": true, "limit_ms": 600_000, "boots": 1000}));
        harness_command(&self.micropython, &self.heap, "vboard", &options)
    }

    fn with_options(&self, what: &str, more: &Value) -> Value {
        let mut options = self.options.clone();
        options.insert("do".into(), what.into());
        options.insert("image".into(), self.image().display().to_string().into());
        options.insert("fs".into(), self.file_system.name().into());
        options.insert("size".into(), self.size.into());
        if let Value::Object(more) = more {
            options.extend(more.clone());
        }
        Value::Object(options)
    }

    /// Power on, and let it boot until it sleeps for the first time, sits at the REPL, or is stopped
    /// by an option.
    ///
    /// # Errors
    /// When the harness itself fails; whatever the board does is part of the result.
    pub fn run(&self) -> Result<Run, Error> {
        self.run_with(&json!({}))
    }

    /// The same with more options for this run only.
    ///
    /// # Errors
    /// As [`Board::run`].
    pub fn run_with(&self, options: &Value) -> Result<Run, Error> {
        let output = self.start("run", options)?;
        let strange = || Error::Strange(output.clone());
        let last = output.lines().rev().find_map(|l| l.strip_prefix("board: end ")).ok_or_else(strange)?;
        let mut words = last.split_whitespace();
        let end = match words.next() {
            Some("10") => End::Reset,
            Some("11") => End::SoftReset,
            Some("12") => End::Repl,
            Some("13") => End::PowerLost,
            Some("14") => End::Sleep,
            Some("15") => End::Dead,
            Some("16") => End::Watchdog,
            Some("17") => End::Unplugged,
            Some(_) => End::Crashed,
            None => return Err(strange()),
        };
        let mut number = |name: &str| {
            words
                .next()
                .and_then(|w| w.strip_prefix(name))
                .and_then(|w| w.strip_prefix('='))
                .and_then(|w| w.parse::<u64>().ok())
                .ok_or_else(strange)
        };
        let small = |n: u64| u32::try_from(n).map_err(|_| strange());
        let (boots, writes) = (small(number("boots")?)?, small(number("writes")?)?);
        let (reads, microseconds) = (small(number("reads")?)?, small(number("us")?)?);
        let erases = small(number("erases")?)?;
        let (programmed, read) = (number("programmed")?, number("read")?);
        Ok(Run { output, end, boots, writes, reads, microseconds, erases, programmed, read })
    }

    /// What lies on the flash.
    ///
    /// # Errors
    /// When the file system does not mount or a file cannot be read.
    pub fn tree(&self) -> Result<Tree, Error> {
        let output = self.start("tree", &json!({}))?;
        let mut tree = Tree::new();
        for line in output.lines() {
            let strange = || Error::Strange(line.to_owned());
            if let Some(path) = line.strip_prefix("dir ") {
                tree.insert(path.to_owned(), None);
                continue;
            }
            let mut words = line.splitn(3, ' ');
            let size = words.next().and_then(|w| w.parse().ok()).ok_or_else(strange)?;
            let hash = words.next().ok_or_else(strange)?.to_owned();
            tree.insert(words.next().ok_or_else(strange)?.to_owned(), Some((size, hash)));
        }
        Ok(tree)
    }

    /// The content of a file on the board.
    ///
    /// # Errors
    /// When it is not there.
    pub fn read(&self, path: &str) -> Result<Vec<u8>, Error> {
        let host = self.dir.path().join("out");
        self.start("get", &json!({ "path": path, "host": host.display().to_string() }))?;
        std::fs::read(&host).map_err(|source| Error::Io { path: host, source })
    }

    /// Write a file on the board.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn write(&self, path: &str, content: &[u8]) -> Result<(), Error> {
        let host = self.dir.path().join("in");
        std::fs::write(&host, content).map_err(|source| Error::Io { path: host.clone(), source })?;
        self.start("put", &json!({ "path": path, "host": host.display().to_string() })).map(|_| ())
    }

    /// Remove a file on the board.
    ///
    /// # Errors
    /// When it is not there.
    pub fn remove(&self, path: &str) -> Result<(), Error> {
        self.start("remove", &json!({ "path": path })).map(|_| ())
    }
}

/// Run the `main` of a module of `vboard/` with these options, and return what it prints.
///
/// # Errors
/// When it ends with an error.
pub fn harness(
    micropython: &MicroPython,
    heap: &str,
    module: &str,
    options: &Value,
) -> Result<String, Error> {
    crate::tools::run(&mut harness_command(micropython, heap, module, options))
}

fn harness_command(micropython: &MicroPython, heap: &str, module: &str, options: &Value) -> Command {
    let folder = Value::from(repository().join("vboard").display().to_string());
    let code = format!("import sys; sys.path.insert(0, {folder}); import {module}; {module}.main()");
    let mut command = micropython.command(heap);
    command.arg("-c").arg(code).env("VBOARD", options.to_string());
    command
}

fn absolute(path: &Path) -> Result<String, Error> {
    let path = path.canonicalize().map_err(|source| Error::Io { path: path.to_owned(), source })?;
    Ok(path.display().to_string())
}
