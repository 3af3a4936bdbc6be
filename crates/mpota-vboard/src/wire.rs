//! A board at a serial line: a pseudo terminal that answers as a board's raw REPL does. MicroPython's Unix
//! port has one of its own from 1.27 on only, and what resets and restarts is the virtual board.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::{Board, Error};

/// A board that is on, as long as this value lives.
#[derive(Debug)]
pub struct Wire {
    relay: Child,
    port: String,
    log: PathBuf,
    folder: tempfile::TempDir,
}

impl Wire {
    /// Turn the board on. It boots, and its app runs, unless it ends.
    ///
    /// # Errors
    /// When there is no Python 3, or no pseudo terminal.
    pub fn start(board: &Board) -> Result<Self, Error> {
        Self::with(board, &[])
    }

    /// The same, and raw paste mode is refused, as by boards with little memory.
    ///
    /// # Errors
    /// As [`Wire::start`].
    pub fn plain(board: &Board) -> Result<Self, Error> {
        Self::with(board, &[("WIRE_PLAIN", "1")])
    }

    /// The same, and the power goes when the computer has sent this text; empty: never.
    ///
    /// # Errors
    /// As [`Wire::start`].
    pub fn cut(board: &Board, at: &str) -> Result<Self, Error> {
        Self::with(board, &[("WIRE_CUT", at)])
    }

    fn with(board: &Board, how: &[(&str, &str)]) -> Result<Self, Error> {
        let io = |source| Error::Io { path: "python3".into(), source };
        let folder = tempfile::tempdir().map_err(io)?;
        let (script, log) = (folder.path().join("wire.py"), folder.path().join("log"));
        std::fs::write(&script, include_bytes!("wire.py")).map_err(io)?;
        let wired = board.wired();
        let mut command = Command::new("python3");
        command.arg(&script).arg(&log).arg(wired.get_program()).args(wired.get_args());
        for (name, value) in wired.get_envs() {
            command.env(name, value.unwrap_or_default());
        }
        command.envs(how.iter().copied()).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut relay = command.spawn().map_err(io)?;
        let mut port = String::new();
        if let Some(out) = relay.stdout.take() {
            BufReader::new(out).read_line(&mut port).map_err(io)?;
        }
        let wire = Self { relay, port: port.trim().to_owned(), log, folder };
        if wire.port.is_empty() {
            return Err(Error::Strange("no pseudo terminal".into()));
        }
        Ok(wire)
    }

    /// The name of the port, for `mpremote connect`.
    #[must_use]
    pub fn port(&self) -> &str {
        &self.port
    }

    /// What went over the line so far, and what the board printed.
    #[must_use]
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// The folder of its files on this computer, for what a test wants to lie there.
    #[must_use]
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        // It ends with the board where its line is closed: the relay ends both.
        let _ = Command::new("kill").arg(self.relay.id().to_string()).status();
        let _ = self.relay.wait();
    }
}
