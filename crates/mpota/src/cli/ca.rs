//! `mpota ca`

use std::path::PathBuf;

use mpota::board::ca;
use mpota::board::roots::{self, DEFAULT, Root};

use super::output;

/// Write the certificate authorities that a board trusts, one DER file each.
///
/// Without NAME: those behind github.com and the hosts of its assets, today and recently. Put the
/// folder beside your app, so that a release brings new ones before the old ones end.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// These instead, by their names as --list prints them
    #[arg(value_name = "NAME", conflicts_with_all = ["all", "list"])]
    names: Vec<String>,
    /// The folder to write
    #[arg(long, value_name = "DIR", default_value = "ota_ca")]
    dir: PathBuf,
    /// All that Mozilla trusts: more than a small board can load
    #[arg(long, conflicts_with = "list")]
    all: bool,
    /// Also the certificates in this file, PEM or DER: your own authority. Can be repeated
    #[arg(long, value_name = "FILE", conflicts_with = "list")]
    also: Vec<PathBuf>,
    /// Remove what an earlier run wrote and this one does not
    #[arg(long, conflicts_with = "list")]
    prune: bool,
    /// Write nothing; print all that can be named: those without NAME are marked with *
    #[arg(long)]
    list: bool,
}

pub fn run(args: &Args) -> miette::Result<()> {
    let all = roots::all();
    if args.list {
        print(&all);
        return Ok(());
    }
    let mut chosen = match (args.all, &args.names[..]) {
        (true, _) => all,
        (false, []) => roots::named(&all, &DEFAULT)?,
        (false, names) => roots::named(&all, names)?,
    };
    for path in &args.also {
        chosen.extend(roots::load(path)?);
    }
    chosen.sort_by(|a, b| a.der.cmp(&b.der));
    chosen.dedup_by(|a, b| a.der == b.der);
    roots::make_unique(&mut chosen);
    for root in chosen.iter().filter(|root| root.expires < now()) {
        output::warning(
            "ca::ended",
            format_args!("{} has ended: boards whose clock is right refuse it", root.name),
        );
    }
    let done = ca::write(&args.dir, &chosen, args.prune)?;
    for name in &done.files {
        output::data(args.dir.join(name).display());
    }
    for name in &done.removed {
        output::note(format_args!("removed {name}"));
    }
    for name in &done.others {
        output::note(format_args!("kept {name}, which is not from here"));
    }
    for name in &done.old {
        output::note(format_args!("kept {name} of an earlier run: --prune removes it"));
    }
    output::note(format_args!(
        "{} certificates, {} bytes on the board",
        chosen.len(),
        chosen.iter().map(|root| root.der.len()).sum::<usize>()
    ));
    Ok(())
}

fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

fn print(roots: &[Root]) {
    let row = |root: &Root| {
        let mark = if DEFAULT.contains(&&*root.name) { "*" } else { "" };
        let expires = super::time::utc(u64::try_from(root.expires).unwrap_or(0));
        // Where two have the same name, the file's is the one to name it by.
        let twice = roots.iter().filter(|other| other.name == root.name).count() > 1;
        let name = if twice { &root.slug } else { &root.name };
        vec![mark.into(), name.clone(), expires[..10].into(), root.der.len().to_string(), root.sha256()]
    };
    let rows: Vec<Vec<String>> = roots.iter().map(row).collect();
    output::table(&["", "name", "until", "size", "sha256"], &[3], &rows);
}
