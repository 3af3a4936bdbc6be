//! The one place that prints: data on standard output, talk on standard error.

use std::borrow::Cow;
use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use anstyle::{AnsiColor, Style};
use miette::{Diagnostic, Report};
use mpota::publish::PublishError;
use serde::Serialize;
use serde_json::json;
use thiserror::Error;

use super::visible;

/// An error of the command line program itself: its code, what it is, and what to do.
macro_rules! error_of_the_program {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Error)]
        #[error("{what}")]
        pub struct $name {
            code: &'static str,
            what: String,
            hint: String,
        }

        impl $name {
            /// With a code of [`mpota::diagnostics`].
            pub fn new(code: &'static str, what: impl Into<String>, hint: impl Into<String>) -> Self {
                Self { code, what: what.into(), hint: hint.into() }
            }
        }

        impl Diagnostic for $name {
            fn code<'a>(&'a self) -> Option<Box<dyn Display + 'a>> {
                Some(Box::new(self.code))
            }

            fn help<'a>(&'a self) -> Option<Box<dyn Display + 'a>> {
                Some(Box::new(&self.hint))
            }
        }
    };
}

error_of_the_program! {
    /// Something was wrong with how mpota was called, and clap could not see it.
    Usage
}

error_of_the_program! {
    /// The command did its work, and what it looked at is not right. The findings are printed.
    Refused
}

/// What the user asked for: a line of standard output, harmless for a terminal.
pub fn data(line: impl Display) {
    bytes(format!("{}\n", visible::text(&line.to_string())).as_bytes());
}

/// What programs read: JSON that is harmless for a terminal and means what it meant.
pub fn json(value: &impl Serialize) -> miette::Result<()> {
    let text = serde_json::to_string_pretty(value).map_err(|error| {
        Refused::new("internal::json", error.to_string(), "report this: it is a fault of mpota")
    })?;
    bytes(format!("{}\n", visible::json(&text)).as_bytes());
    Ok(())
}

/// Bytes that the user asked for as they are. A terminal gets them harmless.
pub fn raw(raw: &[u8]) {
    if io::stdout().is_terminal() {
        bytes(visible::text(&String::from_utf8_lossy(raw)).as_bytes());
    } else {
        bytes(raw);
    }
}

/// A reader that has gone away ends the program without a word.
fn bytes(bytes: &[u8]) {
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
pub fn warning(code: &str, line: impl Display) {
    label(AnsiColor::Yellow, &format!("warning[{code}]"), line);
}

/// Something that is wrong with what was looked at.
pub fn wrong(code: &str, line: impl Display) {
    label(AnsiColor::Red, &format!("wrong[{code}]"), line);
}

/// What to do next.
pub fn hint(line: impl Display) {
    label(AnsiColor::Cyan, "hint", line);
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

static JSON: AtomicBool = AtomicBool::new(false);

/// From now on an error is also written to standard output, as JSON.
pub fn errors_as_json() {
    JSON.store(true, Ordering::Relaxed);
}

/// Colours: as the user wants them, or where a terminal shows them and `NO_COLOR` is not set.
pub fn colors(choice: clap::ColorChoice) {
    match choice {
        clap::ColorChoice::Auto => anstream::ColorChoice::Auto,
        clap::ColorChoice::Always => anstream::ColorChoice::Always,
        clap::ColorChoice::Never => anstream::ColorChoice::Never,
    }
    .write_global();
}

/// What programs read of an error.
fn failure(report: &Report) -> serde_json::Value {
    let text = |text: Option<Box<dyn Display + '_>>| text.map(|text| text.to_string());
    let error = json!({
        "code": text(report.code()),
        "message": chain(report),
        "hint": text(report.help()),
    });
    let mut failure = json!({ "error": error, "exit_code": exit_code(report) });
    if let Some(error) = report.downcast_ref::<PublishError>() {
        let draft = match error {
            PublishError::Unfinished { url, .. } => Some(url),
            _ => None,
        };
        failure["draft"] = json!(draft);
        failure["published"] = json!(matches!(error, PublishError::Rest { .. }));
    }
    failure
}

/// `error[code]: what: why`, the hint, and the exit code.
pub fn error(report: &Report) -> ExitCode {
    let code = report.code().map(|code| format!("[{code}]")).unwrap_or_default();
    label(AnsiColor::Red, &format!("error{code}"), chain(report));
    // What was refused has been printed, as a report of its own.
    if JSON.load(Ordering::Relaxed)
        && report.downcast_ref::<Refused>().is_none()
        && let Err(report) = json(&failure(report))
    {
        label(AnsiColor::Red, "error", chain(&report));
    }
    if let Some(text) = report.help() {
        hint(text);
    }
    ExitCode::from(exit_code(report))
}

/// What clap found wrong with the command line, or the help that was asked for.
pub fn usage(error: &clap::Error) -> ! {
    let plain = error.render().to_string();
    // Clap repeats arguments as they came. With colours in it, a text cannot be made harmless any more.
    if let Cow::Owned(harmless) = visible::text(&plain)
        && error.use_stderr()
    {
        talk(format_args!("{}", harmless.trim_end()));
        std::process::exit(error.exit_code());
    }
    error.exit()
}

/// A line that begins with a word in colour, where standard error is a terminal that shows it.
fn label(color: AnsiColor, word: &str, line: impl Display) {
    let style = Style::new().bold().fg_color(Some(color.into()));
    let line = line.to_string();
    // Nobody is left to be told when standard error is closed.
    let _ = writeln!(
        anstream::stderr().lock(),
        "{style}{}{style:#}: {}",
        visible::text(word),
        visible::text(&line)
    );
}

fn talk(line: std::fmt::Arguments<'_>) {
    // In one piece: standard error has no buffer, and a server says a line a request. Nobody is left to be told when
    // it is closed.
    let _ = io::stderr().lock().write_all(visible::text(&format!("{line}\n")).as_bytes());
}

/// Rows of columns, each as wide as its widest cell; numbers to the right.
pub fn table(head: &[&str], numbers: &[usize], rows: &[Vec<String>]) {
    // Before it is measured: what is escaped is wider.
    let rows: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| visible::text(cell).into_owned()).collect()).collect();
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
    for row in &rows {
        data(line(row.iter().map(String::as_str).collect()));
    }
}
