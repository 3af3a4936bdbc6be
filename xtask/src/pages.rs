//! `cargo xtask pages`: how the pages of `mpota serve` look.

use anyhow::{Result, ensure};
use mpota_vboard::repository;
use std::process::Command;

/// The test in Chromium, which leaves pictures where it is asked to.
pub fn run(_: &[String]) -> Result<()> {
    let shots = repository().join("target/pages");
    if shots.exists() {
        std::fs::remove_dir_all(&shots)?;
    }
    std::fs::create_dir_all(&shots)?;
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(repository()).env("MPOTA_SHOTS", &shots);
    cargo.args(["test", "-p", "mpota-vboard", "--test", "pages", "--", "--show-output"]);
    ensure!(
        cargo.status()?.success(),
        "the pages are not right; what was seen until then is in {}",
        shots.display()
    );
    println!("{}", shots.display());
    Ok(())
}
