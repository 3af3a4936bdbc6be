//! `mpota mirror`

use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use mpota::mirror::{Destination, Mirror, MirrorOptions, Mirrored, Origins, Step};
use mpota::remote::access::GITHUB;
use mpota::remote::names::is_project;

use super::output::{self, Refused};
use super::trust::TrustArgs;

/// The longest pause between two rounds that fail, unless rounds are further apart anyway.
const LONGEST_PAUSE: Duration = Duration::from_secs(60 * 60);

const AFTER: &str = "\
Stopped anywhere, the same command goes on where it was: it looks at what the bucket has. `latest`, channels
and rollouts are written last, after everything that they name was read back and compared.

Credentials come from the environment:
  s3://  AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION; AWS_ENDPOINT for another server than Amazon's
  gs://  GOOGLE_SERVICE_ACCOUNT or GOOGLE_APPLICATION_CREDENTIALS, each the name of a file
  az://  AZURE_STORAGE_ACCOUNT_NAME, AZURE_STORAGE_ACCOUNT_KEY; AZURE_STORAGE_ENDPOINT for another server
         than Azure's
A server over plain http needs AWS_ALLOW_HTTP=true or AZURE_ALLOW_HTTP=true.";

/// Copy releases into a bucket, or a folder of a web server, where boards read them.
///
/// SOURCE is owner/repo, or a folder of releases as `mpota serve` has it. DEST is s3://bucket/prefix,
/// gs://bucket/prefix, az://container/prefix, file:///folder or a folder. Boards have the address of DEST
/// over http as `base_url`.
///
/// Every release is checked as `mpota verify` does, before and after it is sent. Objects that are there and
/// right are not sent again. What moves gets `Cache-Control: no-cache`, what does not is immutable.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub struct Args {
    /// owner/repo, or a folder of releases
    source: String,
    /// s3://bucket/prefix, gs://, az://, file:///folder, or a folder
    dest: String,
    #[command(flatten)]
    trust: TrustArgs,
    /// What answers for owner/repo
    #[arg(long, value_name = "URL", default_value = GITHUB)]
    base_url: String,
    /// Trust the certificate authorities in this PEM file, instead of the usual ones
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Owner and repository, for a folder that does not say
    #[arg(long, value_name = "OWNER/NAME", value_parser = super::serve::repo)]
    repo: Option<(String, String)>,
    /// The name under which boards know the project, where the repository has moved [default: its name]
    #[arg(long, value_name = "OWNER/NAME", value_parser = project)]
    project: Option<String>,
    /// Only the newest N versions, and those that latest, a channel or a rollout names [default: all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    keep: Option<u16>,
    /// Remove all other versions from DEST
    #[arg(long, requires = "keep")]
    prune: bool,
    /// Let latest, channels and rollouts of DEST go back to older ones
    #[arg(long)]
    allow_older: bool,
    /// Do it again and again, with this pause: 10m, 30s, 1h
    #[arg(long, value_name = "PAUSE", value_parser = pause)]
    watch: Option<Duration>,
    /// Look at everything, and change nothing in DEST
    #[arg(long)]
    dry_run: bool,
    /// Print what was done, or why it was not, as JSON; with --watch after each round
    #[arg(long)]
    pub(super) json: bool,
    /// Print only warnings and errors
    #[arg(short, long)]
    quiet: bool,
}

fn project(text: &str) -> Result<String, String> {
    is_project(text).then(|| text.to_owned()).ok_or_else(|| "it is not of the form OWNER/NAME".to_owned())
}

/// A number of minutes, or of another unit that is named.
fn pause(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit = match &text[digits.len()..] {
        "s" => 1,
        "" | "m" => 60,
        "h" => 60 * 60,
        _ => return Err("use a number and a unit, as in 30s, 10m, 1h".to_owned()),
    };
    match digits.parse::<u32>() {
        Ok(number) if number > 0 => Ok(Duration::from_secs(u64::from(number) * unit)),
        _ => Err("use a number and a unit, as in 30s, 10m, 1h".to_owned()),
    }
}

pub fn run(args: &Args) -> miette::Result<()> {
    let mut options = MirrorOptions::new(Origins::parse(&args.source)?, Destination::parse(&args.dest)?);
    options.access.keys = args.trust.keys()?;
    options.access.base_url.clone_from(&args.base_url);
    options.access.ca.clone_from(&args.ca);
    options.access.identity.clone_from(&args.project);
    options.repo.clone_from(&args.repo);
    options.keep = args.keep.map(usize::from);
    options.prune = args.prune;
    options.allow_older = args.allow_older;
    options.dry_run = args.dry_run;
    let (quiet, dry_run) = (args.quiet, args.dry_run);
    options.tell = Rc::new(move |step| tell(step, quiet, dry_run));
    let mut mirror = Mirror::new(options)?;
    match args.watch {
        None => once(args, &mut mirror),
        Some(every) => watch(args, &mut mirror, every),
    }
}

