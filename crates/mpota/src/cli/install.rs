//! `mpota install`

use std::path::{Path, PathBuf};

use mpota::board::install;
use mpota::board::look::Seen;
use mpota::board::port::{self, Job};
use mpota::board::wanted::{Sources, Wanted};

use serde_json::json;

use super::output;

/// Set a board up: the updater, what starts it, keys, certificate authorities, and a release.
///
/// It talks to the board through mpremote, and takes the first board that is found where no PORT is
/// named. All of it is copied to the board and checked there before the first file is replaced. Of
/// each file that is replaced a copy is kept on this computer; files that the release keeps, and
/// secrets.py, stay as they are. Run it again after an interruption: it goes on.
///
/// With --dir the board is a folder on this computer.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The board's port, as mpremote knows it: a0, u0, /dev/ttyACM0, COM3
    #[arg(conflicts_with = "dir")]
    port: Option<String>,
    /// The folder that is the board
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// The release's folder
    #[arg(long, value_name = "DIR", default_value = "dist")]
    dist: PathBuf,
    /// The app's folder, with mpota.toml, ota_keys and ota_ca, where it has them
    #[arg(long, value_name = "DIR", default_value = ".")]
    app: PathBuf,
    /// Where copies of replaced files go [default: mpota-copies-TIME]
    #[arg(long, value_name = "DIR", conflicts_with = "dir")]
    copies: Option<PathBuf>,
    /// Write nothing; tell what would be done
    #[arg(long)]
    dry_run: bool,
    /// Only the release and the updater's records of it
    #[arg(long, requires = "dir")]
    release_only: bool,
    /// Overwrite files that are there, but not those that the release keeps, and begin the updater's records anew
    #[arg(long, requires = "dir")]
    force: bool,
    /// Print what was done as JSON
    #[arg(long)]
    pub(super) json: bool,
}

pub fn run(args: &Args) -> miette::Result<()> {
    let sources = Sources { dist: args.dist.clone(), app: args.app.clone() };
    match &args.dir {
        Some(dir) => folder(args, &sources, dir),
        None => board(args, &sources),
    }
}

fn folder(args: &Args, sources: &Sources, dir: &Path) -> miette::Result<()> {
    let mut wanted = Wanted::release(sources, 0)?;
    let seen = Seen::folder(dir)?;
    if !args.release_only {
        wanted.complete(sources, &seen)?;
    }
    if args.dry_run {
        let put: Vec<&str> = wanted.files.iter().map(|file| file.path.as_str()).collect();
        if args.json {
            return output::json(&json!({ "version": wanted.version, "written": false, "put": put }));
        }
        for path in put {
            output::data(format_args!("put {path}"));
        }
        return Ok(());
    }
    let done = install::install(&args.dist, dir, args.force)?;
    for path in &done.kept {
        output::note(format_args!("kept {path}, which was there"));
    }
    let beside = wanted.write_beside(dir, &seen)?;
    let more = if beside > 0 { format!(", and {beside} beside it") } else { String::new() };
    output::note(format_args!("{} has {} now, {} files{more}", dir.display(), done.version, done.files));
    if args.json {
        let put = done.files + beside;
        output::json(&json!({ "version": done.version, "written": true, "files": put, "kept": done.kept }))?;
    }
    Ok(())
}

fn board(args: &Args, sources: &Sources) -> miette::Result<()> {
    let job = Job::prepare(args.port.as_deref(), sources, args.dry_run)?;
    let Job { seen, plan, wanted, .. } = &job;
    output::note(format_args!(
        "{}, MicroPython {}, {} of {} bytes free",
        seen.name(),
        seen.version,
        seen.free,
        seen.total
    ));
    if !args.json {
        tell(&job, args.dry_run);
    }
    if args.dry_run {
        output::note("nothing was written");
        return if args.json { output::json(&done(&job, None, &[])) } else { Ok(()) };
    }
    let folder = args.copies.clone().unwrap_or_else(|| port::copies(&now()));
    if !plan.copied().is_empty() {
        job.copy(&folder)?;
        output::note(format_args!("copies of {} files are in {}", plan.copied().len(), folder.display()));
    }
    if !plan.is_done() {
        let bytes: usize = plan.puts.iter().map(|(_, bytes)| bytes.len()).sum();
        output::note(format_args!("copying {} files, {bytes} bytes, to the board ...", plan.puts.len()));
        job.write(&folder)?;
    }
    output::note(format_args!("{} is on the board; it restarts", wanted.version));
    let status = job.restart()?;
    if args.json {
        output::json(&done(&job, Some(&folder), &status))?;
    }
    for key in ["state", "version", "next", "bad", "why", "blocked", "changed"] {
        if let Some((_, value)) = status.iter().find(|(name, value)| name == key && !value.is_empty())
            && !args.json
        {
            output::data(format_args!("{key}: {value}"));
        }
    }
    if !seen.files.contains_key("secrets.py") {
        output::hint("the Wi-Fi belongs in secrets.py on the board: mpremote fs cp secrets.py :secrets.py");
    }
    Ok(())
}

/// What was done, or would be, for programs: `copies` is the folder with what was replaced.
fn done(job: &Job, copies: Option<&Path>, status: &[(String, String)]) -> serde_json::Value {
    let plan = &job.plan;
    let put: Vec<&str> = plan.puts.iter().map(|(path, _)| path.as_str()).collect();
    let copied = copies.filter(|_| !plan.copied().is_empty());
    json!({
        "board": job.seen.name(),
        "micropython": job.seen.version,
        "version": job.wanted.version,
        "written": copies.is_some(),
        "put": put,
        "replaced": plan.replaced,
        "removed": plan.dropped,
        "kept": plan.kept,
        "same": plan.same,
        "interrupted": plan.interrupts.map(|state| state.to_string()),
        "copies": copied.map(|folder| folder.display().to_string()),
        "status": status.iter().cloned().collect::<std::collections::BTreeMap<_, _>>(),
    })
}

/// What is done with which file.
fn tell(job: &Job, all: bool) {
    let plan = &job.plan;
    if let Some(state) = plan.interrupts {
        output::warning(
            "install::interrupts",
            format_args!("an update is under way on the board ({state}): it is given up"),
        );
    }
    for (path, _) in &plan.puts {
        if plan.replaced.contains(path) {
            output::data(format_args!("replace {path}"));
        } else if all {
            output::data(format_args!("put {path}"));
        }
    }
    if plan.guard {
        output::data("replace boot.py: the lines that start the updater come before yours");
    }
    for path in &plan.dropped {
        output::data(format_args!("remove {path}: it would stand beside its other form"));
    }
    for path in &plan.kept {
        output::data(format_args!("keep {path}"));
    }
    if plan.same > 0 {
        output::note(format_args!("{} files are there already", plan.same));
    }
}

fn now() -> String {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    super::time::utc(since.map_or(0, |since| since.as_secs())).replace(' ', "-")
}
