//! `mpota verify`

use std::path::PathBuf;

use mpota::release::compare::Difference;
use mpota::release::verify::{self, Report, Signature, VerifyOptions};
use mpota::remote::access::GITHUB;
use mpota::remote::target::Target;

use super::output::{self, Refused};
use super::trust::TrustArgs;

/// Check a release: its manifest, every file, its signature. Print what is in it.
///
/// Where owner/repo is private, the token comes from MPOTA_TOKEN, then GH_TOKEN or GITHUB_TOKEN (for
/// other hosts than github.com GH_ENTERPRISE_TOKEN or GITHUB_ENTERPRISE_TOKEN), then `gh auth token`,
/// then git's credential helpers.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder of a release, a manifest.json (the files are not looked at then), the address
    /// of such a folder, owner/repo@tag, or owner/repo for the latest
    #[arg(default_value = "dist")]
    target: String,
    #[command(flatten)]
    trust: TrustArgs,
    /// What answers for owner/repo
    #[arg(long, value_name = "URL", default_value = GITHUB)]
    base_url: String,
    /// Trust the certificate authorities in this PEM file, instead of the usual ones
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Also tell what changes for boards that have this older release: any of the kinds that can be
    /// checked
    #[arg(long, value_name = "OLD")]
    against: Option<String>,
    /// Print the findings as JSON
    #[arg(long)]
    pub(super) json: bool,
}

pub fn run(args: &Args) -> miette::Result<()> {
    let mut options = VerifyOptions::new(Target::parse(&args.target)?);
    options.access.keys = args.trust.keys()?;
    options.access.base_url.clone_from(&args.base_url);
    options.access.ca.clone_from(&args.ca);
    options.against = args.against.as_deref().map(Target::parse).transpose()?;
    let report = verify::verify(&options)?;
    if args.json {
        output::json(&report)?;
    } else {
        print(&report);
    }
    if let Some(from) = report.token {
        output::note(format_args!("read with the token from {from}"));
    }
    if let Some(difference) = report.against.as_ref().filter(|difference| !difference.newer) {
        output::warning(
            "verify::not_newer",
            format_args!(
                "{} is not newer than {}: boards that have that do not take it by themselves",
                report.version, difference.version
            ),
        );
    }
    for note in &report.notes {
        output::note(format_args!("note: {note}"));
    }
    for problem in &report.problems {
        output::wrong(&problem.diagnostic(), format_args!("{}: {}", problem.about, problem.text));
    }
    if !report.files_checked {
        output::note("only the manifest was checked; name the folder to check the files too");
    }
    match report.problems.len() {
        0 => Ok(()),
        count => {
            let s = if count == 1 { "" } else { "s" };
            Err(Refused::new(
                "verify::not_good",
                format!("{} is not right: {count} problem{s}", report.target),
                "`mpota explain` has a paragraph for the code of each line above",
            )
            .into())
        }
    }
}

fn print(report: &Report) {
    output::data(format_args!("version    {}", report.version));
    if let Some(project) = &report.project {
        output::data(format_args!("project    {project}"));
    }
    if let Some(created) = report.created {
        output::data(format_args!("created    {}", super::time::utc(created)));
    }
    if !report.needs.is_empty() {
        output::data(format_args!("needs      {}", report.needs.join(", ")));
    }
    if !report.requires.is_empty() {
        output::data(format_args!("requires   {}", report.requires.join(", ")));
    }
    for hook in &report.hooks {
        output::data(format_args!("hook       {hook}"));
    }
    if let Some(pack) = &report.pack {
        output::data(format_args!("pack       {pack}"));
    }
    output::data(format_args!(
        "size       {} bytes on the board, {} to download",
        report.size, report.download
    ));
    let kept: Vec<&str> = report.files.iter().filter(|file| file.keep).map(|file| &*file.path).collect();
    if !kept.is_empty() {
        output::data(format_args!("keep       {}", kept.join(", ")));
    }
    output::data(format_args!("signature  {}", signature(&report.signature)));
    output::data("");
    let rows: Vec<Vec<String>> = report
        .files
        .iter()
        .map(|file| {
            vec![
                file.path.clone(),
                file.size.to_string(),
                file.stored.to_string(),
                file.sha256[..12].to_owned(),
                file.status.to_owned(),
            ]
        })
        .collect();
    output::table(&["file", "size", "stored", "sha256", "check"], &[1, 2], &rows);
    if let Some(difference) = &report.against {
        print_difference(difference);
    }
}

fn print_difference(difference: &Difference) {
    output::data(format_args!("\nagainst    {} {}", difference.version, difference.against));
    let lists = [
        ("added", &difference.added),
        ("changed", &difference.changed),
        ("removed", &difference.removed),
        ("kept", &difference.kept),
    ];
    for (what, paths) in lists {
        for path in paths {
            output::data(format_args!("{what:<10} {path}"));
        }
    }
    output::data(format_args!(
        "fetch      {} bytes: {} of the manifest, {} of files; {} kept",
        difference.manifest + difference.files,
        difference.manifest,
        difference.files,
        difference.kept.len()
    ));
    output::data(format_args!(
        "           and what is not kept and was changed on a board since it has {}",
        difference.version
    ));
}

fn signature(signature: &Signature) -> String {
    match signature {
        Signature::Unsigned => "unsigned".to_owned(),
        Signature::Trusted { fingerprint, comment } => {
            format!("good, by {fingerprint} {comment}").trim_end().to_owned()
        }
        Signature::Unchecked { fingerprint } => {
            format!("by {fingerprint}, which was not compared with any key: --key, --allowed")
        }
        Signature::Refused { code } => format!("refused: {code}"),
        _ => "unknown".to_owned(),
    }
}