fn once(args: &Args, mirror: &mut Mirror) -> miette::Result<()> {
    let done = mirror.round()?;
    print(args, &done)?;
    match done.iter().map(|done| done.refused.len()).sum() {
        0 => Ok(()),
        count => {
            let s = if count == 1 { "" } else { "s" };
            Err(Refused::new(
                "mirror::refused",
                format!("not all of {} was taken over: {count} problem{s}", args.source),
                "`mpota explain` has a paragraph for the code of each line above. The rest is in the mirror",
            )
            .into())
        }
    }
}

/// For ever. A round that fails makes the pauses longer, up to an hour.
fn watch(args: &Args, mirror: &mut Mirror, every: Duration) -> miette::Result<()> {
    let mut failures = 0;
    loop {
        match mirror.round() {
            Ok(done) => {
                failures = 0;
                print(args, &done)?;
            }
            Err(error) => {
                failures += 1;
                let wait = after(every, failures).as_secs();
                let why = output::chain(&error.into());
                output::warning("mirror::round", format_args!("{why}: trying again in {wait} s"));
            }
        }
        std::thread::sleep(after(every, failures));
    }
}

/// The pause after so many rounds in a row that have failed.
fn after(every: Duration, failures: u32) -> Duration {
    every.saturating_mul(1 << failures.min(10)).min(every.max(LONGEST_PAUSE))
}

fn print(args: &Args, done: &[Mirrored]) -> miette::Result<()> {
    if args.json {
        return output::json(&serde_json::json!({ "destination": args.dest, "projects": done }));
    }
    for done in done {
        if let Some(from) = done.token {
            output::note(format_args!("read with the token from {from}"));
        }
        let latest = done.latest.as_deref().unwrap_or("none");
        let (would, removed) = if args.dry_run { ("to send", "to remove") } else { ("sent", "removed") };
        output::data(format_args!(
            "{}: {} versions, latest {latest}, {} objects {would}, {} bytes, {} versions {removed}",
            done.project,
            done.versions.len(),
            done.sent.len(),
            done.bytes,
            done.pruned.len(),
        ));
    }
    Ok(())
}

fn tell(step: &Step, quiet: bool, dry_run: bool) {
    let text = match step {
        Step::Refused(refusal) => {
            output::wrong(refusal.code, format_args!("{}: {}", refusal.about, refusal.text));
            return;
        }
        Step::NotPruned => {
            output::warning("mirror::not_pruned", "nothing is removed, since something was not taken over");
            return;
        }
        Step::Withheld(what) => {
            let would = if dry_run { "would be removed" } else { "removed" };
            let text = format_args!(
                "{what} is not at the source any more: {would}, and boards wait as they do there"
            );
            output::warning("mirror::withheld", text);
            return;
        }
        Step::Put(key, size) if dry_run => format!("would send {key}, {size} bytes"),
        Step::Put(key, size) => format!("sending {key}, {size} bytes"),
        Step::Prune(tag) if dry_run => format!("would remove {tag}"),
        Step::Prune(tag) => format!("removing {tag}"),
        Step::Version(tag) => format!("{tag} is not all there"),
        Step::Kept(tag) => format!("{tag} is there"),
        Step::Stays(what) => format!("{what} is there"),
        _ => return,
    };
    if !quiet {
        output::note(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_a_number_with_a_unit() {
        let cases = [("10", Some(600)), ("10m", Some(600)), ("30s", Some(30)), ("2h", Some(7200))];
        let wrong = ["", "0", "m", "-1m", "1d", "1.5m", "99999999999s"].map(|text| (text, None));
        for (text, seconds) in cases.into_iter().chain(wrong) {
            assert_eq!(pause(text).ok().map(|pause| pause.as_secs()), seconds, "{text:?}");
        }
        println!("  cases {}: pauses of a mirror", cases.len() + wrong.len());
    }

    #[test]
    fn rounds_that_fail_make_the_pause_longer_up_to_an_hour() {
        let minutes = |every: u64, failures| after(Duration::from_secs(every * 60), failures).as_secs() / 60;
        let pauses: Vec<u64> = [0, 1, 2, 3, 4, 40].iter().map(|&failures| minutes(5, failures)).collect();
        assert_eq!(pauses, [5, 10, 20, 40, 60, 60]);
        assert_eq!(minutes(120, 3), 120);
    }
}
