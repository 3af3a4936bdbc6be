//! The MicroPythons of the matrix, and how one of them boots a board's folder or runs a test.

use anyhow::{Context, Result, bail, ensure};
use mpota_vboard::clients::{self, FIRMWARE};
use mpota_vboard::{MicroPython, Word, repository};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What a boot ends with; see `vboard/firmware/standins.py`.
const RESETS: [i32; 2] = [10, 11];
const SLEEP: i32 = 14;
/// No story takes more.
const BOOTS: u32 = 20;
/// An interpreter that hangs is ended: all vectors of Ed25519 take half a minute on a busy computer.
const PATIENCE: Duration = Duration::from_secs(600);

/// What a firmware has for TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// Nothing at all.
    None,
    /// `ssl` as in 1.21, which cannot check certificates.
    Unchecked,
    /// `ssl` as in 1.22, which takes a certificate by the keyword `cadata`.
    Keyword,
    /// `tls` as in 1.23 and later.
    Bytes,
    /// The interpreter's own.
    Own,
    /// The same with no other cipher suites than those of CBC.
    Cbc,
}

impl Tls {
    fn option(self) -> Value {
        match self {
            Self::None | Self::Own => Value::Null,
            Self::Unchecked => "1.21".into(),
            Self::Keyword => "1.22".into(),
            Self::Bytes => "1.23".into(),
            Self::Cbc => "cbc".into(),
        }
    }

    /// In words for people.
    pub fn words(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Unchecked => "`ssl` without checks, a double",
            Self::Keyword => "`ssl`, `cadata=`, a double",
            Self::Bytes => "`tls`, a double",
            Self::Own => "`tls`",
            Self::Cbc => "`tls`, CBC only",
        }
    }
}

/// Where an interpreter comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The WebAssembly build in this package.
    Web(&'static str),
    /// Debian's Unix port, of this suite.
    Unix(&'static str, Word),
}

/// One interpreter of the matrix.
#[derive(Debug, Clone)]
pub struct Firmware {
    /// `1.21`, the version that it stands for.
    pub minor: String,
    /// Where it comes from.
    pub source: Source,
    /// What it has for TLS.
    pub tls: Tls,
}

/// What an interpreter says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// `v1.25.0`, as it builds were named.
    pub build: String,
    /// 32 or 64.
    pub word: u32,
    /// Whether it reads `.mpy` files as our `mpy-cross` makes them.
    pub mpy: bool,
}

/// The matrix.
pub fn all() -> Vec<Firmware> {
    let web = FIRMWARE.iter().map(|version| {
        let minor: Vec<&str> = version.split('.').take(2).collect();
        let minor = minor.join(".");
        let tls = match minor.as_str() {
            "1.21" => Tls::Unchecked,
            "1.22" => Tls::Keyword,
            _ => Tls::Bytes,
        };
        Firmware { minor, source: Source::Web(version), tls }
    });
    let unix = [("1.25", "trixie"), ("1.26", "forky")].into_iter().flat_map(|(minor, suite)| {
        [Word::Bits64, Word::Bits32].map(|word| Firmware {
            minor: minor.into(),
            source: Source::Unix(suite, word),
            tls: Tls::Own,
        })
    });
    web.chain(unix).collect()
}

/// The last boot of a run.
#[derive(Debug, Clone)]
pub struct Run {
    /// Everything that was printed.
    pub output: String,
    /// How often it booted.
    pub boots: u32,
    /// Whether it ended in a deep sleep, and not at the REPL or in resets for ever.
    pub slept: bool,
}

impl Firmware {
    /// In a few words, for a line of output.
    pub fn name(&self) -> String {
        match self.source {
            Source::Web(_) => format!("{} WebAssembly", self.minor),
            Source::Unix(suite, word) => {
                let bits = if word == Word::Bits64 { 64 } else { 32 };
                format!("{} Unix port, {suite} {bits}", self.minor)
            }
        }
    }

