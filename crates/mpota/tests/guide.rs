//! docs/guides/first-update.md: what stands there is done here, line by line, and ends as the page says.
//!
//! What is particular to a test is replaced, and nothing else:
//!
//! - `pipx install mpota`: the wheel of this tree, in a fresh virtual environment. mpremote is there.
//! - `a0`: the name of the virtual board's port.
//! - `192.168.1.5:8080`, and `--listen 0.0.0.0:8080 --host 192.168.1.5`: a free port on loopback.
//! - A reader's waiting for the board to restart: waiting for what the new version prints and for its confirmation.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "what cannot go on here is a failed test")]

mod common;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::{Run, Said};
use mpota_vboard::wire::Wire;
use mpota_vboard::{Board, FileSystem, MicroPython, Word, clients, wheel};

/// A block of the page: what it is, and its lines.
type Block = (String, Vec<String>);

fn blocks(page: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut open = false;
    for line in page.lines() {
        match line.strip_prefix("```") {
            Some(kind) if !open => blocks.push((kind.to_owned(), Vec::new())),
            Some(_) => {}
            None if open => blocks.last_mut().unwrap().1.push(line.to_owned()),
            None => continue,
        }
        open ^= line.starts_with("```");
    }
    assert!(!open, "a block of the page does not end");
    blocks
}

struct Served(Child);

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct Reader {
    home: PathBuf,
    bin: PathBuf,
    folder: PathBuf,
    /// The board's port, and the server's.
    port: (String, String),
    served: Option<Served>,
    said: Option<Said>,
    began: Instant,
    ran: u32,
}

impl Reader {
    fn replaced(&self, text: &str) -> String {
        let (board, server) = &self.port;
        let text =
            text.replace("--listen 0.0.0.0:8080 --host 192.168.1.5", &format!("--listen 127.0.0.1:{server}"));
        let text = text.replace("192.168.1.5:8080", &format!("127.0.0.1:{server}"));
        let text = text.replace("mpremote a0 ", &format!("mpremote connect {board} "));
        text.strip_suffix(" a0").map(|start| format!("{start} {board}")).unwrap_or(text)
    }

    fn shell(&self, line: &str) -> Command {
        let mut shell = Command::new("sh");
        // No cargo, and nothing of this tree: what the page says is installed, and the system.
        let path = format!("{}:/usr/local/bin:/usr/bin:/bin", self.bin.display());
        shell.args(["-c", line]).current_dir(&self.folder).env("PATH", path).env("HOME", &self.home);
        shell.stdin(Stdio::null());
        shell
    }

    fn line(&mut self, line: &str) {
        self.ran += 1;
        let line = self.replaced(line);
        let at = self.began.elapsed().as_secs_f32();
        println!("  {at:4.1} s: {line}");
        if let Some(folder) = line.strip_prefix("cd ") {
            self.folder.push(folder);
        } else if line.starts_with("mpota serve") {
            let mut shell = self.shell(&format!("exec {line}"));
            self.served = Some(Served(shell.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()));
            let until = Instant::now() + Duration::from_secs(20);
            while std::net::TcpStream::connect(format!("127.0.0.1:{}", self.port.1)).is_err() {
                assert!(Instant::now() < until, "the server is not there");
                std::thread::sleep(Duration::from_millis(20));
            }
        } else if let Some(name) = line.strip_prefix("mkdir ") {
            std::fs::create_dir(self.folder.join(name)).unwrap();
        } else if line == "pipx install mpota" {
            let folder = self.home.parent().unwrap();
            let wheel = wheel::build("dev", &folder.join("wheels")).unwrap();
            let program = wheel::install(&wheel, &folder.join("venv")).unwrap().join("mpota");
            std::os::unix::fs::symlink(program, self.bin.join("mpota")).unwrap();
        } else if !line.starts_with("pipx install ") {
            // mpremote waits for ever for a board that does not answer as it expects.
            let mut shell = self.shell(&format!("timeout 300 {line}"));
            self.said = Some(shell.said().ok());
        }
    }

    fn block(&mut self, (kind, lines): &Block) {
        match (kind.as_str(), lines.first().map(String::as_str)) {
            ("console", _) => lines.iter().for_each(|line| self.line(line)),
            ("python", Some(first)) => {
                let text = self.replaced(&lines.join("\n"));
                std::fs::write(self.folder.join(first.strip_prefix("# ").unwrap()), text).unwrap();
            }
            ("diff", Some(first)) => {
                let path = self.folder.join(first.strip_prefix("--- ").unwrap());
                let text = std::fs::read_to_string(&path).unwrap();
                let (from, to) = (lines[1].strip_prefix('-').unwrap(), lines[2].strip_prefix('+').unwrap());
                assert_eq!(text.matches(from).count(), 1, "{from} in {text}");
                std::fs::write(path, text.replace(from, to)).unwrap();
            }
            ("text", _) => {
                let said = &self.said.as_ref().unwrap().out;
                for line in lines {
                    assert!(said.lines().any(|l| l.trim_end() == line), "no line {line:?} in {said}");
                    self.ran += 1;
                }
            }
            other => panic!("a block of another kind: {other:?}"),
        }
    }
}

fn program(path: &Path, script: &str) {
    std::fs::write(path, script).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn the_first_update_is_made_by_the_lines_of_its_page() {
    let dir = tempfile::tempdir().unwrap();
    let [empty, bin, folder, home] = ["empty", "bin", "work", "home"].map(|name| dir.path().join(name));
    for folder in [&empty, &bin, &folder, &home] {
        std::fs::create_dir(folder).unwrap();
    }
    let mpremote = clients::mpremote().unwrap();
    let (_, path) = mpremote.get_envs().find(|(key, _)| *key == "PYTHONPATH").unwrap();
    let path = path.unwrap().display();
    program(
        &bin.join("mpremote"),
        &format!("#!/bin/sh\nPYTHONPATH={path} exec python3 -m mpremote \"$@\"\n"),
    );

    let micropython = MicroPython::find(Word::Bits64).unwrap();
    let board = Board::new(&micropython, FileSystem::Lfs, &empty).unwrap();
    let wire = Wire::start(&board).unwrap();
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let port = (wire.port().to_owned(), server.to_string());
    let mut reader =
        Reader { home, bin, folder, port, served: None, said: None, began: Instant::now(), ran: 0 };

    let page = mpota_vboard::repository().join("docs/guides/first-update.md");
    let page = std::fs::read_to_string(page).unwrap();
    for block in blocks(&page) {
        reader.block(&block);
        if block.1.iter().any(|line| line.ends_with(" reset")) {
            let until = Instant::now() + Duration::from_secs(240);
            let done = |log: &str| log.contains("my first update") && log.contains("is confirmed");
            while !done(&wire.log()) {
                assert!(Instant::now() < until, "{}", wire.log());
                std::thread::sleep(Duration::from_millis(50));
            }
        }
    }
    drop(wire);
    assert!(board.read("/app.py").unwrap().ends_with(b"print(\"my first update\")\n"));
    println!("  cases {}: lines of the page", reader.ran);
    assert!(reader.ran > 12, "{}", reader.ran);
}
