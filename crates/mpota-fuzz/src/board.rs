//! A MicroPython that runs on and answers one line for each input.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use mpota_vboard::{Error, MicroPython, Word, repository};

/// The longest that an answer may take, on a busy machine too.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running interpreter. It is started again where it ended.
pub struct Board {
    script: &'static str,
    arguments: Vec<String>,
    word: Word,
    heap: &'static str,
    folder: tempfile::TempDir,
    running: Option<Running>,
}

struct Running {
    child: Child,
    stdin: ChildStdin,
    lines: Receiver<String>,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Board {
    /// A board that runs a script of `vboard/`, with the folder of the updater, a path for a file, and these arguments.
    ///
    /// # Errors
    /// When there is no MicroPython.
    pub fn new(
        script: &'static str,
        word: Word,
        heap: &'static str,
        arguments: &[&str],
    ) -> Result<Self, Error> {
        let folder =
            tempfile::tempdir().map_err(|source| Error::Io { path: std::env::temp_dir(), source })?;
        let arguments = arguments.iter().map(ToString::to_string).collect();
        let mut board = Self { script, arguments, word, heap, folder, running: None };
        board.start()?;
        Ok(board)
    }

    fn start(&mut self) -> Result<(), Error> {
        let root = repository();
        let script = root.join("vboard").join(self.script);
        let mut command = MicroPython::find(self.word)?.command(self.heap);
        command.arg(&script).arg(root.join("device")).arg(self.folder.path().join("input"));
        command.args(&self.arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let io = |source| Error::Io { path: script.clone(), source };
        let mut child = command.spawn().map_err(io)?;
        let nothing = || Error::Strange("no pipes to the board".into());
        let stdin = child.stdin.take().ok_or_else(nothing)?;
        let stdout = child.stdout.take().ok_or_else(nothing)?;
        let (send, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).split(b'\n').map_while(Result::ok) {
                if send.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                    break;
                }
            }
        });
        self.running = Some(Running { child, stdin, lines });
        Ok(())
    }

    /// What the board says of this input; that it hangs or ends is an answer too.
    ///
    /// # Errors
    /// When it cannot be started again.
    pub fn ask(&mut self, kind: &str, input: &[u8]) -> Result<String, Error> {
        if self.running.is_none() {
            self.start()?;
        }
        let Some(running) = &mut self.running else { return Err(Error::Strange("no board".into())) };
        let head = format!("{kind} {}\n", input.len());
        let _ = running.stdin.write_all(&[head.as_bytes(), input].concat());
        let _ = running.stdin.flush();
        loop {
            let end = match running.lines.recv_timeout(PATIENCE) {
                Ok(line) => match line.strip_prefix("= ") {
                    Some(said) => return Ok(said.to_owned()),
                    None => continue, // the log of the updater
                },
                Err(RecvTimeoutError::Timeout) => format!("hangs for {} s", PATIENCE.as_secs()),
                Err(RecvTimeoutError::Disconnected) => "ends the interpreter".to_owned(),
            };
            self.running = None;
            return Ok(end);
        }
    }
}
