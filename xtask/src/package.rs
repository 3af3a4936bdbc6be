//! `cargo xtask package`: the lists by which others install the updater, for what lies in `device/`.

use anyhow::{Context, Result};
use mpota_vboard::{agent_files, repository};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;

/// Write `device/package.json`, which mip reads, and `device/manifest.py`, which builds of firmware read.
pub fn run(_: &[String]) -> Result<()> {
    for (path, text) in lists()? {
        std::fs::write(&path, text).with_context(|| path.display().to_string())?;
        println!("{}", path.display());
    }
    Ok(())
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

    #[test]
    fn the_lists_are_those_of_the_files() {
        for (path, text) in lists().unwrap() {
            let there = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(there == text, "{} is not up to date: cargo xtask package", path.display());
        }
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
