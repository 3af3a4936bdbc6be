//! `cargo xtask wheel`: the program as a wheel, which pip, pipx and uv install without Rust.

use anyhow::{Result, bail};
use mpota_vboard::repository;
use mpota_vboard::wheel::build;

/// Build it for this computer into `target/wheels`. `--dev`: in the `dev` profile, which takes seconds where the
/// tests were built.
pub fn run(args: &[String]) -> Result<()> {
    let profile = match args {
        [] => "release",
        [option] if option == "--dev" => "dev",
        _ => bail!("wheel [--dev]"),
    };
    println!("{}", build(profile, &repository().join("target/wheels"))?.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "these are tests")]

    use super::*;
    use mpota_vboard::wheel::install;
    use std::path::Path;
    use std::process::{Command, Output};

    fn said(output: &Output) -> String {
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
    }

    /// In the `dev` profile, and with the packages that the tests were built with: release takes minutes.
    #[test]
    fn the_wheel_is_installed_and_makes_a_release_where_there_is_no_rust() {
        let dir = tempfile::tempdir().unwrap();
        let wheel = build("dev", &dir.path().join("wheels")).unwrap();
        let name = wheel.file_name().unwrap().to_string_lossy().into_owned();
        let version = env!("CARGO_PKG_VERSION");
        assert!(name.starts_with(&format!("mpota-{version}-py3-none-")), "{name}");

        let app = dir.path().join("app");
        let bin = install(&wheel, &dir.path().join("venv")).unwrap();
        let mut ran = 0;
        for (line, word) in [
            ("--version", format!("mpota {version}")),
            ("updater app --mpy --project octo/rain", "has the updater".into()),
            ("init app --project octo/rain", "wrote".into()),
            ("build app --version v1.0.0 --output dist", String::new()),
            ("verify dist", "v1.0.0".into()),
        ] {
            let mut mpota = Command::new(bin.join("mpota"));
            mpota.args(line.split(' ')).current_dir(dir.path()).env_clear();
            // Nothing but the environment's own programs, so neither cargo nor git.
            let out = mpota.env("PATH", &bin).env("HOME", dir.path()).output().unwrap();
            assert!(out.status.success() && said(&out).contains(&word), "{line}: {}", said(&out));
            ran += 1;
        }
        assert!(app.join("lib/ota_updater.mpy").exists());
        assert!(dir.path().join("dist/manifest.json").exists());
        println!("  cases {ran}: commands of an installed wheel");
        archive(&dir.path().join("wheels"), &dir.path().join("archives"));
    }

    /// What the release workflow makes of a wheel for those who have no Python.
    fn archive(wheels: &Path, out: &Path) {
        let mut python = Command::new("python3");
        python.current_dir(repository()).arg(".github/archives.py").arg(wheels).arg(out);
        let made = python.output().unwrap();
        assert!(made.status.success(), "{}", said(&made));
        let name = format!("mpota-{}-linux-{}", env!("CARGO_PKG_VERSION"), std::env::consts::ARCH);
        let mut tar = Command::new("tar");
        let done = tar.current_dir(out).arg("-xzf").arg(format!("{name}.tar.gz")).output().unwrap();
        assert!(done.status.success(), "{} {}", said(&made), said(&done));
        let files =
            ["README.md", "LICENSE", "man/man1/mpota.1", "man/man1/mpota-build.1", "completions/_mpota"];
        for file in files {
            assert!(std::fs::metadata(out.join(&name).join(file)).unwrap().len() > 500, "{file}");
        }
        let version = Command::new(out.join(&name).join("mpota")).arg("--version").output().unwrap();
        assert!(version.status.success());
        println!("  cases {}: files in an archive", files.len() + 1);
    }

    #[test]
    fn what_pypi_shows_leads_to_the_repository_that_releases() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["README.md", "pyproject.toml"] {
            std::fs::copy(repository().join(name), dir.path().join(name)).unwrap();
        }
        let mut python = Command::new("python3");
        python.current_dir(dir.path()).arg(repository().join(".github/links.py"));
        let out = python.args(["https://github.com/octo/mpota", "v0.1.0"]).output().unwrap();
        assert!(out.status.success(), "{}", said(&out));
        let read = |name: &str| std::fs::read_to_string(dir.path().join(name)).unwrap();
        let project = read("pyproject.toml");
        assert!(
            !project.contains("com/OWNER") && project.contains("\"https://github.com/octo/mpota\""),
            "{project}"
        );
        let mut links = 0;
        for link in read("README.md").split("](").skip(1) {
            assert!(link.starts_with("https://"), "{link}");
            links += 1;
        }
        println!("  cases {links}: links");
        assert!(links > 5);
        // Once more there is nothing to put in.
        let mut python = Command::new("python3");
        python.current_dir(dir.path()).arg(repository().join(".github/links.py"));
        assert!(!python.args(["https://github.com/octo/mpota", "v0.1.0"]).output().unwrap().status.success());
    }

    /// What PyPI shows, and where it comes from.
    #[test]
    fn the_description_has_no_version_of_its_own() {
        let text = std::fs::read_to_string(repository().join("pyproject.toml")).unwrap();
        assert!(text.contains("dynamic = [\"version\"]") && !text.contains("\nversion ="));
        assert!(text.contains("\nname = \"mpota\"\n") && text.contains("\nbindings = \"bin\"\n"));
    }
}
