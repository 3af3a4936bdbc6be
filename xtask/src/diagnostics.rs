//! `cargo xtask diagnostics`: docs/diagnostics.md, from the codes in the program.

use anyhow::{Context, Result};

/// Writes the page.
pub fn run(_: &[String]) -> Result<()> {
    let path = mpota_vboard::repository().join("docs/diagnostics.md");
    std::fs::write(&path, mpota::diagnostics::page()).with_context(|| path.display().to_string())?;
    println!("wrote {}, {} codes", path.display(), mpota::diagnostics::all().count());
    Ok(())
}
