//! The tables in `docs/boards.md` that a run makes, and what firmware without a part of it leads to.

use super::interpreter::{self, Facts, Firmware, Source, Tls};
use super::update::{Offer, World};
use anyhow::{Context, Result, ensure};
use mpota_vboard::bench::Agent;
use mpota_vboard::repository;
use std::path::PathBuf;

const BEGIN: &str = "<!-- begin: written by `cargo xtask firmware --write-docs` -->\n";
const END: &str = "<!-- end -->\n";

/// What a firmware may lack: in words, what is hidden, its TLS, what is offered, and whether the
/// release is installed all the same.
type Lack = (&'static str, &'static [&'static str], Tls, Offer, bool);

const LACKS: [Lack; 10] = [
    ("`hashlib.sha256`, keys set", &["hashlib"], Tls::None, Offer::Good, false),
    ("`hashlib.sha256`, no keys", &["hashlib"], Tls::None, Offer::Unsigned, true),
    ("`deflate`", &["deflate"], Tls::None, Offer::Good, false),
    ("`deflate`, built with `--no-compress`", &["deflate"], Tls::None, Offer::Plain, true),
    ("`machine.Timer`", &["Timer"], Tls::None, Offer::Good, true),
    ("TLS, server on http", &[], Tls::None, Offer::Good, true),
    ("TLS, server on https", &[], Tls::None, Offer::Secure, false),
    ("certificate checks, server on https, no keys", &[], Tls::Unchecked, Offer::SecureUnsigned, false),
    ("certificate checks, server on https, keys set", &[], Tls::Unchecked, Offer::Secure, true),
    // Mbed TLS as stm32, mimxrt and renesas-ra set it up before 1.24.
    (
        "cipher suites other than CBC (stm32, mimxrt, renesas-ra before 1.24), server `mpota serve --https`",
        &[],
        Tls::Cbc,
        Offer::Secure,
        false,
    ),
];

/// A row for each part that a firmware may lack, and how many there are.
pub fn lacks(world: &World, firmware: &Firmware) -> Result<Vec<String>> {
    let mut rows = Vec::new();
    let own = interpreter::all().into_iter().find(|f| f.tls == Tls::Own).context("no TLS but doubles")?;
    own.install()?;
    for (words, hide, tls, offer, installed) in LACKS {
        let mut board = world.board(offer, Agent::Py)?;
        // A double of TLS has no cipher suites.
        let run = board.run(if tls == Tls::Cbc { &own } else { firmware }, tls, hide)?;
        let done = board.has("v1.1.0", &run)?;
        let why = if done { "not refused" } else { "not installed" };
        ensure!(done == installed, "without {words}: the release is {why}:\n{}", run.output);
        let mut said: Vec<String> = Vec::new();
        for line in run.output.lines() {
            let line = line.strip_prefix("refused: ").or_else(|| line.strip_prefix("ota W "));
            // That one is said of every board without keys.
            if let Some(line) = line.filter(|l| !l.starts_with("no keys are set")) {
                let line = format!("`{}`", world.steady(line));
                if !said.contains(&line) {
                    said.push(line);
                }
            }
        }
        ensure!(done || !said.is_empty(), "without {words}: no reason is said:\n{}", run.output);
        let said = if said.is_empty() { String::new() } else { format!(": {}", said.join(", ")) };
        rows.push(format!("| {words} | {}{said} |\n", if done { "installed" } else { "refused" }));
    }
    ensure!(rows.len() == LACKS.len() && !rows.is_empty(), "nothing was tried without something");
    Ok(rows)
}

/// The row of an interpreter.
pub fn row(firmware: &Firmware, facts: &Facts) -> String {
    let what = match firmware.source {
        Source::Web(_) => "WebAssembly under Node.js".to_owned(),
        Source::Unix(suite, _) => format!("Unix port of Debian ({suite})"),
    };
    // Debian's builds change while a suite is in the making, and a table that does so says nothing more.
    let build = match firmware.source {
        Source::Web(_) => format!("`{}`", facts.build),
        Source::Unix(..) => "Debian's".to_owned(),
    };
    let agent = if facts.mpy { "`.py`, `.mpy`" } else { "`.py`" };
    format!(
        "| {} | {what} | {build} | {} | {agent} | {} |\n",
        firmware.minor,
        facts.word,
        firmware.tls.words()
    )
}

/// The whole of what the run writes.
pub fn text(rows: &[String], lacks: &[String]) -> String {
    "| version | interpreter | build | bits | updater | TLS |\n| --- | --- | --- | --- | --- | --- |\n"
        .to_owned()
        + &rows.concat()
        + "\n| firmware without | a release is |\n| --- | --- |\n"
        + &lacks.concat()
}

fn path() -> PathBuf {
    repository().join("docs/boards.md")
}

/// The document with `text` in its place.
fn replaced(document: &str, text: &str) -> Option<String> {
    let (before, rest) = document.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}{text}{END}{after}"))
}

/// Put the tables into the document, or say that others stand there.
pub fn place(text: &str, write: bool) -> Result<()> {
    let document = std::fs::read_to_string(path())?;
    let new = replaced(&document, text).context("docs/boards.md has no place for the tables of the run")?;
    if write {
        std::fs::write(path(), new)?;
        return Ok(());
    }
    ensure!(
        new == document,
        "docs/boards.md has other tables than this run made; `cargo xtask firmware --write-docs` writes:\n{text}"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_between_the_marks_is_exchanged() {
        let document = format!("a\n{BEGIN}old\n{END}b\n");
        assert_eq!(replaced(&document, "new\n"), Some(format!("a\n{BEGIN}new\n{END}b\n")));
        assert_eq!(replaced("a\n", "new\n"), None);
    }
}
