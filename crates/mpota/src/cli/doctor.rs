//! `mpota doctor`

use std::path::PathBuf;

use mpota::board::doctor;

use super::output::{self, Refused};

/// Look whether all is ready: mpota.toml, the files, key, token, tag, workflow, and the board.
///
/// Each line is `ok`, or says what is wrong and the next step. The board is looked at where its port
/// is named: its app is stopped for that, and it is restarted.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The board's port, as mpremote knows it: a0, u0, /dev/ttyACM0, COM3
    port: Option<String>,
    /// The app's folder
    #[arg(long, value_name = "DIR", default_value = ".")]
    app: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

pub fn run(args: &Args) -> miette::Result<()> {
    let found = doctor::look(&args.app, args.port.as_deref());
    if args.json {
        output::json(&found)?;
    } else {
        for finding in &found {
            let mark = if finding.ok { "ok   " } else { "wrong" };
            output::data(format_args!("{mark} {}: {}", finding.what, finding.says));
            if !finding.next.is_empty() {
                output::data(format_args!("      next: {}", finding.next));
            }
        }
    }
    match found.iter().filter(|finding| !finding.ok).count() {
        0 => Ok(()),
        n => {
            let what = if n == 1 { "1 thing is wrong".to_owned() } else { format!("{n} things are wrong") };
            let hint = "do the next steps above, from the first to the last";
            Err(Refused::new("doctor::wrong", what, hint).into())
        }
    }
}
