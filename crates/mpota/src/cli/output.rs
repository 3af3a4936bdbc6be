//! The one place that prints: data on standard output, talk on standard error.

use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

use miette::{Diagnostic, Report};
use mpota::publish::PublishError;
use thiserror::Error;

/// Something was wrong with how mpota was called, and clap could not see it.
#[derive(Debug, Error, Diagnostic)]
#[error("{what}")]
pub struct Usage {
    what: String,
    #[help]
    hint: Option<String>,
}

impl Usage {
    /// An error with a hint.
    pub fn new(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { what: what.into(), hint: Some(hint.into()) }
    }
}

/// The command did its work, and what it looked at is not right. The findings are printed.
#[derive(Debug, Error, Diagnostic)]
#[error("{0}")]
pub struct Refused(pub String);

/// What the user asked for: a line of standard output.
pub fn data(line: impl Display) {
    raw(format!("{line}\n").as_bytes());
}

/// Bytes of standard output. A reader that has gone away ends the program without a word.
pub fn raw(bytes: &[u8]) {
    let mut out = io::stdout().lock();
    if out.write_all(bytes).and_then(|()| out.flush()).is_err() {
        std::process::exit(1);
    }
}

/// What was done.
pub fn note(line: impl Display) {
    talk(format_args!("{line}"));
}

/// Something that may not be meant so.
pub fn warning(line: impl Display) {
    talk(format_args!("warning: {line}"));
}

/// What to do next.
pub fn hint(line: impl Display) {
    talk(format_args!("hint: {line}"));
}

/// What went wrong, with why, in one line.
pub fn chain(report: &Report) -> String {
    // Several layers may say the same words: each is said once.
    let mut said: Vec<String> = Vec::new();
    for cause in report.chain().map(ToString::to_string) {
        if !said.iter().any(|before| before.contains(&cause)) {
            said.push(cause);
        }
    }
    said.join(": ")
}

/// What the program ends with.
pub fn exit_code(report: &Report) -> u8 {
    match report.downcast_ref::<PublishError>() {
        Some(error) => error.exit_code(),
        None if report.downcast_ref::<Usage>().is_some() => 2,
        None => 1,
    }
}

/// `error: what: why`, the hint, and the exit code.
pub fn error(report: &Report) -> ExitCode {
    talk(format_args!("error: {}", chain(report)));
    if let Some(text) = report.help() {
        hint(text);
    }
    ExitCode::from(exit_code(report))
}

fn talk(line: std::fmt::Arguments<'_>) {
    // Nobody is left to be told when standard error is closed.
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Rows of columns, each as wide as its widest cell; numbers to the right.
pub fn table(head: &[&str], numbers: &[usize], rows: &[Vec<String>]) {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([head[column].len()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let line = |cells: Vec<&str>| {
        let padded = cells.iter().enumerate().map(|(column, cell)| {
            let width = widths[column];
            if numbers.contains(&column) { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
        });
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    data(line(head.to_vec()));
    for row in rows {
        data(line(row.iter().map(String::as_str).collect()));
    }
}
