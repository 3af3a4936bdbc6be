//! `cargo xtask package`: the lists by which others install the updater, for what lies in `device/`; and the
//! updater compiled, in `device/compiled/`.
//!
//! The compiled files are part of the repository, and not of a wheel alone: mip takes them from there to a
//! board, which has no compiler and little memory, and whoever builds `mpota` from a clone has them without
//! Python. What holds them to their sources is a test below.

use anyhow::{Context, Result, ensure};
use mpota_vboard::bench::{compiled_agent, read_folder, write_file};
use mpota_vboard::{agent_files, repository};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;

/// Write `device/package.json`, which mip reads, `device/manifest.py`, which builds of firmware read, and
/// `device/compiled/`, where mip finds the same as `.mpy`.
pub fn run(args: &[String]) -> Result<()> {
    ensure!(
        args.is_empty(),
        "package takes no arguments; `mpota updater DIR --mpy` writes the compiled files"
    );
    for (path, text) in lists()? {
        std::fs::write(&path, text).with_context(|| path.display().to_string())?;
        println!("{}", path.display());
    }
    let folder = compiled_folder();
    std::fs::create_dir_all(&folder)?;
    let (wanted, there) = (compiled()?, there()?);
    for name in there.keys().filter(|name| !wanted.contains_key(*name)) {
        std::fs::remove_file(folder.join(name))?;
    }
    for (name, content) in wanted.iter().filter(|(name, content)| there.get(*name) != Some(content)) {
        write_file(&folder.join(name), content)?;
        println!("{}", folder.join(name).display());
    }
    Ok(())
}

fn compiled_folder() -> PathBuf {
    repository().join("device/compiled")
}

/// What belongs into the folder, by path.
fn compiled() -> Result<BTreeMap<String, Vec<u8>>> {
    let mut files: BTreeMap<String, Vec<u8>> = compiled_agent()?.iter().cloned().collect();
    let names: Vec<String> = files.keys().cloned().collect();
    files.insert("package.json".into(), package(&names).into_bytes());
    Ok(files)
}

/// What lies in the folder, by path.
fn there() -> Result<BTreeMap<String, Vec<u8>>> {
    let mut files = BTreeMap::new();
    read_folder(&compiled_folder(), "", &mut files)?;
    Ok(files)
}

fn lists() -> Result<[(PathBuf, String); 2]> {
    let names: Vec<String> = agent_files()?.into_iter().map(|(name, _)| name).collect();
    let device = repository().join("device");
    Ok([(device.join("package.json"), package(&names)), (device.join("manifest.py"), manifest(&names))])
}

/// Where a file goes, seen from `lib/` on the board, and where it lies, seen from this list.
fn package(names: &[String]) -> String {
    let urls: Vec<String> = names.iter().map(|name| format!("    [\"{name}\", \"{name}\"]")).collect();
    let version = env!("CARGO_PKG_VERSION");
    format!(
        "{{\n  \"urls\": [\n{}\n  ],\n  \"deps\": [],\n  \"version\": \"{version}\"\n}}\n",
        urls.join(",\n")
    )
}

