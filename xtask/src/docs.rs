//! `cargo xtask docs`: what stands in `docs/` and is made.

use anyhow::{Context, Result, ensure};
use mpota_vboard::repository;
use std::fmt::Write as _;
use std::process::Command;

const PICTURE: &str = "docs/demo.svg";
/// The steps of the demo that are in the picture.
const STEPS: [char; 2] = ['3', '4'];

/// Write all of it.
pub fn run(_: &[String]) -> Result<()> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(repository()).args([
        "run",
        "--quiet",
        "-p",
        "mpota",
        "--",
        "man",
        "--markdown",
        "docs",
    ]);
    ensure!(cargo.status()?.success(), "docs/commands.md is not written");
    let picture = picture(&crate::demo::show()?.lines)?;
    std::fs::write(repository().join(PICTURE), picture).context(PICTURE)
}

/// A terminal with the steps of the demo in which a version is kept, and one is undone.
fn picture(lines: &[String]) -> Result<String> {
    let mut wanted = false;
    let mut shown: Vec<&str> = vec!["$ cargo xtask demo"];
    let mut of_step = 0;
    for line in lines {
        if line.starts_with(|c: char| c.is_ascii_digit()) {
            wanted = line.starts_with(STEPS);
            if wanted {
                shown.push("");
                of_step = shown.len();
            }
        }
        // Of the traceback its first and its last line, and of what comes again the first one.
        let again = shown[of_step..].contains(&line.as_str()) || line.trim_start().starts_with("File ");
        if wanted && !again {
            shown.push(line);
        }
    }
    ensure!(shown.len() > 20, "the demo has shown too little: {shown:?}");
    Ok(svg(&shown))
}

/// A line of text is this high.
const LINE: usize = 20;
const MARGIN: usize = 18;

/// Lines of a terminal: text that can be selected, in colours that follow the reader's.
fn svg(lines: &[&str]) -> String {
    let height = lines.len() * LINE + 2 * MARGIN;
    let longest = lines.iter().map(|line| line.chars().count()).max().unwrap_or_default();
    let width = longest * 9 + 2 * MARGIN;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         role=\"img\" aria-label=\"A board updates itself, and goes back from a version that crashes\">\n\
         <style>\n\
         rect {{ fill: #f6f8fa; stroke: #d0d7de }}\n\
         text {{ fill: #24292f; font: 15px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; white-space: pre }}\n\
         .b {{ font-weight: bold }} .i {{ fill: #0550ae }} .w {{ fill: #8a4600 }} .e {{ fill: #b3151f }}\n\
         @media (prefers-color-scheme: dark) {{\n\
         rect {{ fill: #0d1117; stroke: #30363d }} text {{ fill: #e6edf3 }}\n\
         .i {{ fill: #79c0ff }} .w {{ fill: #f0a95a }} .e {{ fill: #ff8f88 }}\n\
         }}\n\
         </style>\n\
         <rect x=\"0.5\" y=\"0.5\" width=\"{}\" height=\"{}\" rx=\"8\"/>\n",
        width - 1,
        height - 1
    );
    for (at, line) in lines.iter().enumerate().filter(|(_, line)| !line.is_empty()) {
        let text = line.replace('&', "&amp;").replace('<', "&lt;");
        let class = match line.trim_start().get(..5) {
            Some("ota I") => "i",
            Some("ota W") => "w",
            Some("ota E") => "e",
            _ if line.starts_with(' ') => "",
            _ => "b",
        };
        let y = MARGIN + LINE * at + 15;
        let _ = writeln!(
            out,
            "<text class=\"{class}\" x=\"{MARGIN}\" y=\"{y}\" xml:space=\"preserve\">{text}</text>"
        );
    }
    out + "</svg>\n"
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "these are tests")]

    use super::*;

    #[test]
    fn the_demo_runs_and_the_picture_of_it_is_the_one_in_the_readme() {
        let made = picture(&crate::demo::show().unwrap().lines).unwrap();
        let there = std::fs::read_to_string(repository().join(PICTURE)).unwrap();
        assert!(made == there, "{PICTURE} is not what the demo shows: run `cargo xtask docs`\n{made}");
    }

    #[test]
    fn text_of_a_terminal_is_no_markup() {
        let made = svg(&["$ a <b> & c", "  ota E x"]);
        assert!(made.contains(">$ a &lt;b> &amp; c</text>") && made.contains("class=\"e\""), "{made}");
    }
}