    /// Get it, if it is not there.
    pub fn install(&self) -> Result<()> {
        match self.source {
            Source::Web(_) => {
                let node = Command::new("node").arg("--version").output();
                ensure!(
                    node.is_ok_and(|out| out.status.success()),
                    "node is missing: install Node.js 20 or later with npm (Debian: apt-get install nodejs npm)"
                );
                let package = package(self.source)?;
                ensure!(package.join("micropython.wasm").exists(), "{} is not whole", package.display());
            }
            Source::Unix(suite, word) => {
                MicroPython::of_suite(word, suite)?;
            }
        }
        Ok(())
    }

    fn command(&self, mut options: Map<String, Value>) -> Result<Command> {
        let home = repository().join("vboard/firmware");
        let mut command = match self.source {
            Source::Web(_) => {
                let mut command = Command::new("node");
                command.arg(home.join("run.mjs"));
                options.insert("package".into(), package(self.source)?.display().to_string().into());
                options.insert("repository".into(), repository().display().to_string().into());
                command
            }
            Source::Unix(suite, word) => {
                let mut command = MicroPython::of_suite(word, suite)?.command("8M");
                let folder = Value::from(home.display().to_string());
                let code = format!("import sys; sys.path.insert(0, {folder}); import board; board.main()");
                command.arg("-c").arg(code);
                command
            }
        };
        command.current_dir(repository()).env("FIRMWARE", Value::Object(options).to_string());
        Ok(command)
    }

    fn start(&self, options: Value) -> Result<(i32, String)> {
        let Value::Object(options) = options else { bail!("options are an object") };
        ended(self.command(options)?)
    }

    /// What it says of itself.
    pub fn facts(&self) -> Result<Facts> {
        let (code, output) = self.start(json!({ "do": "version" }))?;
        let line = output.lines().find_map(|l| l.strip_prefix("firmware ")).filter(|_| code == 0);
        let line = line.with_context(|| format!("{} does not start ({code}):\n{output}", self.name()))?;
        let words: Vec<&str> = line.split_whitespace().collect();
        let [word, mpy, _, build, ..] = words[..] else { bail!("strange: {line}") };
        // 6.3: the version in the low byte, the sub-version above it.
        let mpy = mpy.parse::<u32>().is_ok_and(|n| n & 0x3ff == 0x306);
        Ok(Facts { build: build.into(), word: word.parse()?, mpy })
    }

    /// Run a file of tests; its path is relative to the repository.
    pub fn test(&self, file: &str) -> Result<(bool, String)> {
        let (code, output) = self.start(json!({ "do": "test", "file": file }))?;
        Ok((code == 0, output))
    }

    /// Power on a board whose files are this folder, until it sleeps.
    pub fn boot(&self, folder: &Path, tls: Tls, hide: &[&str]) -> Result<Run> {
        let mut run = Run { output: String::new(), boots: 0, slept: false };
        loop {
            let options = json!({
                "do": "boot", "folder": folder.display().to_string(), "tls": tls.option(), "hide": hide
            });
            let (code, output) = self.start(options)?;
            run.output.push_str(&output);
            run.boots += 1;
            run.slept = code == SLEEP;
            if !RESETS.contains(&code) || run.boots == BOOTS {
                run.output.push_str(&format!("(boot {} ended with {code})\n", run.boots));
                return Ok(run);
            }
        }
    }
}

/// The folder of an npm package.
fn package(source: Source) -> Result<PathBuf> {
    let Source::Web(version) = source else { bail!("no package") };
    Ok(clients::firmware()?.join("node_modules").join(format!("firmware-{version}")))
}

/// Let it run to its end, within bounds: how it ended, and what it printed.
fn ended(mut command: Command) -> Result<(i32, String)> {
    let output = tempfile::NamedTempFile::new()?;
    let mut child = command
        .stdin(Stdio::null())
        .stdout(output.reopen()?)
        .stderr(output.reopen()?)
        .spawn()
        .with_context(|| format!("cannot start {:?}", command.get_program()))?;
    let began = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if began.elapsed() > PATIENCE {
            child.kill()?;
            child.wait()?;
            bail!("hangs:\n{}", std::fs::read_to_string(output.path())?);
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    let text = String::from_utf8_lossy(&std::fs::read(output.path())?).into_owned();
    Ok((status.code().unwrap_or(-1), text))
}