fn manifest(names: &[String]) -> String {
    let mut text = format!(
        "# Made by `cargo xtask package`: what of this folder is frozen into firmware, or put into ROMFS.\n\
         metadata(description=\"Over-the-air updates from GitHub releases\", version=\"{}\")\n\n",
        env!("CARGO_PKG_VERSION")
    );
    let mut packages = BTreeSet::new();
    for name in names {
        match name.split_once('/') {
            Some((package, _)) => drop(packages.insert(package)),
            None => drop(writeln!(text, "module(\"{name}\", opt=3)")),
        }
    }
    for package in packages {
        let _ = writeln!(text, "package(\"{package}\", opt=3)");
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "these are tests")]

    use super::*;
    use mpota::board::updater::Form;
    use mpota_vboard::bench::shortened_agent;

    #[test]
    fn the_lists_are_those_of_the_files() {
        for (path, text) in lists().unwrap() {
            let there = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(there == text, "{} is not up to date: cargo xtask package", path.display());
        }
    }

    #[test]
    fn the_compiled_files_are_what_the_sources_give() {
        let (wanted, there) = (compiled().unwrap(), there().unwrap());
        let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&there), names(&wanted), "cargo xtask package");
        let mut ran = 0;
        for (name, content) in &wanted {
            assert!(there[name] == *content, "{name} is not up to date: cargo xtask package");
            ran += 1;
        }
        println!("  cases {ran}: compiled files that are up to date");
        assert_eq!(ran, agent_files().unwrap().len() + 1);
        // What the program writes is what lies here.
        for (name, content) in Form::Compiled.contents() {
            assert!(there[*name] == *content, "{name} in the program");
        }
        assert_eq!(Form::Compiled.contents().len() + 1, there.len());
        assert!(run(&["--mpy".into()]).is_err());
    }

    /// The third byte holds the architecture of machine code and the sub-version of its calls: without such
    /// code all firmware of version 6 reads the file. The fourth is how many bits a small number has, 31 on
    /// the smallest boards.
    #[test]
    fn the_compiled_files_are_for_every_firmware_since_1_19() {
        let mut ran = 0;
        for (name, content) in Form::Compiled.contents() {
            assert_eq!(content[..4], [b'M', 6, 0, 31], "{name}");
            ran += 1;
        }
        println!("  cases {ran}: heads of compiled files");
        assert!(ran > 50);
    }

    #[test]
    fn short_names_are_given_to_what_one_file_alone_knows() {
        let files = shortened_agent().unwrap();
        let source = |wanted: &str| {
            let (_, source) = files.iter().find(|(name, _)| name == wanted).unwrap();
            String::from_utf8(source.clone()).unwrap()
        };
        // Apps may give these by their names.
        let mut ran = 0;
        for (file, public) in [
            ("ota_updater.py", "def boot(feed=None):"),
            ("ota_app.py", "def rollback(why=None):"),
            ("ota_updater.py", "def early(ask=None):"),
            ("ota_updater.py", "def update(config):"),
            ("ota_aio.py", "async def update(config):"),
            ("ota_main.py", "def run(start, look, hours=72, reset=4, power=16, wake=64):"),
            ("ota_due.py", "(hours, sleep_s=0):"),
            ("ota_due.py", "(first, last, offset_h=0):"),
            // And other files these: an older one may lie beside a newer one.
            ("ota_updater.py", "def _at_rest():"),
            ("ota_journal.py", "def write(**"),
        ] {
            assert!(source(file).contains(public), "{file}: {public}");
            ran += 1;
        }
        println!("  cases {ran}: names that others know");
        // `_buf` is set by ota_keep as well.
        assert!(source("ota_updater.py").contains("_buf ="));
        assert!(!source("ota_updater.py").contains("_firmware ="));
    }

    #[test]
    fn a_list_has_every_file_once_and_a_package_as_one() {
        let names = ["a.py", "p/__init__.py", "p/q.py"].map(str::to_owned);
        let json: serde_json::Value = serde_json::from_str(&package(&names)).unwrap();
        assert_eq!(
            json["urls"],
            serde_json::json!([["a.py", "a.py"], ["p/__init__.py", "p/__init__.py"], ["p/q.py", "p/q.py"]])
        );
        assert!(manifest(&names).ends_with("\n\nmodule(\"a.py\", opt=3)\npackage(\"p\", opt=3)\n"));
    }

    #[test]
    fn the_updater_has_the_version_of_the_program() {
        let files = agent_files().unwrap();
        let Some((_, source)) = files.iter().find(|(name, _)| name == "mpota/__init__.py") else {
            return; // this updater does not say one
        };
        let line = format!("__version__ = \"{}\"", env!("CARGO_PKG_VERSION"));
        assert!(
            String::from_utf8_lossy(source).lines().any(|l| l == line),
            "mpota/__init__.py has no line {line}"
        );
    }
}
