//! `mpota manifest`

use std::path::PathBuf;

use mpota::release::manifest::{self, ManifestOptions};
use mpota::remote::names::is_project;
use mpota_format::manifest::Place;
use mpota_format::version::Version;

use super::allow::AllowArgs;
use super::output;

/// Write a manifest.json for the files that you name: a release made by hand.
///
/// Publish the manifest and the files as assets of one release; where an asset needs another name
/// than its file, that is told.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The files, seen from the root
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
    /// The release's version, like v1.2.0
    #[arg(long, value_name = "VERSION", value_parser = version)]
    version: Version,
    /// The repository that the release is for; needed where boards have keys
    #[arg(long, value_name = "OWNER/NAME", value_parser = project)]
    project: Option<String>,
    /// The folder that holds the files as they shall lie on the board
    #[arg(long, value_name = "DIR", default_value = ".")]
    root: PathBuf,
    /// Where the manifest goes; - is standard output
    #[arg(short, long, value_name = "FILE", default_value = "manifest.json")]
    output: PathBuf,
    /// The time in the manifest, in seconds since 1970 [default: SOURCE_DATE_EPOCH, or none]
    #[arg(long, value_name = "SECONDS")]
    created: Option<u64>,
    /// Sign with this SSH key: the private one, or the .pub of one that an ssh-agent has
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Print what was written as JSON
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    allow: AllowArgs,
}

fn version(text: &str) -> Result<Version, String> {
    Version::parse(text).map_err(|error| error.to_string())
}

fn project(text: &str) -> Result<String, String> {
    if is_project(text) { Ok(text.to_owned()) } else { Err("it is not of the form OWNER/NAME".to_owned()) }
}

pub fn run(args: Args) -> miette::Result<()> {
    let options = ManifestOptions {
        root: args.root,
        files: args.files,
        version: args.version,
        project: args.project,
        created: super::created(args.created)?,
        allow: args.allow.into(),
        key: super::load_key_if(args.key)?,
    };
    let manifest = manifest::make(&options)?;
    let standard = args.output.as_os_str() == "-";
    if standard && args.json {
        let what = "--json and the manifest cannot both go to standard output";
        return Err(output::Usage::new("usage::json_output", what, "name a file with --output").into());
    }
    if standard {
        output::raw(&manifest.to_bytes().map_err(mpota::release::assemble::ReleaseError::from)?);
    } else {
        manifest::write(&manifest, &args.output)?;
        if !args.json {
            output::data(args.output.display());
        }
    }
    for file in &manifest.files {
        if let Place::Asset { name } = &file.place
            && *name != file.path
        {
            output::note(format_args!("publish {} as {name}", file.path));
        }
    }
    super::tell_signature(options.key.as_ref());
    if args.json {
        let signed = options.key.as_ref().map(|key| key.fingerprint());
        return output::json(&super::told(&manifest, &args.output, signed));
    }
    Ok(())
}
