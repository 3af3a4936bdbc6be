//! Code that mpremote has a board run: several small pieces, as a board has to hold each of them in memory.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::files::{self, FileError};

/// Bytes of arguments in one piece of code.
const LONGEST: usize = 600;

/// The command that restarts a board; it answers no more.
pub const RESTART: [&str; 3] =
    ["exec", "--no-follow", "import time, machine; time.sleep_ms(100); machine.reset()"];

/// A folder of this process, removed with this value.
#[derive(Debug)]
pub struct Scratch(PathBuf);

impl Scratch {
    /// Makes one.
    pub fn new() -> Result<Self, FileError> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let time = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let time = time.map_or(0, |time| time.as_nanos());
        let path = std::env::temp_dir().join(format!("mpota-{}-{time}-{number}", std::process::id()));
        // Nobody else's: what is there already is not used.
        let mut builder = std::fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&path).map_err(FileError::at("make the folder", &path))?;
        Ok(Self(path))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // It is in the folder for what may be removed.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Pieces of code, run one after the other in the same interpreter.
#[derive(Debug)]
pub struct Scripts {
    folder: Scratch,
    commands: Vec<Vec<OsString>>,
}

impl Scripts {
    /// None yet.
    pub fn new() -> Result<Self, FileError> {
        Ok(Self { folder: Scratch::new()?, commands: Vec::new() })
    }

    /// One more.
    pub fn add(&mut self, code: &str) -> Result<(), FileError> {
        let path = self.folder.path().join(format!("{}.py", self.commands.len()));
        files::write_new(&path, code.as_bytes(), 0o600)?;
        self.commands.push(vec!["run".into(), path.into()]);
        Ok(())
    }

    /// Calls of a function that takes any number of texts.
    pub fn calls(&mut self, function: &str, names: &[&str]) -> Result<(), FileError> {
        let quoted = names.iter().map(|name| quote(name));
        let mut line = String::new();
        for name in quoted {
            if line.len() + name.len() > LONGEST {
                self.add(&format!("{function}({line})"))?;
                line.clear();
            }
            line.push_str(&name);
            line.push_str(", ");
        }
        if line.is_empty() { Ok(()) } else { self.add(&format!("{function}({line})")) }
    }

    /// Lines of code, several in a piece.
    pub fn lines(&mut self, lines: impl IntoIterator<Item = String>) -> Result<(), FileError> {
        let mut piece = String::new();
        for line in lines {
            if piece.len() + line.len() > LONGEST && !piece.is_empty() {
                self.add(&piece)?;
                piece.clear();
            }
            piece.push_str(&line);
            piece.push('\n');
        }
        if piece.is_empty() { Ok(()) } else { self.add(&piece) }
    }

    /// Another command of mpremote.
    pub fn command<const N: usize>(&mut self, arguments: [&str; N]) {
        self.commands.push(arguments.iter().map(OsString::from).collect());
    }

    /// What mpremote is to do.
    pub fn commands(&self) -> &[Vec<OsString>] {
        &self.commands
    }
}

/// A text as Python writes it. JSON's form is one that Python reads.
pub fn quote(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_short_and_together_they_have_all_names() {
        let names: Vec<String> = (0..100).map(|n| format!("lib/mpota/module\"{n}.py")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut scripts = Scripts::new().unwrap();
        scripts.calls("place", &names).unwrap();
        let pieces: Vec<String> =
            scripts.commands().iter().map(|c| std::fs::read_to_string(&c[1]).unwrap()).collect();
        assert!(pieces.len() > 4 && pieces.iter().all(|p| p.len() < LONGEST + 50 && p.starts_with("place(")));
        let all = pieces.concat();
        assert!(names.iter().all(|name| all.contains(&quote(name))));
    }
}
