//! The program `mpremote`, which talks to boards.

use std::ffi::OsString;
use std::io::Read;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use miette::Diagnostic;
use thiserror::Error;

use crate::files;

/// Its name, as a package too.
const NAME: &str = "mpremote";

/// Why a board could not be talked to.
#[derive(Debug, Error, Diagnostic)]
#[non_exhaustive]
pub enum MpremoteError {
    /// It is not installed.
    #[error("mpremote is not installed")]
    #[diagnostic(code(mpremote::missing))]
    #[diagnostic(help("pipx install mpremote"))]
    Missing,
    /// It does not start.
    #[error("cannot run {}", .0.display())]
    #[diagnostic(code(mpremote::start), help("install it again: pipx reinstall mpremote"))]
    Start(PathBuf, #[source] std::io::Error),
    /// There is no board, or another program has it.
    #[error("no board at {port}: {said}")]
    #[diagnostic(code(board::not_found))]
    #[diagnostic(help(
        "`mpremote devs` lists the ports; close other programs that use the port, like Thonny or a serial monitor"
    ))]
    NoBoard {
        /// As it was named.
        port: String,
        /// What mpremote said.
        said: String,
    },
    /// The board does not come to its prompt.
    #[error("the board at {port} does not answer: {said}")]
    #[diagnostic(code(board::silent))]
    #[diagnostic(help(
        "press its reset button and try again; an app that sleeps, or that switches the prompt off, has to be stopped first"
    ))]
    Silent {
        /// As it was named.
        port: String,
        /// What mpremote said.
        said: String,
    },
    /// There was an error on the board, or the line was cut.
    #[error("the board at {port}: {said}")]
    #[diagnostic(code(board::failed))]
    #[diagnostic(help("run it again: it goes on where it stopped"))]
    Failed {
        /// As it was named.
        port: String,
        /// What mpremote said last.
        said: String,
        /// Whether it was the memory.
        memory: bool,
    },
}

/// mpremote, for one board.
#[derive(Debug, Clone)]
pub struct Mpremote {
    program: PathBuf,
    port: Option<String>,
}

impl Mpremote {
    /// From the `PATH`, or from the folder that has this program: that of the same venv. Without a
    /// port: the first board that is found.
    pub fn find(port: Option<&str>) -> Result<Self, MpremoteError> {
        let program = files::program(NAME).ok_or(MpremoteError::Missing)?;
        Ok(Self { program, port: port.map(str::to_owned) })
    }

    /// The port, for people.
    pub fn port(&self) -> &str {
        self.port.as_deref().unwrap_or("any port")
    }

    /// Runs a chain of commands with the board, each a list of arguments, and gives what they print. The app
    /// is interrupted, and the board is not restarted first: where an update is staged that would install it.
    pub fn run(&self, commands: &[Vec<OsString>], limit: Duration) -> Result<String, MpremoteError> {
        let mut command = Command::new(&self.program);
        match self.port.as_deref() {
            None => command.args(["connect", "auto"]),
            Some(port) if is_short(port) => command.arg(port),
            Some(port) => command.args(["connect", port]),
        };
        command.args(["+", "resume"]);
        for more in commands {
            command.arg("+").args(more);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let start = |error| MpremoteError::Start(self.program.clone(), error);
        let mut child = command.spawn().map_err(start)?;
        let (out, err) = (reader(child.stdout.take()), reader(child.stderr.take()));
        let until = Instant::now() + limit;
        let status = loop {
            if let Some(status) = child.try_wait().map_err(start)? {
                break Some(status);
            }
            if Instant::now() > until {
                // It may have ended by itself in this moment.
                let _ = child.kill();
                let _ = child.wait();
                break None;
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        let text = |handle: JoinHandle<String>| handle.join().unwrap_or_default();
        let (out, err) = (text(out), text(err));
        self.judge(status, limit, &out, &err).map(|()| out)
    }

    fn judge(
        &self,
        status: Option<ExitStatus>,
        limit: Duration,
        out: &str,
        err: &str,
    ) -> Result<(), MpremoteError> {
        let port = self.port().to_owned();
        let Some(status) = status else {
            return Err(MpremoteError::Silent { port, said: format!("not done in {} s", limit.as_secs()) });
        };
        if status.success() {
            return Ok(());
        }
        let all = format!("{out}\n{err}");
        let said = last_line(err).or_else(|| last_line(out)).unwrap_or("it gave no reason");
        let said = said.strip_prefix("mpremote: ").unwrap_or(said).to_owned();
        if ["failed to access", "no device"].iter().any(|words| err.contains(words)) {
            return Err(MpremoteError::NoBoard { port, said });
        }
        if all.contains("could not enter raw repl") {
            return Err(MpremoteError::Silent { port, said: "it does not come to its prompt".to_owned() });
        }
        Err(MpremoteError::Failed { port, said, memory: all.contains("MemoryError") })
    }
}

/// `a0`, `u1`, `c2`: what mpremote knows ports by.
fn is_short(port: &str) -> bool {
    matches!(port.as_bytes(), [b'a' | b'u' | b'c', b'0'..=b'3'])
}

fn last_line(text: &str) -> Option<&str> {
    text.lines().map(str::trim).rfind(|line| !line.is_empty())
}

fn reader(pipe: Option<impl Read + Send + 'static>) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // What came before an error is what there is to tell.
            let _ = pipe.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}
