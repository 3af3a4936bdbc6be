//! `mpota explain`

use mpota::diagnostics::{self, GROUPS};

use super::output::{self, Usage};

/// Tell what the code of an error or a warning means, and what to do.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// As it is printed: config::project, or error[config::project] [default: list all of them]
    code: Option<String>,
}

pub fn run(args: &Args) -> miette::Result<()> {
    let Some(code) = &args.code else {
        for (title, entries) in GROUPS {
            output::data(title);
            for entry in entries {
                output::data(format_args!("  {}", entry.code));
            }
        }
        return Ok(());
    };
    let Some(entry) = diagnostics::find(code) else {
        let what = format!("{code:?} is not a code of mpota");
        return Err(Usage::new("usage::unknown_code", what, "`mpota explain` lists all of them").into());
    };
    output::data(entry.code);
    output::data(format_args!("\n{}\n\nWhat to do: {}", entry.means, entry.next));
    Ok(())
}
