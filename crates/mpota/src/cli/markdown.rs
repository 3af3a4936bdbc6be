//! The page `docs/commands.md`, of what the man pages are made from too.

use std::fmt::Write as _;

use clap::{Arg, Command};

const HEAD: &str = "\
<!-- Written by `cargo xtask docs` from the program. -->

# Command line

`mpota COMMAND --help` prints the same in a terminal, and `mpota man DIR` writes it as man pages. Messages go to \
standard error and data to standard output.

";

/// All commands, on one page.
pub fn page(mut program: Command) -> String {
    program.build();
    let mut out = HEAD.to_owned();
    let _ = writeln!(out, "{}\n", after(&program));
    commands(&program, "mpota", &mut out);
    out
}

fn commands(parent: &Command, name: &str, out: &mut String) {
    for command in parent.get_subcommands().filter(|c| c.get_name() != "help" && !c.is_hide_set()) {
        let name = format!("{name} {}", command.get_name());
        let about = command.get_long_about().or_else(|| command.get_about());
        let about = about.map(|text| paragraphs(&text.to_string())).unwrap_or_default();
        let usage = command.clone().render_usage().to_string();
        let usage = usage.trim_start_matches("Usage:").trim();
        let _ = writeln!(out, "## {name}\n\n{about}\n\n```text\n{usage}\n```\n");
        options(command, out);
        let after = after(command);
        if !after.is_empty() {
            let _ = writeln!(out, "{after}\n");
        }
        commands(command, &name, out);
    }
}

/// Arguments and options, under the headings that the help has.
fn options(command: &Command, out: &mut String) {
    let shown: Vec<&Arg> =
        command.get_arguments().filter(|arg| !arg.is_hide_set() && !is_of_clap(arg)).collect();
    let mut headings: Vec<Option<&str>> = Vec::new();
    for arg in &shown {
        if !headings.contains(&arg.get_help_heading()) {
            headings.push(arg.get_help_heading());
        }
    }
    headings.sort_by_key(Option::is_some);
    for heading in headings {
        if let Some(heading) = heading {
            let _ = writeln!(out, "{heading}:\n");
        }
        for arg in shown.iter().filter(|arg| arg.get_help_heading() == heading) {
            let _ = writeln!(out, "- {}", option(arg));
        }
        out.push('\n');
    }
}

/// `--help` and the program's own `--version`, which every reader knows.
fn is_of_clap(arg: &Arg) -> bool {
    matches!(
        arg.get_action(),
        clap::ArgAction::Help
            | clap::ArgAction::HelpShort
            | clap::ArgAction::HelpLong
            | clap::ArgAction::Version
    )
}

fn option(arg: &Arg) -> String {
    let short = arg.get_short().map(|short| format!("`-{short}`, ")).unwrap_or_default();
    let help = arg.get_long_help().or_else(|| arg.get_help()).map(|text| escaped(&text.to_string()));
    let mut line = format!("{short}`{arg}`: {}", help.unwrap_or_default().replace("\n\n", "\n\n  "));
    let values = arg.get_possible_values();
    let values: Vec<_> = values.iter().filter(|value| !value.is_hide_set()).collect();
    if arg.get_action().takes_values() && !values.is_empty() {
        for value in values {
            let help = value.get_help().map(|text| format!(": {}", escaped(&text.to_string())));
            let _ = write!(line, "\n  - `{}`{}", value.get_name(), help.unwrap_or_default());
        }
    }
    let defaults: Vec<_> = arg.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    if arg.get_action().takes_values() && !defaults.is_empty() {
        let _ = write!(line, " (default: `{}`)", defaults.join(" "));
    }
    line
}

/// What the help ends with, as it stands there.
fn after(command: &Command) -> String {
    let text = command.get_after_long_help().or_else(|| command.get_after_help());
    text.map(|text| format!("```text\n{}\n```", text.to_string().trim_end())).unwrap_or_default()
}

/// Text whose indented lines are commands.
fn paragraphs(text: &str) -> String {
    let mut out = String::new();
    let mut in_block = false;
    for line in text.lines() {
        let indented = line.starts_with("  ");
        if indented != in_block {
            out.push_str(if indented { "\n```text\n" } else { "```\n" });
            in_block = indented;
        }
        out.push_str(&if indented { line[2..].to_owned() } else { escaped(line) });
        out.push('\n');
    }
    if in_block {
        out.push_str("```\n");
    }
    out.trim_end().to_owned()
}

/// Text in which nothing but code is markup.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    let mut in_code = false;
    for c in text.chars() {
        in_code ^= c == '`';
        match c {
            '<' if !in_code => out.push_str("&lt;"),
            '*' | '[' | ']' if !in_code => out.extend(['\\', c]),
            _ => out.push(c),
        }
    }
    out
}
